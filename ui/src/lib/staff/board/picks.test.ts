import { describe, expect, it } from 'vitest';
import { Cells, type Cell } from '../../map/cells.svelte';
import { Picks } from './picks.svelte';

const cells = new Cells(
	[101, 102, 103, 104].map((locker, at) => ({
		locker,
		number: String(locker),
		col: (at % 2) + 1,
		row: Math.floor(at / 2) + 1,
		w: 1,
		h: 1,
		accessible: false
	})) as never,
	() => {}
);
const at = (id: number): Cell => cells.find(id) as Cell;
const keys = { shiftKey: false, ctrlKey: false, metaKey: false };
const picked = (picks: Picks): number[] => [...picks.ids].sort();

describe('a click on a cell', () => {
	it('without keys is none of the picks', () => {
		const picks = new Picks();
		expect(picks.click(at(101), cells, keys, undefined)).toBe(false);
		expect(picks.isOn).toBe(false);
	});
	it('with Ctrl begins with the locker that was looked at', () => {
		const picks = new Picks();
		expect(picks.click(at(103), cells, { ...keys, ctrlKey: true }, 101)).toBe(true);
		expect(picks.isOn).toBe(true);
		expect(picked(picks)).toEqual([101, 103]);
		picks.click(at(101), cells, { ...keys, metaKey: true }, undefined);
		expect(picked(picks)).toEqual([103]);
	});
	it('with Shift picks the rectangle from the last one', () => {
		const picks = new Picks();
		picks.turn(101);
		picks.click(at(104), cells, { ...keys, shiftKey: true }, undefined);
		expect(picked(picks)).toEqual([101, 102, 103, 104]);
	});
	it('with Shift and nothing before it is a pick', () => {
		const picks = new Picks();
		picks.click(at(102), cells, { ...keys, shiftKey: true }, undefined);
		expect(picked(picks)).toEqual([102]);
	});
});

it('forgets everything when it stops, and keeps what it is told to', () => {
	const picks = new Picks();
	picks.begin();
	picks.add([101, 102, 103]);
	picks.keep([102, 104]);
	expect(picked(picks)).toEqual([102]);
	picks.stop();
	expect([picks.isOn, picks.count]).toEqual([false, 0]);
	picks.click(at(104), cells, { ...keys, shiftKey: true }, undefined);
	expect(picked(picks)).toEqual([104]);
});
