import { describe, expect, it } from 'vitest';
import { outcomesOf } from './outcomes';

describe('how openings ended', () => {
	it('counts as seen only what a sensor saw, of those with a result', () => {
		const found = outcomesOf({ opened: 5, already_open: 1, unseen: 3, under_way: 2, refused: 0 });
		expect(found.seen).toBe(6);
		expect(found.decided).toBe(9);
		expect(found.rows.map(({ outcome }) => outcome)).toEqual(['opened', 'unseen', 'under_way', 'already_open']);
	});
	it('is nothing of nothing', () => {
		expect(outcomesOf({})).toEqual({ rows: [], decided: 0, seen: 0 });
	});
});
