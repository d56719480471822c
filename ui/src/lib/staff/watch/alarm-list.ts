/**
 * Lists of alarms: which the tabs show, and what the socket knows that a list does not show yet.
 *
 * The server lists by what people and causes did (`live`, `cleared`, `acknowledged`); people think in what is left
 * to do: nobody took note, somebody did and the cause goes on, all is over.
 */
import type { ListPage } from '../paged.svelte';
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

export interface AlarmPage<Row> {
	alarms: Row[];
	next_cursor?: string | null;
}

/** Asks the server for a page of alarms in one state. */
export type GetPage<Row> = (state: string, cursor: string | undefined) => Promise<AlarmPage<Row>>;

/** In which tab an alarm belongs. */
export function tabOf(alarm: Pick<Listed, 'state' | 'cleared_at'>): Tab {
	if (alarm.state !== 'acknowledged') return 'open';
	return alarm.cleared_at ? 'closed' : 'acknowledged';
}

/** At least so many rows are gathered before a page is shown, unless there are no more. */
export const ENOUGH = 30;
/** At most so many questions for one page: a tab with few among many does not ask forever. */
const QUESTIONS = 8;

/** What the server is asked for, one after the other: causes that go on come first. */
const STATES: Record<Tab, readonly string[]> = {
	open: ['live', 'cleared'],
	acknowledged: ['acknowledged'],
	closed: ['acknowledged']
};

/** A page of a tab. Its cursor names the state and the server's cursor in it. */
export async function tabPage<Row extends Listed>(
	tab: Tab,
	get: GetPage<Row>,
	cursor: string | undefined
): Promise<ListPage<Row>> {
	const states = STATES[tab];
	const [at = '0', first] = cursor?.split(/:(.*)/s) ?? [];
	let place = Number(at);
	let inside: string | undefined = first || undefined;
	const rows: Row[] = [];
	for (let asked = 0; asked < QUESTIONS && rows.length < ENOUGH; asked += 1) {
		const page: AlarmPage<Row> = await get(states[place] ?? 'live', inside);
		rows.push(...page.alarms.filter((alarm) => tabOf(alarm) === tab));
		inside = page.next_cursor ?? undefined;
		if (inside === undefined) place += 1;
		if (place >= states.length) return { rows, next: null };
	}
	return { rows, next: `${place}:${inside ?? ''}` };
}

/** What a list is narrowed to, as far as the socket tells of it. */
export interface Sieve {
	kind: string;
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
