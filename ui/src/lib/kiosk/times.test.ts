import { describe, expect, it } from 'vitest';
import { goodCodes, inThrees, isReloadDue, nextTurnMs, secondsLeft, type Code } from './times';

const NOW = Date.parse('2026-09-01T00:00:00Z');
const code = (leftMs: number): Code => ({
	bank_id: 1,
	code: '123456',
	valid_until: new Date(NOW + leftMs).toISOString()
});

describe('codes', () => {
	it('are shown as long as they are good, and not a moment longer', () => {
		expect(goodCodes([code(1)], NOW)).toHaveLength(1);
		expect(goodCodes([code(0), code(-5000)], NOW)).toEqual([]);
		expect(goodCodes([{ ...code(1), valid_until: 'never' }], NOW)).toEqual([]);
	});

	it('say how many seconds are left', () => {
		expect(secondsLeft(code(29_001), NOW)).toBe(30);
		expect(secondsLeft(code(-1), NOW)).toBe(0);
	});

	it('are read in threes', () => {
		expect(inThrees('123456')).toBe('123 456');
		expect(inThrees('12345678')).toBe('123 456 78');
		expect(inThrees('')).toBe('');
	});
});

describe('the next turn', () => {
	it('comes with the next sign of life, or when a code ends', () => {
		expect(nextTurnMs([code(30_000)], NOW, 0)).toBe(10_000);
		expect(nextTurnMs([code(30_000), code(3000)], NOW, 0)).toBe(3150);
		expect(nextTurnMs([], NOW, 4000)).toBe(6000);
	});

	it('never comes without a pause', () => {
		expect(nextTurnMs([code(-9000)], NOW, 0)).toBeGreaterThan(100);
		expect(nextTurnMs([], NOW, 60_000)).toBeGreaterThan(100);
	});
});

describe('the nightly reload', () => {
	it('comes at four, once', () => {
		const day = 24 * 3_600_000;
		expect(isReloadDue('03:59', day)).toBe(false);
		expect(isReloadDue('04:00', day)).toBe(true);
		expect(isReloadDue('04:59', 59 * 60_000)).toBe(false);
		expect(isReloadDue('05:00', day)).toBe(false);
		expect(isReloadDue('14:04', day)).toBe(false);
	});
});
