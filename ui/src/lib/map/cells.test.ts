import { describe, expect, it } from 'vitest';
import { Cells, type Frame } from './cells.svelte';

const cell = (locker: number, col = 1, row = 1) => ({
	locker,
	number: String(locker),
	col,
	row,
	w: 1,
	h: 1,
	level: null,
	accessible: false
});

function bank(frame: Frame = (draw) => draw()): Cells {
	return new Cells([cell(101), cell(102, 2), cell(103, 3)], frame);
}

const looks = (cells: Cells): string[] => cells.list.map(({ look }) => look);

const said = (...states: [number, string][]) => states.map(([locker_id, state]) => ({ locker_id, state }));

describe('the cells of a bank', () => {
	it('are unknown until something was heard', () => {
		const cells = bank();
		expect(looks(cells)).toEqual(['unknown', 'unknown', 'unknown']);
		expect(cells.isKnown).toBe(false);
	});

	it('take a snapshot in place of all that was known', () => {
		const cells = bank();
		cells.snapshot(said([101, 'free'], [102, 'held'], [103, 'out_of_service']));
		expect(looks(cells)).toEqual(['free', 'held', 'out_of_service']);
		expect(cells.counts).toEqual({ lent: 2, free: 1, held: 1 });
		cells.snapshot(said([102, 'free']));
		expect(looks(cells)).toEqual(['unknown', 'free', 'unknown']);
		expect(cells.counts).toEqual({ lent: 1, free: 1, held: 0 });
	});

	it('gather changes and draw them once a frame, the last one wins', () => {
		const frames: (() => void)[] = [];
		const cells = bank((draw) => void frames.push(draw));
		cells.snapshot(said([101, 'free'], [102, 'free'], [103, 'free']));
		cells.delta(said([101, 'held']));
		cells.delta(said([101, 'taken'], [102, 'held']));
		expect(looks(cells)).toEqual(['free', 'free', 'free']);
		expect(frames).toHaveLength(1);
		frames[0]?.();
		expect(looks(cells)).toEqual(['taken', 'held', 'free']);
		expect(cells.counts).toEqual({ lent: 3, free: 1, held: 1 });
		cells.delta(said([103, 'held']));
		expect(frames).toHaveLength(2);
	});

	it('a snapshot makes changes void that were not drawn yet', () => {
		const frames: (() => void)[] = [];
		const cells = bank((draw) => void frames.push(draw));
		cells.delta(said([101, 'held']));
		cells.snapshot(said([101, 'free'], [102, 'free'], [103, 'free']));
		frames.forEach((draw) => draw());
		expect(looks(cells)).toEqual(['free', 'free', 'free']);
	});

	it('show what is one’s own before what the server says of it, and no longer than it is', () => {
		const cells = bank();
		cells.snapshot(said([101, 'held'], [102, 'taken'], [103, 'free']));
		cells.own({ held: [101], rented: [102] });
		expect(looks(cells)).toEqual(['my_hold', 'mine', 'free']);
		cells.delta(said([101, 'free']));
		expect(looks(cells)[0]).toBe('my_hold');
		cells.own({ held: [], rented: [102] });
		expect(looks(cells)).toEqual(['free', 'mine', 'free']);
	});

	it('pass over lockers of other banks and words that they do not know', () => {
		const cells = bank();
		cells.snapshot(said([101, 'free'], [999, 'free'], [102, 'on_fire']));
		expect(looks(cells)).toEqual(['free', 'unknown', 'unknown']);
		expect(cells.find(999)).toBeUndefined();
		expect(cells.find(101)?.index).toBe(0);
	});
});
