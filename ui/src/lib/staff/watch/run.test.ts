import { describe, expect, it } from 'vitest';
import { countsOf, groupOf, hadTurn, notSeenOpen, withTold, type Run } from './run';

const run = (...results: string[]): Run => ({
	mass_opening_id: 'm',
	state: 'running',
	lockers: results.map((result, at) => ({ locker_id: 101 + at, result }))
});
const results = ({ lockers }: Run): string[] => lockers.map(({ result }) => result);

describe('results', () => {
	it('count as open only when the door was seen open', () => {
		const open = ['opened', 'already_open'];
		const all = ['did_not_open', 'no_answer', 'unseen', 'refused', 'unreachable', 'interrupted', 'skipped', 'cancelled', 'not_reached', 'something_new'];
		expect([...open, ...all].filter((result) => groupOf(result) === 'opened')).toEqual(open);
		expect(notSeenOpen(run(...open, ...all, 'waiting', 'opening').lockers).map(({ result }) => result)).toEqual(all);
	});
	it('are counted, and each turn once', () => {
		const { lockers } = run('waiting', 'opening', 'opened', 'already_open', 'did_not_open', 'unreachable', 'skipped');
		expect(countsOf(lockers)).toEqual({ waiting: 1, opening: 1, opened: 2, shut: 1, silent: 1, other: 1 });
		expect(hadTurn(lockers)).toBe(5);
	});
});

describe('what the socket says', () => {
	it('changes one locker, or how the whole stands', () => {
		const now = withTold(run('opening', 'waiting'), [
			{ mass_opening_id: 'm', locker_id: 101, result: 'opened' },
			{ mass_opening_id: 'm', locker_id: 102, result: 'opening' },
			{ mass_opening_id: 'm', state: 'cancelled' }
		]);
		expect(results(now)).toEqual(['opened', 'opening']);
		expect(now.state).toBe('cancelled');
	});
	it('is of this order, and takes no result back', () => {
		const before = run('opened', 'waiting');
		expect(withTold(before, [{ mass_opening_id: 'x', locker_id: 102, result: 'opened' }])).toBe(before);
		const late = withTold(before, [
			{ mass_opening_id: 'm', locker_id: 101, result: 'opening' },
			{ mass_opening_id: 'm', locker_id: 102, result: 'did_not_open' }
		]);
		expect(results(late)).toEqual(['opened', 'did_not_open']);
	});
});
