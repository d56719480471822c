import { expect, it } from 'vitest';
import { Cells } from './cells.svelte';
import { EVERYTHING, anyOf, choices, isNarrow, isWanted } from './filter';

const reply = (locker: number, rest: object = {}) => ({
	locker,
	number: String(locker),
	col: locker,
	row: 1,
	w: 1,
	h: 1,
	level: null as string | null,
	accessible: false,
	...rest
});

const cells = new Cells(
	[
		reply(1, { level: 'top' }),
		reply(2, { level: 'low', h: 2 }),
		reply(3, { level: 'low', accessible: true }),
		reply(4)
	],
	(draw) => draw()
);
cells.snapshot([1, 2, 3].map((locker_id) => ({ locker_id, state: 'free' })));

const wanted = (filter: object): number[] =>
	cells.list.filter((cell) => isWanted(cell, { ...EVERYTHING, ...filter })).map(({ id }) => id);

it('keeps what fits all wishes', () => {
	expect(wanted({})).toEqual([1, 2, 3, 4]);
	expect(wanted({ level: 'low' })).toEqual([2, 3]);
	expect(wanted({ level: 'low', size: '1x1' })).toEqual([3]);
	expect(wanted({ accessible: true })).toEqual([3]);
	expect(isNarrow({ ...EVERYTHING, free: true })).toBe(false);
	expect(isNarrow({ ...EVERYTHING, size: '1x2' })).toBe(true);
});

it('offers only what makes a difference', () => {
	expect(choices(cells.list)).toEqual({ levels: ['top', 'low'], sizes: ['1x1', '1x2'], accessible: true });
	expect(choices([reply(1)].map((cell) => ({ ...cell, level: undefined })))).toEqual({
		levels: [],
		sizes: [],
		accessible: false
	});
});

it('takes free ones by chance', () => {
	const ids = (chance: number, filter = EVERYTHING): number[] =>
		anyOf(cells.list, filter, () => chance).map(({ id }) => id);
	expect(ids(0)).toEqual([2, 3, 1]);
	expect(ids(0.99)).toEqual([1, 2, 3]);
	expect(ids(0.99, { ...EVERYTHING, level: 'low' })).toEqual([2, 3]);
});
