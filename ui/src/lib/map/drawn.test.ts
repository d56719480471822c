import { expect, test } from 'vitest';
import { Cells } from './cells.svelte';
import { shelves } from './drawn';

const at = (locker: number, col: number, row: number, w = 1, h = 1) => ({
	locker,
	number: String(locker),
	col,
	row,
	w,
	h,
	level: null,
	accessible: false
});

const drawn = (cells: ReturnType<typeof at>[], rows: number) =>
	shelves(new Cells(cells).list, rows).map((shelf) => shelf.map(({ cell, gap }) => [cell.id, gap]));

test('cells stand in their rows from the left, whatever their order by number', () => {
	expect(drawn([at(1, 2, 2), at(2, 1, 1), at(3, 1, 2), at(4, 2, 1)], 2)).toEqual([
		[[2, 0], [4, 0]],
		[[3, 0], [1, 0]]
	]);
});

test('a gap is what is free before a cell, after all that the one before takes', () => {
	expect(drawn([at(1, 2, 1, 2), at(2, 5, 1), at(3, 6, 1)], 1)).toEqual([[[1, 1], [2, 1], [3, 0]]]);
});

test('rows without cells stand, too, and a cell outside of all rows is left out', () => {
	expect(drawn([at(1, 1, 2), at(2, 1, 9)], 3)).toEqual([[], [[1, 0]], []]);
});
