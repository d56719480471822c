import { describe, expect, it } from 'vitest';
import { Format } from './format';

const NOW = Date.parse('2026-03-02T01:00:00Z');
const ko = new Format('ko', 'Asia/Seoul', () => NOW);
const en = new Format('en', 'Asia/Seoul', () => NOW);

describe('a phone number', () => {
	it('is grouped as people read it', () => {
		const written = {
			'01012345678': '010-1234-5678',
			'0111234567': '011-123-4567',
			'0212345678': '02-1234-5678',
			'021234567': '02-123-4567',
			'0311234567': '031-123-4567',
			'15881234': '1588-1234'
		};
		for (const [digits, shown] of Object.entries(written)) expect(ko.phone(digits)).toBe(shown);
	});

	it('that is written otherwise stays as it is', () => {
		for (const phone of ['02-123-4567', '+82 2 123 4567', '112', '12345678901234']) expect(ko.phone(phone)).toBe(phone);
	});
});

describe('times', () => {
	it('are those of the site', () => {
		expect(ko.instant('2026-03-01T15:30:00Z')).toBe('3월 2일(월) 00:30');
		expect(en.instant('2026-03-01T15:30:00Z')).toBe('Mon 2 Mar, 00:30');
		expect(ko.day('2027-01-04')).toBe('2027년 1월 4일(월)');
	});

	it('that are over are told by their age, then by their day', () => {
		const ago = (ms: number): string => ko.ago(NOW - ms);
		expect([ago(3000), ago(32_000), ago(300_000), ago(7_200_000)]).toEqual(['방금', '32초 전', '5분 전', '2시간 전']);
		expect(ago(12 * 3_600_000)).toBe('어제 22:00');
	});

	it('that run are told to the second', () => {
		expect([ko.countdown(725_000), ko.countdown(4_325_000)]).toEqual(['12:05', '1시간 12분 05초']);
		expect([ko.length(270_000), en.length(40_000)]).toEqual(['4분 30초', '40 s']);
	});
});
