import { describe, expect, it } from 'vitest';
import { dates as english } from '../i18n/dates.en';
import { dates as korean } from '../i18n/dates.ko';
import type { Problem } from '../api/problem';
import { reasonOf } from './reasons';

const refusal = (code: string, data: Record<string, unknown>): Parameters<typeof reasonOf>[0] => ({
	code,
	problem: { code, ...data } as unknown as Problem
});

describe('refusals about days', () => {
	it('are the reasons that the calendar knows', () => {
		const window = { first_start_on: '2026-03-03', last_start_on: '2026-04-01', days_max: 7 };
		const of = (reason: string, more = {}): ReturnType<typeof reasonOf> =>
			reasonOf(refusal('dates_refused', { reason, ...window, ...more }));
		expect(of('too_early')).toEqual({ kind: 'early', first: '2026-03-03' });
		expect(of('too_far')).toEqual({ kind: 'far', last: '2026-04-01' });
		expect(of('too_long')).toEqual({ kind: 'most', most: 7 });
		expect(of('closed', { closed_on: '2026-03-14' })).toEqual({ kind: 'closed', day: '2026-03-14' });
		expect(reasonOf(refusal('day_full', { full_days: ['2026-03-12', '2026-03-13'] }))).toEqual({
			kind: 'full',
			day: '2026-03-12'
		});
	});

	it('are left to the common texts when they say too little', () => {
		expect(reasonOf(refusal('dates_refused', { reason: 'closed' }))).toBeUndefined();
		expect(reasonOf(refusal('dates_refused', { reason: 'too_long', days_max: null }))).toBeUndefined();
		expect(reasonOf(refusal('day_full', { full_days: [] }))).toBeUndefined();
		expect(reasonOf(refusal('penalty', { reason: 'too_far', last_start_on: '2026-04-01' }))).toBeUndefined();
	});
});

describe('the one line about ends', () => {
	it('is the sentence of the specification', () => {
		const full = { kind: 'full', day: '2026-03-12' } as const;
		expect(korean.limit(full, '2026-03-11')).toBe('3월 12일이 만석이라 11일까지 예약할 수 있습니다.');
		expect(english.limit(full, '2026-03-11')).toBe('12 Mar is full, so you can book until the 11th.');
		expect(korean.justFull('2026-03-12')).toBe('방금 3월 12일이 마감되었습니다. 날짜를 바꿔 주세요.');
		expect(english.justFull('2026-03-12')).toBe('12 Mar has just become full. Please change the dates.');
	});

	it('names the month where it is another one', () => {
		const full = { kind: 'full', day: '2026-04-01' } as const;
		expect(korean.limit(full, '2026-03-31')).toBe('4월 1일이 만석이라 3월 31일까지 예약할 수 있습니다.');
		expect(english.limit(full, '2026-03-31')).toBe('1 Apr is full, so you can book until 31 Mar.');
	});

	it('counts in English as people do', () => {
		const until = (last: string): string => english.limit({ kind: 'full', day: '2026-03-29' }, last);
		expect(until('2026-03-01')).toContain('the 1st.');
		expect(until('2026-03-22')).toContain('the 22nd.');
		expect(until('2026-03-13')).toContain('the 13th.');
		expect(until('2026-03-23')).toContain('the 23rd.');
	});
});
