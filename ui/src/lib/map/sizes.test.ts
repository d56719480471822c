import { expect, it } from 'vitest';
import { PITCHES, first, fitting, isTiny, step } from './sizes';

it('fits the width between what can be hit and what is large', () => {
	expect(fitting(3, 22)).toBe(PITCHES[2]);
	expect(fitting(100, 22)).toBe(PITCHES[0]);
	expect(fitting(8, 22)).toBeCloseTo(2.53, 1);
});

it('begins with numbers', () => {
	expect(first(3, 22)).toBe(PITCHES[2]);
	expect(first(40, 22)).toBe(PITCHES[1]);
});

it('steps through the sizes from wherever it is', () => {
	expect(step(2.5, 1)).toBe(PITCHES[1]);
	expect(step(2.5, -1)).toBe(PITCHES[0]);
	expect(step(PITCHES[1], 1)).toBe(PITCHES[2]);
	expect(step(PITCHES[2], 1)).toBe(PITCHES[2]);
	expect(step(PITCHES[0], -1)).toBe(PITCHES[0]);
	expect(isTiny(PITCHES[0])).toBe(true);
	expect(isTiny(PITCHES[1])).toBe(false);
});
