import { describe, expect, it } from 'vitest';
import { penaltyQuery, penaltyState } from './penalty';

describe('a penalty', () => {
	const waived = { at: '2026-03-01T00:00:00Z', member_id: 2, reason: 'ill' };
	it('holds through its last day', () => {
		expect(penaltyState({ last_on: '2026-03-09', waived: null }, '2026-03-09')).toBe('live');
		expect(penaltyState({ last_on: '2026-03-09', waived: null }, '2026-03-10')).toBe('over');
	});
	it('is waived whatever the day', () => {
		expect(penaltyState({ last_on: '2026-03-09', waived }, '2026-03-01')).toBe('waived');
	});
	it('is asked for while it holds, all when wanted', () => {
		expect(penaltyQuery({ q: '', bank_id: '', which: '' })).toEqual({ live: true });
		expect(penaltyQuery({ q: '김', bank_id: '3', which: 'all' })).toEqual({ q: '김', bank_id: 3 });
		expect(penaltyQuery({ q: '', bank_id: 'x', which: 'all' })).toEqual({});
	});
});
