import { describe, expect, it } from 'vitest';
import { newStep, nextOf, othersOf, placeOf, sealsOn, wordOf, type CaseDetail } from './chain';

const detail = (...states: string[]): CaseDetail =>
	({
		case_id: 1,
		state: states.at(-1),
		ended_on: '2026-11-22',
		steps: states.map((state, at) => ({ state, at: `2026-11-23T0${at}:00:00Z` }))
	}) as unknown as CaseDetail;

describe('the chain of an overdue case', () => {
	it('has one next step', () => {
		expect(nextOf({ state: 'detected', returning: false })).toBe('seal');
		expect(nextOf({ state: 'sealed', returning: false })).toBe('collect');
		expect(nextOf({ state: 'collected', returning: false })).toBe('handBack');
		expect(nextOf({ state: 'handed_back', returning: false })).toBe('none');
	});
	it('waits for the look inside when it was given back', () => {
		expect(nextOf({ state: 'sealed', returning: true })).toBe('return');
		expect(nextOf({ state: 'collected', returning: true })).toBe('handBack');
	});
	it('is left by what was dropped or returned', () => {
		expect(placeOf('collected')).toBe(2);
		expect(placeOf('dropped')).toBe(-1);
		expect(othersOf('sealed')).toEqual(['unseal', 'drop']);
		expect(othersOf('handed_back')).toEqual([]);
	});
	it('calls the way back from the seal by its own word', () => {
		const { steps } = detail('detected', 'sealed', 'detected');
		expect([0, 1, 2].map((at) => wordOf(steps, at))).toEqual(['detected', 'sealed', 'unsealed']);
	});
	it('seals by itself only what nobody unsealed, and only on a day to come', () => {
		expect(sealsOn(detail('detected'), 3, '2026-11-23')).toBe('2026-11-25');
		expect(sealsOn(detail('detected'), null, '2026-11-23')).toBeUndefined();
		expect(sealsOn(detail('detected'), 3, '2026-11-26')).toBeUndefined();
		expect(sealsOn(detail('detected', 'sealed', 'detected'), 3, '2026-11-23')).toBeUndefined();
	});
	it('tells a step that came since, of the same case', () => {
		expect(newStep(detail('detected'), detail('detected', 'sealed'))).toBe(1);
		expect(newStep(detail('detected'), detail('detected'))).toBeUndefined();
		expect(newStep(undefined, detail('detected', 'sealed'))).toBeUndefined();
	});
});
