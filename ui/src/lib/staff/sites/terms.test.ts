import { describe, expect, it } from 'vitest';
import { Refusal, type Problem } from '../../api/problem';
import { Format } from '../../format';
import { emptyTerm, refusedTerm, termBody, termChange, termDraft, wrongTerm, type Term } from './terms';

const format = new Format('ko', 'Asia/Seoul', () => Date.parse('2026-03-01T00:00:00Z'));
const term: Term = {
	term_id: 1,
	name: { ko: '1학기', en: '1학기' },
	state: 'before',
	opens_at: '2026-03-01T23:30:30Z',
	closes_at: '2026-03-06T09:00:00Z',
	starts_on: '2026-03-02',
	ends_on: '2026-06-19',
	location_id: 3,
	bank_id: null,
	retired_at: null
};

describe('a term in a form', () => {
	it('has the days and times of the site', () => {
		const draft = termDraft(term, format);
		expect(draft).toMatchObject({ opensDay: '2026-03-02', opensTime: '08:30', closesTime: '18:00', scope: 'location:3', en: '' });
	});

	it('is sent without an offset', () => {
		const draft = { ...termDraft(term, format), ko: ' 새 학기 ' };
		expect(termBody(draft)).toEqual({
			name: { ko: '새 학기', en: null },
			opens_at: '2026-03-02T08:30:00',
			closes_at: '2026-03-06T18:00:00',
			starts_on: '2026-03-02',
			ends_on: '2026-06-19',
			location_id: 3
		});
		expect(termBody({ ...draft, scope: 'site' })).not.toHaveProperty('location_id');
	});

	it('sends only what was changed', () => {
		const draft = termDraft(term, format);
		expect(termChange(draft, { ...draft })).toEqual({});
		expect(termChange(draft, { ...draft, closesTime: '19:00', en: 'Spring' })).toEqual({
			name: { ko: '1학기', en: 'Spring' },
			closes_at: '2026-03-06T19:00:00'
		});
	});

	it('tells what is the wrong way round', () => {
		const draft = termDraft(term, format);
		expect(wrongTerm(draft)).toEqual([]);
		expect(wrongTerm(emptyTerm).map(({ field }) => field)).toEqual(['opensDay', 'closesDay', 'startsOn', 'endsOn']);
		expect(wrongTerm({ ...draft, closesDay: '2026-03-02', closesTime: '08:30' })).toEqual([{ field: 'closesDay', kind: 'closesFirst' }]);
		expect(wrongTerm({ ...draft, endsOn: '2026-03-01' })).toEqual([{ field: 'endsOn', kind: 'endsFirst' }]);
		expect(wrongTerm({ ...draft, endsOn: '2026-03-02' })).toEqual([]);
		expect(wrongTerm({ ...draft, opensTime: '25:00' })).toEqual([{ field: 'opensTime', kind: 'wrongTime' }]);
	});
});

describe('a refusal of a term', () => {
	const refused = (problem: Record<string, unknown>): Refusal => new Refusal(409, { detail: '', ...problem } as unknown as Problem);
	it('stands at its field', () => {
		expect(refusedTerm(refused({ code: 'name_taken' }))?.field).toBe('name_ko');
		const granted = (detail: string): string | undefined => refusedTerm(refused({ code: 'term_granted', detail }))?.field;
		expect(granted('opens_at cannot change any more: …')).toBe('opensDay');
		expect(granted('closes_at cannot be set into the past: …')).toBe('closesDay');
		expect(granted('starts_on and ends_on cannot be …')).toBe('startsOn');
		const mistakes = [{ fields: ['hold_seconds', 'opens_at', 'closes_at'], text: '…' }];
		expect(refusedTerm(refused({ code: 'invalid', mistakes }))).toEqual({ field: 'closesDay', kind: 'tooShort' });
		expect(refusedTerm(refused({ code: 'invalid' }))).toBeUndefined();
	});
});
