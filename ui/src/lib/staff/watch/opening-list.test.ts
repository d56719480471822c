import { describe, expect, it } from 'vitest';
import { openMs, OUTCOMES, toneOf, withTold, type Listed } from './opening-list';

const row: Listed = { operation_id: 'o', locker_id: 101, opened_at: null, closed_at: null, outcome: null };

describe('the tone of an outcome', () => {
	it('is good only where the door was seen open', () => {
		const good = [...OUTCOMES, 'something_new', null].filter((outcome) => toneOf(outcome) === 'good');
		expect(good).toEqual(['opened']);
		expect(toneOf(undefined)).toBe('now');
	});
});

describe('what the socket says', () => {
	const phases = [
		{ phase: 'requested', at: '2026-03-02T00:00:00Z' },
		{ phase: 'opened', at: '2026-03-02T00:00:02Z' }
	];
	it('adds what was seen since', () => {
		const told = { operation_id: 'o', locker_id: 101, phases, outcome: 'opened' };
		const now = withTold(row, told);
		expect(now).toMatchObject({ opened_at: '2026-03-02T00:00:02Z', closed_at: null, outcome: 'opened' });
		expect(openMs(now)).toBeUndefined();
	});
	it('takes nothing back', () => {
		const known = { ...row, opened_at: 'a', closed_at: 'b', outcome: 'opened' };
		expect(withTold(known, { operation_id: 'o', locker_id: 101, phases: [], outcome: null })).toEqual(known);
	});
});

describe('how long it was open', () => {
	it('is known when both ends were seen', () => {
		const seen = { opened_at: '2026-03-02T00:00:02Z', closed_at: '2026-03-02T00:01:14Z' };
		expect(openMs(seen)).toBe(72_000);
		expect(openMs({ ...seen, closed_at: null })).toBeUndefined();
	});
});
