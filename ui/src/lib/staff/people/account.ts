/** What may be done with an account, and by whom. The server is the judge; this says beforehand why not. */

export interface Account {
	member_id: number;
	role: string;
}

export type Hindrance = 'onlyAdmins' | 'notYourself';

/** Why somebody may not manage an account: staff manage students, admins everybody. */
export function hindrance(account: Account, by: { member_id: number; role: string } | undefined): Hindrance | undefined {
	return account.role === 'student' || by?.role === 'admin' ? undefined : 'onlyAdmins';
}

/** The same for what nobody does to their own account: keeping it out, another role, deleting it. */
export function hindranceOfOthers(account: Account, by: { member_id: number; role: string } | undefined): Hindrance | undefined {
	return hindrance(account, by) ?? (account.member_id === by?.member_id ? 'notYourself' : undefined);
}
