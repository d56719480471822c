import { describe, expect, it } from 'vitest';
import { Ground, Typed, seek, type Place } from './keys';

/*
 *   1   2   3   4
 * 1 [0] [1] [ 2 ]
 * 2 [3] [1]  .  [4]
 * 3 [5] [6]  .  [7]
 */
const ground = new Ground([
	{ col: 1, row: 1, w: 1, h: 1 },
	{ col: 2, row: 1, w: 1, h: 2 },
	{ col: 3, row: 1, w: 2, h: 1 },
	{ col: 1, row: 2, w: 1, h: 1 },
	{ col: 4, row: 2, w: 1, h: 1 },
	{ col: 1, row: 3, w: 1, h: 1 },
	{ col: 2, row: 3, w: 1, h: 1 },
	{ col: 4, row: 3, w: 1, h: 1 }
]);

const walk = (from: number, ...keys: string[]): number =>
	keys.reduce<Place>((place, key) => ground.move(place, key) ?? place, ground.place(from)).index;

describe('arrows', () => {
	it('go to what stands there', () => {
		expect(walk(0, 'ArrowRight')).toBe(1);
		expect(walk(0, 'ArrowDown')).toBe(3);
		expect(walk(6, 'ArrowUp')).toBe(1);
		expect(walk(6, 'ArrowLeft')).toBe(5);
	});

	it('step over a gap in the same row', () => {
		expect(walk(6, 'ArrowRight')).toBe(7);
		expect(walk(7, 'ArrowLeft')).toBe(6);
	});

	it('keep the row through a tall cell, there and back', () => {
		expect(walk(3, 'ArrowRight')).toBe(1);
		expect(walk(3, 'ArrowRight', 'ArrowLeft')).toBe(3);
		expect(walk(3, 'ArrowRight', 'ArrowRight')).toBe(4);
	});

	it('keep the column through a wide cell', () => {
		expect(walk(4, 'ArrowUp')).toBe(2);
		expect(walk(4, 'ArrowUp', 'ArrowDown')).toBe(4);
	});

	it('stay at the edge', () => {
		expect(walk(0, 'ArrowLeft')).toBe(0);
		expect(walk(0, 'ArrowUp')).toBe(0);
		expect(walk(7, 'ArrowRight')).toBe(7);
		expect(walk(7, 'ArrowDown')).toBe(7);
		expect(walk(2, 'ArrowRight')).toBe(2);
	});
});

describe('other keys', () => {
	it('Home and End go to the ends of the row, with Ctrl of the bank', () => {
		expect(walk(6, 'Home')).toBe(5);
		expect(walk(5, 'End')).toBe(7);
		expect(ground.move(ground.place(6), 'Home', true)?.index).toBe(0);
		expect(ground.move(ground.place(0), 'End', true)?.index).toBe(7);
	});

	it('PageDown goes five rows, or as far as there is something', () => {
		expect(walk(0, 'PageDown')).toBe(5);
		expect(walk(5, 'PageUp')).toBe(0);
		const tall = new Ground(Array.from({ length: 12 }, (_, row) => ({ col: 1, row: row + 1, w: 1, h: 1 })));
		expect(tall.move(tall.place(0), 'PageDown')?.index).toBe(5);
		expect(tall.move(tall.place(9), 'PageDown')?.index).toBe(11);
	});

	it('others do not move', () => {
		expect(ground.move(ground.place(0), 'a')).toBeUndefined();
	});
});

describe('the next one', () => {
	it('is looked for as one reads, round the end', () => {
		expect(ground.next(1, (index) => index === 4 || index === 0)).toBe(4);
		expect(ground.next(7, (index) => index === 4 || index === 0)).toBe(0);
		expect(ground.next(4, (index) => index === 4)).toBe(4);
		expect(ground.next(4, () => false)).toBeUndefined();
	});
});

describe('a number', () => {
	it('is found whole before it is found as a beginning', () => {
		expect(seek(['112', '11', '1'], '11')).toBe(1);
		expect(seek(['112', '113'], '11')).toBe(0);
		expect(seek(['112'], '9')).toBeUndefined();
		expect(seek(['112'], ' ')).toBeUndefined();
	});

	it('is typed digit by digit without long pauses', () => {
		const typed = new Typed();
		expect(typed.add('1', 0)).toBe('1');
		expect(typed.add('0', 900)).toBe('10');
		expect(typed.add('3', 2500)).toBe('3');
	});
});

it('a key is a move, a digit of a number, or the way to the next free one', () => {
	const cells = { numbers: () => ['101', '102', '103', '104', '105', '106', '107', '108'], isFree: (i: number) => i === 5 };
	const press = (key: string, code = '', ctrlKey = false): number | undefined =>
		ground.find({ key, code, ctrlKey }, ground.place(0), new Typed(), cells)?.index;
	expect(press('ArrowRight')).toBe(1);
	expect(press('1')).toBe(0);
	// With a Korean keyboard F writes another letter.
	expect(press('ㄹ', 'KeyF')).toBe(5);
	expect(press('f', 'KeyF', true)).toBeUndefined();
	expect(press('End', 'End', true)).toBe(7);
});

it('an empty bank leads nowhere', () => {
	const empty = new Ground([]);
	expect(empty.first).toBeUndefined();
	expect(empty.move({ index: 0, col: 1, row: 1 }, 'ArrowRight')).toBeUndefined();
});
