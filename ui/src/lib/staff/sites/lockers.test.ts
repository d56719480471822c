import { describe, expect, it } from 'vitest';
import { overlap, placeDraft, placeOf, rangeOf } from './lockers';

describe('a place', () => {
	const draft = { col: '2', row: '3', width: '1', height: '2' };
	it('comes back as it was', () => {
		expect(placeOf(draft)).toEqual({ col: 2, row: 3, width: 1, height: 2 });
		expect(placeOf(placeDraft({ col: 2, row: 3, width: 1, height: 2 }))).toEqual({ col: 2, row: 3, width: 1, height: 2 });
		expect(placeOf(placeDraft(null))).toBeNull();
	});
	it('is none with half of it, or beyond the grid', () => {
		expect(placeOf({ ...draft, col: '' })).toBeUndefined();
		expect(placeOf({ ...draft, row: '0' })).toBeUndefined();
		expect(placeOf({ ...draft, row: '200', height: '1' })).not.toBeUndefined();
		expect(placeOf({ ...draft, row: '200' })).toBeUndefined();
		expect(placeOf({ ...draft, width: '1.5' })).toBeUndefined();
	});
});

it('finds two that take the same cell', () => {
	const [one, two, three] = [
		{ id: 1, col: 1, row: 1, w: 2, h: 1 },
		{ id: 2, col: 3, row: 1, w: 1, h: 2 },
		{ id: 3, col: 2, row: 1, w: 1, h: 1 }
	] as const;
	expect(overlap([one, two])).toBeUndefined();
	expect(overlap([one, two, three])?.map(({ id }) => id)).toEqual([1, 3]);
});

it('reads a range of numbers', () => {
	expect(rangeOf('101', '')).toEqual({ from: 101, to: 101, count: 1 });
	expect(rangeOf(' 101 ', '124')?.count).toBe(24);
	expect(rangeOf('1', '500')?.count).toBe(500);
	for (const [from, to] of [['1', '501'], ['10', '9'], ['', '5'], ['-1', '5'], ['a', '']] as const) expect(rangeOf(from, to)).toBeUndefined();
});
