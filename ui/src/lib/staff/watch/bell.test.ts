import { describe, expect, it } from 'vitest';
import { Bell } from './bell';

describe('the bell', () => {
	it('is silent for what stood before', () => {
		const bell = new Bell();
		expect(bell.shown([1, 2])).toBe(false);
		expect(bell.told([2])).toBe(false);
		expect(bell.told([3])).toBe(true);
		expect(bell.told([3])).toBe(false);
	});
	it('rings for the very first alarm', () => {
		const bell = new Bell();
		expect(bell.shown([])).toBe(false);
		expect(bell.told([1])).toBe(true);
	});
	it('rings for a change when everything was shown to others on the page before', () => {
		expect(new Bell([4]).told([5])).toBe(true);
		expect(new Bell([4]).told([4])).toBe(false);
	});
	it('rings for what came while the connection was away', () => {
		const bell = new Bell();
		bell.shown([1]);
		expect(bell.shown([1, 2])).toBe(true);
		expect(bell.shown([1, 2])).toBe(false);
	});
});
