import { describe, expect, it } from 'vitest';
import { beginOf, endOf, instantOf, isTime } from './days';

describe('a day of the site', () => {
	it('begins at its midnight, not at that of UTC', () => {
		expect(beginOf('2026-03-02', 'UTC')).toBe('2026-03-02T00:00:00.000Z');
		expect(beginOf('2026-03-02', 'Asia/Seoul')).toBe('2026-03-01T15:00:00.000Z');
		expect(endOf('2026-03-02', 'Asia/Seoul')).toBe('2026-03-02T15:00:00.000Z');
		expect(beginOf('2026-03-02', 'America/Los_Angeles')).toBe('2026-03-02T08:00:00.000Z');
	});
	it('minds the change of the clocks', () => {
		expect(beginOf('2026-03-29', 'Europe/Berlin')).toBe('2026-03-28T23:00:00.000Z');
		expect(beginOf('2026-03-30', 'Europe/Berlin')).toBe('2026-03-29T22:00:00.000Z');
		expect(beginOf('2026-11-02', 'America/New_York')).toBe('2026-11-02T05:00:00.000Z');
	});
	it('is an hour shorter or longer when the clocks are changed', () => {
		const hours = (day: string): number =>
			(Date.parse(endOf(day, 'Europe/Berlin')) - Date.parse(beginOf(day, 'Europe/Berlin'))) / 3_600_000;
		expect(hours('2026-03-28')).toBe(24);
		expect(hours('2026-03-29')).toBe(23);
		expect(hours('2026-10-25')).toBe(25);
	});
});

describe('what a clock at the site shows', () => {
	it('is an instant', () => {
		expect(instantOf('2026-03-02', '00:00', 'Asia/Seoul')).toBe('2026-03-01T15:00:00.000Z');
		expect(instantOf('2026-01-15', '14:05', 'Europe/Berlin')).toBe('2026-01-15T13:05:00.000Z');
	});
	it('follows summer time on the day that it begins', () => {
		expect(instantOf('2026-03-29', '00:30', 'Europe/Berlin')).toBe('2026-03-28T23:30:00.000Z');
		expect(instantOf('2026-03-29', '12:00', 'Europe/Berlin')).toBe('2026-03-29T10:00:00.000Z');
	});
});

it('takes times of 24 hours only', () => {
	expect(['00:00', '14:05', '23:59'].every(isTime)).toBe(true);
	expect(['24:00', '9:05', '14:60', '', '2pm'].some(isTime)).toBe(false);
});
