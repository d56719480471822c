import { describe, expect, it } from 'vitest';
import { beginOf, endOf } from './days';

describe('a day of the site', () => {
	it('begins at its midnight, not at that of UTC', () => {
		expect(beginOf('2026-03-02', 'Asia/Seoul')).toBe('2026-03-01T15:00:00.000Z');
		expect(endOf('2026-03-02', 'Asia/Seoul')).toBe('2026-03-02T15:00:00.000Z');
		expect(beginOf('2026-03-02', 'America/Los_Angeles')).toBe('2026-03-02T08:00:00.000Z');
	});
	it('is an hour shorter or longer when the clocks are changed', () => {
		const hours = (day: string): number =>
			(Date.parse(endOf(day, 'Europe/Berlin')) - Date.parse(beginOf(day, 'Europe/Berlin'))) / 3_600_000;
		expect(hours('2026-03-28')).toBe(24);
		expect(hours('2026-03-29')).toBe(23);
		expect(hours('2026-10-25')).toBe(25);
	});
});
