/** What staff do with an account, each with its request; what is to be said afterwards comes back. */
import { api, ask } from '../../api/client';
import { texts } from '../../i18n/texts.svelte';
import type { Member } from './member.svelte';

/** A code that is handed over in person. */
export interface HandedCode {
	code: string;
	/** Until when it is good, on `performance.now()`. */
	endsAt: number;
	/** Where it is typed, if not at a kiosk. */
	link?: string;
}

/** What came of a deed: words, or a code to show. */
export type Outcome = { said: string } | { code: HandedCode };

const of = (member: Member) => ({ params: { path: { member_id: member.member_id } } });

export async function disable(member: Member, reason: string): Promise<Outcome> {
	await ask(api.POST('/api/v1/members/{member_id}/disable', { ...of(member), body: { reason } }));
	return { said: texts.people.actions.disabled(member.name) };
}

export async function enable(member: Member): Promise<Outcome> {
	await ask(api.POST('/api/v1/members/{member_id}/enable', of(member)));
	return { said: texts.people.actions.enabled(member.name) };
}

/** @param origin Where this site is, for the address at which the code is typed. */
export async function resetPassword(member: Member, origin: string, address: string): Promise<Outcome> {
	const { reset_id: id, expires_in: left, code } = await ask(api.POST('/api/v1/members/{member_id}/reset-password', of(member)));
	if (!code) return { said: texts.people.actions.resetMailed(address, texts.format.length(left * 1000)) };
	const link = `${origin}/password/new?reset=${encodeURIComponent(id)}`;
	return { code: { code, endsAt: performance.now() + left * 1000, link } };
}

export async function oneTimeCode(member: Member, reason: string): Promise<Outcome> {
	const { code, expires_in: left } = await ask(
		api.POST('/api/v1/members/{member_id}/one-time-code', { ...of(member), body: { reason } })
	);
	return { code: { code, endsAt: performance.now() + left * 1000 } };
}

export async function removeTotp(member: Member, reason: string): Promise<Outcome> {
	await ask(api.DELETE('/api/v1/members/{member_id}/totp', { ...of(member), body: { reason } }));
	return { said: texts.people.actions.totpDone };
}

export async function changeRole(member: Member, role: string): Promise<Outcome> {
	await ask(api.PUT('/api/v1/members/{member_id}/role', { ...of(member), body: { role } }));
	return { said: texts.people.actions.roleDone(member.name, texts.people.roles[role] ?? role) };
}

export async function giveBanks(member: Member, banks: number[]): Promise<Outcome> {
	await ask(api.PUT('/api/v1/members/{member_id}/banks', { ...of(member), body: { banks } }));
	return { said: texts.people.actions.banksDone(banks.length) };
}

export async function remove(member: Member, reason: string): Promise<Outcome> {
	await ask(api.DELETE('/api/v1/members/{member_id}', { ...of(member), body: { reason } }));
	return { said: texts.people.actions.removed };
}
