/** The settings of a bank's policy: what each is, between which bounds, and what a new bank has. */
export type Kind = 'number' | 'switch' | 'choice' | 'list';

export interface Setting {
	name: string;
	group: string;
	kind: Kind;
	/** Smallest and largest, of numbers. */
	from?: number;
	to?: number;
	/** Whether a number may be left empty. */
	empty?: boolean;
	/** What a new bank has. */
	base: number | boolean | string | null;
	options?: string[];
	/** The one mode in which it is used. */
	mode?: 'choose' | 'pool';
}

const number = (group: string, name: string, from: number, to: number, base: number | null, more: Partial<Setting> = {}): Setting => ({
	name,
	group,
	kind: 'number',
	from,
	to,
	base,
	empty: base === null,
	...more
});
const flag = (group: string, name: string, base: boolean, more: Partial<Setting> = {}): Setting => ({
	name,
	group,
	kind: 'switch',
	base,
	...more
});
const choice = (group: string, name: string, options: string[], base: string): Setting => ({
	name,
	group,
	kind: 'choice',
	options,
	base
});

/** Every setting but hours and closing days, in the order of the form. Limits: docs/guide/site-file.md. */
export const SETTINGS: Setting[] = [
	number('hold', 'hold_seconds', 10, 3600, 60, { empty: false, mode: 'choose' }),
	flag('hold', 'options.hold_extension', false, { mode: 'choose' }),
	choice('door', 'open_from', ['anywhere', 'presence'], 'anywhere'),
	number('door', 'left_open_s', 1, 86_400, null),
	number('returns', 'returns.grace_minutes', 0, 1440, 10),
	choice('returns', 'returns.unseen', ['renter', 'staff'], 'renter'),
	flag('returns', 'returns.by_door', false),
	{ name: 'overdue.reminder_days', group: 'reminders', kind: 'list', base: '7, 1' },
	flag('reminders', 'overdue.remind_on_last_day', true),
	flag('reminders', 'overdue.remind_while_late', true),
	choice('overdue', 'overdue.late_opening', ['never', 'until_sealed', 'always'], 'until_sealed'),
	number('overdue', 'overdue.seal_after_days', 1, 366, null),
	number('overdue', 'overdue.penalty_factor', 0, 30, 0),
	number('overdue', 'overdue.penalty_max_days', 0, 366, 30),
	number('extension', 'options.extensions_max', 0, 12, 0),
	number('extension', 'options.extension_days', 1, 366, null),
	number('extension', 'options.extension_from_days', 1, 366, 14),
	flag('swap', 'options.swaps', false),
	flag('swap', 'options.waiting_list', false, { mode: 'choose' }),
	number('swap', 'options.offer_minutes', 1, 2880, 60, { mode: 'choose' }),
	number('pool', 'pool.days_max', 1, 366, null, { mode: 'pool' }),
	number('pool', 'pool.advance_days', 1, 366, 30, { mode: 'pool' }),
	number('pool', 'pool.check_in_days', 1, 366, null, { mode: 'pool' }),
	number('pool', 'pool.reservations_max', 1, 10, 1, { mode: 'pool' })
];
