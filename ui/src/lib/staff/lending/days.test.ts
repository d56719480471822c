import { describe, expect, it } from 'vitest';
import { startOf } from './days';

describe('the beginning of a day', () => {
	it('is that of the site', () => {
		expect(startOf('2026-03-02', 'Asia/Seoul')).toBe('2026-03-01T15:00:00.000Z');
		expect(startOf('2026-03-02', 'UTC')).toBe('2026-03-02T00:00:00.000Z');
	});
	it('minds the change of the clocks', () => {
		expect(startOf('2026-03-29', 'Europe/Berlin')).toBe('2026-03-28T23:00:00.000Z');
		expect(startOf('2026-03-30', 'Europe/Berlin')).toBe('2026-03-29T22:00:00.000Z');
		expect(startOf('2026-11-02', 'America/New_York')).toBe('2026-11-02T05:00:00.000Z');
	});
});
