import { describe, expect, it } from 'vitest';
import { bodyOf, csvOf, isTyped, mistakesOf, progressOf, type BulkDraft } from './bulk';

const draft: BulkDraft = {
	where: 'bank',
	bank: '3',
	location: '',
	which: 'before',
	term: '',
	before: '2026-08-31',
	reason: ' 학기 끝 '
};

describe('ending many rentals', () => {
	it('says what is missing', () => {
		expect(mistakesOf(draft, '2026-11-22')).toEqual([]);
		expect(mistakesOf({ ...draft, bank: '', reason: ' ' }, '2026-11-22')).toEqual(['bank', 'reason']);
		expect(mistakesOf({ ...draft, before: '2026-11-23' }, '2026-11-22')).toEqual(['day']);
		expect(mistakesOf({ ...draft, before: '2026-02-30' }, '2026-11-22')).toEqual(['day']);
		expect(mistakesOf({ ...draft, which: 'term' }, '2026-11-22')).toEqual(['term']);
	});
	it('means only what was chosen', () => {
		expect(bodyOf(draft)).toEqual({ bank_id: 3, ended_before: '2026-08-31', reason: '학기 끝' });
		const other = { ...draft, where: 'location', location: '2', which: 'term', term: '5' } as const;
		expect(bodyOf(other)).toEqual({ location_id: 2, term_id: 5, reason: '학기 끝' });
	});
	it('goes only with the very number', () => {
		expect(isTyped(' 1,204 ', 1204)).toBe(true);
		expect(isTyped('1205', 1204)).toBe(false);
		expect(isTyped('', 0)).toBe(false);
	});
	it('makes a file without formulas', () => {
		expect(csvOf([['칸', 'a"b'], [101, '=1+1'], [-1, 'x,y']])).toBe(
			`\ufeff칸,"a""b"\r\n101,'=1+1\r\n-1,"x,y"\r\n`
		);
	});
});

describe('the progress of an order', () => {
	it('counts both ways a rental can end', () => {
		expect(progressOf({ state: 'running', found: 10, ended: 2, returned: 3 })).toEqual({ done: 5, otherwise: 0 });
	});
	it('tells what ended otherwise only when nothing is left to be done', () => {
		expect(progressOf({ state: 'done', found: 10, ended: 6, returned: 3 })).toEqual({ done: 9, otherwise: 1 });
		expect(progressOf({ state: 'done', found: 3, ended: 2, returned: 2 }).otherwise).toBe(0);
	});
});
