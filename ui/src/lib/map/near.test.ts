import { expect, it } from 'vitest';
import { nearest } from './near';

const at = (number: number, col: number, row: number, w = 1, h = 1) => ({ number, col, row, w, h });

it('counts steps, not numbers', () => {
	const from = at(101, 1, 1);
	const cells = [from, at(102, 9, 1), at(150, 1, 2), at(160, 2, 2), at(170, 3, 1)];
	expect(nearest(from, cells, 3).map(({ number }) => number)).toEqual([150, 160, 170]);
});

it('measures from edge to edge: a wide cell beside is near', () => {
	const from = at(101, 1, 1);
	const wide = at(102, 2, 1, 6, 1);
	const small = at(103, 3, 1);
	expect(nearest(from, [small, wide], 2)).toEqual([wide, small]);
});

it('gives what there is', () => {
	expect(nearest(at(1, 1, 1), [], 3)).toEqual([]);
});
