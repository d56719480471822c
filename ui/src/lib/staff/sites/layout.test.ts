import { describe, expect, it } from 'vitest';
import { arranged, drawing, linesOf, mapBody, overlapping, wrongLines, type Fixture } from './layout';
import type { Locker } from './lockers';

const locker = (locker_id: number, place: Locker['place'] = null): Locker => ({ locker_id, bank_id: 1, wire: null, in_service: true, reason: null, place, level: null, accessible: false });
const pillar: Fixture = { kind: 'pillar', col: 2, row: 1, w: 1, h: 2, label: null };
const lines = linesOf([locker(101, { col: 1, row: 1, width: 1, height: 2 }), locker(102), locker(103, { col: 3, row: 1 })]);

describe('a layout', () => {
	it('draws what has no place below', () => {
		const drawn = drawing(lines, [pillar]);
		expect([drawn.cols, drawn.rows, drawn.isComputed]).toEqual([3, 3, false]);
		expect(drawn.boxes.find((box) => box.locker === 102)).toMatchObject({ col: 1, row: 3 });
		expect(drawing(linesOf([locker(1), locker(2)]), [])).toMatchObject({ cols: 2, rows: 1, isComputed: true });
	});
	it('is sent without what has no place', () => {
		const body = mapBody(lines, [pillar], 'E');
		expect(body.cells.map((cell) => cell.locker)).toEqual([101, 103]);
		expect(body.cells[0]).toEqual({ locker: 101, col: 1, row: 1, w: 1, h: 2, level: null, accessible: false });
		expect(body.fixtures).toEqual([{ ...pillar, label: null }]);
		expect(body.front).toBe('E');
	});
	it('names what overlaps, fixtures too, and what is no place', () => {
		expect(overlapping(lines, [pillar])).toBeUndefined();
		const onPillar = linesOf([locker(101, { col: 2, row: 2 })]);
		expect(overlapping(onPillar, [pillar])?.map(({ key }) => key)).toEqual(['f0', 'l101']);
		const half = [{ ...lines[1]!, place: { col: '1', row: '', width: '1', height: '1' } }];
		expect(wrongLines(half)).toEqual([102]);
	});
	it('is laid out anew by number', () => {
		const places = arranged(lines, 2).map(({ place }) => `${place.col}/${place.row}`);
		expect(places).toEqual(['1/1', '2/1', '1/2']);
	});
});
