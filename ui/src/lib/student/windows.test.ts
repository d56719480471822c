import { describe, expect, it } from 'vitest';
import type { PlacedBank } from '../site.svelte';
import { nextTurn, stateAt, windowCards } from './windows';

const OPENS = '2026-03-02T00:00:00Z';
const CLOSES = '2026-03-06T09:00:00Z';
const [opens, closes] = [Date.parse(OPENS), Date.parse(CLOSES)];

function bank(id: number, window: object, mode = 'choose'): PlacedBank {
	const of = { bank_id: id, mode, window: { server_time: OPENS, ...window } };
	return { place: {}, bank: of } as unknown as PlacedBank;
}
const before = { state: 'before', opens_at: OPENS, closes_at: CLOSES };

describe('a window', () => {
	it('opens and closes by the clock', () => {
		const { window } = bank(1, before).bank;
		expect(stateAt(window, opens - 1)).toBe('before');
		expect(stateAt(window, opens)).toBe('open');
		expect(stateAt(window, closes)).toBe('after');
		expect(stateAt({ ...window, state: 'open' }, closes - 1)).toBe('open');
	});

	it('stays shut while the clock is not trusted', () => {
		expect(stateAt(bank(1, { ...before, state: 'clock_untrusted' }).bank.window, opens + 1)).toBe('clock_untrusted');
		expect(stateAt(bank(1, { state: 'something new' }).bank.window, 0)).toBe('none');
	});
});

describe('cards', () => {
	it('gather banks that open together, open ones first, without those in pool mode', () => {
		const later = { state: 'before', opens_at: '2026-09-01T00:00:00Z', closes_at: '2026-09-02T00:00:00Z' };
		const cards = windowCards(
			[bank(1, later), bank(2, before), bank(3, before), bank(4, { state: 'none' }), bank(5, before, 'pool')],
			opens
		);
		expect(cards.map(({ state, banks }) => [state, banks.map((it) => it.bank.bank_id)])).toEqual([
			['open', [2, 3]],
			['before', [1]]
		]);
	});

	it('are told apart when banks open together and close at different times', () => {
		const longer = { ...before, closes_at: '2026-12-01T00:00:00Z' };
		const cards = windowCards([bank(1, before), bank(2, longer)], opens);
		expect(cards).toHaveLength(2);
		expect(new Set(cards.map(({ key }) => key)).size).toBe(2);
	});

	it('say once that there is none', () => {
		const cards = windowCards([bank(1, { state: 'none' }), bank(2, { state: 'none' })], 0);
		expect(cards.map(({ state }) => state)).toEqual(['none']);
		expect(windowCards([], 0)).toEqual([]);
	});

	it('prefer one that is over to none at all', () => {
		expect(windowCards([bank(1, { state: 'none' }), bank(2, before)], closes).map(({ state }) => state)).toEqual([
			'after'
		]);
	});
});

it('the next turn is the next opening or closing', () => {
	expect(nextTurn([bank(1, before)], opens - 5)).toBe(opens);
	expect(nextTurn([bank(1, before)], opens)).toBe(closes);
	expect(nextTurn([bank(1, before)], closes)).toBeUndefined();
});
