import { describe, expect, it } from 'vitest';
import { byNeed, percent, reasonsOf, type Lock } from './locks';

const lock = (id: number, more: Partial<Lock> = {}): Lock => ({
	locker_id: id,
	bank_id: 1,
	channel: 'bus1/0/1',
	openings: 10,
	retries: 0,
	jams: 0,
	unanswered: 0,
	acknowledged_mean_ms: null,
	acknowledged_max_ms: null,
	opened_mean_ms: null,
	reasons: [],
	...more
});

describe('locks', () => {
	it('that need hands come first', () => {
		const locks = [
			lock(1),
			lock(2, { retries: 5, reasons: ['retries'] }),
			lock(3, { jams: 2, reasons: ['jams'] }),
			lock(4, { jams: 2, unanswered: 2, reasons: ['jams', 'unanswered'] }),
			lock(0)
		];
		expect(byNeed(locks).map(({ locker_id: id }) => id)).toEqual([4, 3, 2, 0, 1]);
	});
	it('have shares only of something', () => {
		expect(percent(1, 3)).toBe(33);
		expect(percent(0, 0)).toBeUndefined();
	});
	it('say which help is of use', () => {
		const rows = [lock(1, { reasons: ['sensor_fault'] }), lock(2, { reasons: ['jams', 'sensor_fault'] })];
		expect(reasonsOf({ rows })).toEqual(['jams', 'sensor_fault']);
		expect(reasonsOf(undefined)).toEqual([]);
	});
});
