import { describe, expect, it } from 'vitest';
import type { LiveAlarm } from '../alarms.svelte';
import { behind, freshOf, tabOf, type Listed } from './alarm-list';

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

describe('the tabs', () => {
	it('say what is left to do', () => {
		expect(tabOf(row(1, 'live'))).toBe('open');
		expect(tabOf(row(1, 'cleared', { cleared_at: 'x' }))).toBe('open');
		expect(tabOf(row(1, 'acknowledged'))).toBe('acknowledged');
		expect(tabOf(row(1, 'acknowledged', { cleared_at: 'x' }))).toBe('closed');
	});
});

describe('what the socket knows', () => {
	const any = { kind: '', severity: '', bank: '', locker: '' };

	it('is new when it began since and fits', () => {
		const heard = [live(1), live(5), live(6), live(7, { kind: 'left_open' }), live(8, { bank_id: null, severity: 'critical' })];
		const ids = (sieve: typeof any): number[] =>
			freshOf(heard, [row(6, 'live')], 4, sieve).map(({ alarm_id: id }) => id);
		expect(ids(any)).toEqual([5, 7, 8]);
		expect(ids({ ...any, kind: 'left_open' })).toEqual([7]);
		expect(ids({ ...any, severity: 'critical' })).toEqual([8]);
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
