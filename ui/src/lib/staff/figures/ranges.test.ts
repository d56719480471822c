import { describe, expect, it } from 'vitest';
import { daysOf, mistakeOf } from './ranges';

const none = { from: '', to: '' };
const today = '2026-11-22';

describe('the days of figures', () => {
	it('are the usual ranges, today included', () => {
		expect(daysOf('today', none, today, [])).toEqual({ from: today, to: today });
		expect(daysOf('week', none, today, [])).toEqual({ from: '2026-11-16', to: today });
		expect(daysOf('month', none, today, [])).toEqual({ from: '2026-10-24', to: today });
		expect(daysOf('nonsense', none, today, [])).toEqual({ from: '2026-10-24', to: today });
	});
	it('are those of the term that began last', () => {
		const terms = [
			{ starts_on: '2026-03-02', ends_on: '2026-06-19' },
			{ starts_on: '2026-09-01', ends_on: '2026-12-18' },
			{ starts_on: '2027-03-02', ends_on: '2027-06-18' }
		];
		expect(daysOf('term', none, today, terms)).toEqual({ from: '2026-09-01', to: today });
		expect(daysOf('term', none, '2026-07-01', terms)).toEqual({ from: '2026-03-02', to: '2026-06-19' });
		expect(daysOf('term', none, '2026-01-01', terms)).toBeUndefined();
	});
	it('never are more than the server counts', () => {
		const long = [{ starts_on: '2025-01-01', ends_on: '2027-01-01' }];
		expect(daysOf('term', none, today, long)?.from).toBe('2025-10-19');
		expect(mistakeOf('2025-10-19', today, today)).toBeUndefined();
		expect(mistakeOf('2025-10-18', today, today)).toBe('long');
	});
	it('are not those that make no sense', () => {
		expect(mistakeOf('', today, today)).toBe('missing');
		expect(mistakeOf(today, '2026-11-21', today)).toBe('order');
		expect(mistakeOf('2026-11-23', '2026-11-24', today)).toBe('future');
		expect(daysOf('own', { from: today, to: '2026-11-21' }, today, [])).toBeUndefined();
	});
});
