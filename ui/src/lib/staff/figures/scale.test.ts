import { describe, expect, it } from 'vitest';
import { levelOf, pathOf, peak, percent, runs, shownLabels, ticks, xOf, yOf } from './scale';

const frame = { width: 120, height: 60, left: 10, right: 10, top: 10, bottom: 0 };

describe('ticks', () => {
	it('are round, whole and reach the largest value', () => {
		expect(ticks(100)).toEqual([0, 50, 100]);
		expect(ticks(37)).toEqual([0, 10, 20, 30, 40]);
		expect(ticks(3)).toEqual([0, 1, 2, 3]);
		expect(ticks(1)).toEqual([0, 1]);
		expect(ticks(1204)).toEqual([0, 500, 1000, 1500]);
	});
	it('stand also where there is nothing', () => {
		expect(ticks(0)).toEqual([0, 1]);
	});
});

describe('a line', () => {
	it('breaks where nothing is known, and zero is something', () => {
		expect(runs([1, null, 0, 2, null])).toEqual([
			{ from: 0, values: [1] },
			{ from: 2, values: [0, 2] }
		]);
		expect(runs([null])).toEqual([]);
	});
	it('goes from edge to edge', () => {
		expect([xOf(0, 3, frame), xOf(1, 3, frame), xOf(2, 3, frame)]).toEqual([10, 60, 110]);
		expect(xOf(0, 1, frame)).toBe(60);
		expect([yOf(0, 4, frame), yOf(4, 4, frame)]).toEqual([60, 10]);
		expect(pathOf([0, 4, null, 4], 4, frame)).toBe('M10.0 60.0L43.3 10.0M110.0 10.0h0.1');
	});
});

describe('what stands around', () => {
	it('shows labels at even distances', () => {
		expect(shownLabels(30, 5)).toEqual([0, 6, 12, 18, 24]);
		expect(shownLabels(3, 5)).toEqual([0, 1, 2]);
		expect(shownLabels(0, 5)).toEqual([]);
	});
	it('has no share of nothing', () => {
		expect(percent(0, 0)).toBeNull();
		expect(percent(1, 3)).toBe(33);
		expect(percent(1, 200)).toBe(0.5);
		expect(percent(0, 7)).toBe(0);
	});
	it('shows the smallest count stronger than none', () => {
		expect([levelOf(0, 100), levelOf(1, 100), levelOf(100, 100)]).toEqual([0, 1, 5]);
	});
	it('finds the largest, if there is any', () => {
		expect(peak([0, 3, 3])).toBe(1);
		expect(peak([0, 0])).toBeUndefined();
	});
});
