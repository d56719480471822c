/**
 * Lists of alarms by what is left to do: nobody took note, somebody did and the cause goes on, all is over. And what
 * the socket knows that a list does not show yet.
 */
import type { LiveAlarm } from '../alarms.svelte';

export const TABS = ['open', 'acknowledged', 'closed'] as const;
export type Tab = (typeof TABS)[number];

/** The part of an alarm that decides where it is listed. */
export interface Listed {
	alarm_id: number;
	state: string;
	raised_at: string;
	count: number;
	cleared_at?: string | null;
	it_was_me?: unknown;
}

/** What the server calls the alarms of a tab. */
export const STATES: Record<Tab, string> = { open: 'open', acknowledged: 'standing', closed: 'over' };

/** In which tab an alarm belongs. */
export function tabOf(alarm: Pick<Listed, 'state' | 'cleared_at'>): Tab {
	if (alarm.state !== 'acknowledged') return 'open';
	return alarm.cleared_at ? 'closed' : 'acknowledged';
}

/** What a list is narrowed to, as far as the socket tells of it. */
export interface Sieve {
	kind: string;
	severity: string;
	bank: string;
	locker: string;
}

/** Alarms that began since a list was asked for and would stand in it. */
export function freshOf(live: readonly LiveAlarm[], rows: readonly Listed[], since: number, sieve: Sieve): LiveAlarm[] {
	const shown = new Set(rows.map(({ alarm_id: id }) => id));
	return live.filter(
		(alarm) =>
			alarm.alarm_id > since &&
			!shown.has(alarm.alarm_id) &&
			(!sieve.kind || alarm.kind === sieve.kind) &&
			(!sieve.severity || alarm.severity === sieve.severity) &&
			(!sieve.bank || String(alarm.bank_id) === sieve.bank) &&
			(!sieve.locker || String(alarm.locker_id) === sieve.locker)
	);
}

/** Rows that the socket knows more of: they are asked for anew, in their place. */
export function behind<Row extends Listed>(rows: readonly Row[], live: readonly LiveAlarm[], heard: ReadonlySet<number>): Row[] {
	const known = new Map(live.map((alarm) => [alarm.alarm_id, alarm]));
	return rows.filter((row) => {
		const now = known.get(row.alarm_id);
		// One that was told of and is not any more: it ended and somebody took note.
		if (!now) return heard.has(row.alarm_id) && tabOf(row) !== 'closed';
		return now.state !== row.state || now.count !== row.count || !now.cleared_at !== !row.cleared_at;
	});
}
