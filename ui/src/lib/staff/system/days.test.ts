import { describe, expect, it } from 'vitest';
import { instantOf, isTime, rfcOf } from './days';

describe('what a clock at the site shows', () => {
	it('is an instant', () => {
		expect(rfcOf('2026-03-02', '00:00', 'Asia/Seoul')).toBe('2026-03-01T15:00:00.000Z');
		expect(rfcOf('2026-01-15', '14:05', 'Europe/Berlin')).toBe('2026-01-15T13:05:00.000Z');
	});

	it('follows summer time on the day that it begins and ends', () => {
		expect(rfcOf('2026-03-29', '00:30', 'Europe/Berlin')).toBe('2026-03-28T23:30:00.000Z');
		expect(rfcOf('2026-03-29', '12:00', 'Europe/Berlin')).toBe('2026-03-29T10:00:00.000Z');
		expect(instantOf('2026-10-26', '00:00', 'Europe/Berlin') - instantOf('2026-10-25', '00:00', 'Europe/Berlin')).toBe(25 * 3_600_000);
	});
});

it('takes times of 24 hours only', () => {
	expect(['00:00', '14:05', '23:59'].every(isTime)).toBe(true);
	expect(['24:00', '9:05', '14:60', '', '2pm'].some(isTime)).toBe(false);
});
