import { describe, expect, it } from 'vitest';
import type { LiveAlarm } from '../alarms.svelte';
import { behind, ENOUGH, freshOf, tabOf, tabPage, type Listed } from './alarm-list';

const row = (id: number, state: string, more: Partial<Listed> = {}): Listed => ({
	alarm_id: id,
	state,
	raised_at: '2026-03-02T00:00:00Z',
	count: 1,
	cleared_at: null,
	...more
});
const live = (id: number, more: Partial<LiveAlarm> = {}): LiveAlarm =>
	({ alarm_id: id, state: 'live', kind: 'jammed', bank_id: 1, locker_id: 101, count: 1, cleared_at: null, ...more }) as LiveAlarm;

/** A server with lists by state; a cursor is the place in the list. */
const server =
	(lists: Record<string, Listed[]>, rows: number) =>
	(state: string, cursor: string | undefined): Promise<{ alarms: Listed[]; next_cursor: string | null }> => {
		const list = lists[state] ?? [];
		const from = Number(cursor ?? 0);
		const to = from + rows;
		return Promise.resolve({ alarms: list.slice(from, to), next_cursor: to < list.length ? String(to) : null });
	};

async function all(tab: 'open' | 'acknowledged' | 'closed', get: ReturnType<typeof server>): Promise<number[]> {
	const ids: number[] = [];
	let cursor: string | undefined;
	for (let pages = 0; pages < 50; pages += 1) {
		const page = await tabPage(tab, get, cursor);
		ids.push(...page.rows.map(({ alarm_id: id }) => id));
		if (!page.next) return ids;
		cursor = page.next;
	}
	throw new Error('it does not end');
}

describe('the tabs', () => {
	it('say what is left to do', () => {
		expect(tabOf(row(1, 'live'))).toBe('open');
		expect(tabOf(row(1, 'cleared', { cleared_at: 'x' }))).toBe('open');
		expect(tabOf(row(1, 'acknowledged'))).toBe('acknowledged');
		expect(tabOf(row(1, 'acknowledged', { cleared_at: 'x' }))).toBe('closed');
	});

	it('list open ones with causes that go on first, each once', async () => {
		const lists = { live: [row(9, 'live'), row(3, 'live')], cleared: [row(7, 'cleared'), row(1, 'cleared')] };
		expect(await all('open', server(lists, 1))).toEqual([9, 3, 7, 1]);
		expect(await all('open', server({}, 50))).toEqual([]);
	});

	it('sieve those that somebody took note of, over all pages', async () => {
		const many = Array.from({ length: 95 }, (_, at) =>
			row(100 - at, 'acknowledged', { cleared_at: at % 10 === 0 ? null : 'x' })
		);
		const get = server({ acknowledged: many }, 10);
		expect(await all('acknowledged', get)).toHaveLength(10);
		expect(await all('closed', get)).toHaveLength(85);
		expect((await tabPage('closed', get, undefined)).rows.length).toBeGreaterThanOrEqual(ENOUGH);
	});
});

describe('what the socket knows', () => {
	const any = { kind: '', bank: '', locker: '' };

	it('is new when it began since and fits', () => {
		const heard = [live(1), live(5), live(6), live(7, { kind: 'left_open' }), live(8, { bank_id: null })];
		const ids = (sieve: typeof any): number[] =>
			freshOf(heard, [row(6, 'live')], 4, sieve).map(({ alarm_id: id }) => id);
		expect(ids(any)).toEqual([5, 7, 8]);
		expect(ids({ ...any, kind: 'left_open' })).toEqual([7]);
		expect(ids({ ...any, bank: '1' })).toEqual([5, 7]);
		expect(ids({ ...any, locker: '102' })).toEqual([]);
	});

	it('makes rows old that it says otherwise of', () => {
		const rows = [row(1, 'live'), row(2, 'live'), row(3, 'live'), row(4, 'acknowledged', { cleared_at: 'x' })];
		const heard = new Set([1, 2, 3, 4]);
		const now = [live(1), live(2, { count: 2 })];
		expect(behind(rows, now, heard).map(({ alarm_id: id }) => id)).toEqual([2, 3]);
		// Before the first word nothing is known to be missing.
		expect(behind(rows, [], new Set())).toEqual([]);
	});
});
