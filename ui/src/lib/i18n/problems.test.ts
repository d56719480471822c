import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Format } from '../format';
import type { Language } from './language';
import { problems as en } from './problems.en';
import { problems as ko } from './problems.ko';
import { Told, type ProblemText } from './problems.data';

const page = readFileSync(new URL('../../../../docs/ref/problems.md', import.meta.url), 'utf8');
const codes = [...page.matchAll(/^\| `(\w+)` \| \d{3} \|/gm)].map(([, code]) => code as string);
const catalogues: Record<Language, Record<string, ProblemText>> = { ko, en };

/** 1 March 2026, noon in Seoul. */
const NOW = Date.parse('2026-03-01T03:00:00Z');

function said(language: Language, code: string, data: Record<string, unknown> = {}): string {
	const text = catalogues[language][code];
	if (text === undefined) throw new Error(`no text for ${code}`);
	return typeof text === 'string' ? text : text(new Told(data, new Format(language, 'Asia/Seoul', () => NOW)));
}

describe('the texts of refusals', () => {
	it('are there for each code of the reference, and for no other', () => {
		expect(codes.length).toBeGreaterThan(120);
		for (const language of ['ko', 'en'] as const) expect(Object.keys(catalogues[language]).sort()).toEqual([...codes].sort());
	});

	it.each(['ko', 'en'] as const)('survive data that is missing or is not what it should be, in %s', (language) => {
		const fields = ['detail', 'retry_after_ms', 'tries_left', 'bank_id', 'locker_id', 'offered_locker_id', 'reason', 'until'];
		const more = ['ends_on', 'starts_on', 'window', 'opens_at', 'full_days', 'mode', 'option', 'from', 'server_time', 'leavers'];
		const others = ['acknowledged_at', 'held_for_ms', 'ended_on', 'check_in_until', 'days_max', 'reservations_max', 'request_id'];
		const all = [...fields, ...more, ...others, 'first_start_on', 'last_start_on', 'closed_on'];
		const given = [null, '', 'x', '2026-02-30', Number.NaN, 7, [], [1, 'y'], {}, { state: 'before' }, { state: 'after' }];
		for (const code of codes) {
			for (const value of [undefined, ...given]) {
				const text = said(language, code, Object.fromEntries(all.map((field) => [field, value])));
				expect(text, code).not.toMatch(/undefined|null|NaN|\[object|Invalid/);
				expect(text.length, code).toBeGreaterThan(10);
			}
		}
	});

	it('are in plain Korean: statements and requests, no word for soon, nothing but Korean where no data is', () => {
		for (const code of codes) {
			const text = said('ko', code);
			expect(text, code).toMatch(/(니다|세요)\.|\)$/);
			expect(text, code).not.toMatch(/[아어해여]요[.\s]|이미|즉시|곧 /);
			expect(said('en', code), code).not.toMatch(/[가-힣]/);
		}
	});

	it('tell what the refusal carries', () => {
		expect(said('ko', 'penalty', { until: '2026-03-09' })).toBe('늦은 반납으로 3월 9일(월)까지 신청할 수 없습니다.');
		expect(said('en', 'penalty', { until: '2026-03-09' })).toBe('You cannot apply until Mon 9 Mar because of a late return.');
		expect(said('ko', 'already_renting', { locker_id: 212 })).toBe('한 사람은 한 칸만 빌릴 수 있습니다. 지금 빌린 칸: 212번');
		expect(said('ko', 'presence_wrong', { tries_left: 2 })).toContain('(2번 더 시도할 수 있습니다)');
		expect(said('en', 'presence_wrong', { tries_left: 1 })).toContain('(1 try left)');
		expect(said('ko', 'presence_wrong', { tries_left: 98 })).not.toContain('98');
		expect(said('ko', 'presence_used', { retry_after_ms: 14_000 })).toBe('한 번 쓴 숫자입니다. 14초 뒤에 나오는 새 숫자를 써 주세요.');
		expect(said('ko', 'too_many_attempts', { retry_after_ms: 270_000 })).toBe('여러 번 틀려 4분 30초 동안 시도할 수 없습니다.');
		expect(said('en', 'too_many_attempts', { retry_after_ms: 3_600_000 })).toContain('ask staff');
		expect(said('ko', 'outside_window', { window: { state: 'before', opens_at: '2026-03-02T00:00:00Z' } })).toBe(
			'신청은 3월 2일(월) 09:00에 시작합니다.'
		);
		expect(said('ko', 'day_full', { full_days: ['2026-03-12', '2026-03-13'] })).toContain('3월 12일(목), 3월 13일(금)');
		expect(said('en', 'dates_refused', { reason: 'too_long', days_max: 1 })).toContain('1 day.');
		expect(said('en', 'password_weak', { reason: 'common' })).toContain('easy to guess');
		expect(said('ko', 'account_disabled', { reason: '분실 신고' })).toContain('사유: 분실 신고.');
	});

	it('tell a rental to come from one that is over', () => {
		const dates = { starts_on: '2026-04-03', ends_on: '2026-04-30' };
		expect(said('ko', 'outside_dates', dates)).toBe('지금은 열 수 없습니다: 대여가 4월 3일(금)에 시작합니다.');
		expect(said('ko', 'outside_dates', { starts_on: '2026-02-01', ends_on: '2026-02-20' })).toContain('2월 1일(일)–2월 20일(금)');
		expect(said('ko', 'outside_dates', { ...dates, check_in_until: '2026-04-04' })).toContain('4월 3일(금)부터');
		expect(said('en', 'outside_dates', { starts_on: '2026-02-27', check_in_until: '2026-02-28' })).toContain('by Sat 28 Feb');
	});
});
