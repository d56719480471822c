import { describe, expect, it } from 'vitest';
import { addDays } from '../format';
import {
	addMonths,
	cell,
	endLimit,
	endReason,
	lengthOf,
	move,
	press,
	readDay,
	spanReason,
	startReason,
	weeks,
	type Day,
	type Known
} from './month';

/** March 2026 (the 1st is a Sunday) and April, all with room but for what is said. */
function known(different: Record<string, Partial<Day>> = {}, more: Partial<Known> = {}): Known {
	const days = new Map<string, Day>();
	for (let day = '2026-03-01'; day <= '2026-04-30'; day = addDays(day, 1)) {
		days.set(day, { date: day, open: true, left: 6, ...different[day] });
	}
	const rules = { first_start_on: '2026-03-03', last_start_on: '2026-04-01', days_max: 7 };
	return { days, rules, mine: [], ...more };
}

describe('a month', () => {
	it('begins its weeks on Sunday or on Monday', () => {
		expect(weeks('2026-03', false)[0]?.[0]).toBe('2026-03-01');
		expect(weeks('2026-03', true)[0]).toEqual([...Array<undefined>(6).fill(undefined), '2026-03-01']);
		expect(weeks('2026-03', true)).toHaveLength(6);
		expect(weeks('2026-02', false)).toHaveLength(4);
	});

	it('has each of its days once', () => {
		for (const isMondayFirst of [false, true]) {
			const days = weeks('2028-02', isMondayFirst).flat().filter(Boolean);
			expect(days).toHaveLength(29);
			expect(new Set(days).size).toBe(29);
		}
	});

	it('knows its neighbours', () => {
		expect(addMonths('2026-12', 1)).toBe('2027-01');
		expect(addMonths('2026-01', -1)).toBe('2025-12');
		expect(lengthOf('2026-02')).toBe(28);
		expect(lengthOf('2026-12')).toBe(31);
	});
});

describe('keys', () => {
	it('go by days and weeks, over the ends of months', () => {
		expect(move('2026-03-01', 'ArrowLeft', false)).toBe('2026-02-28');
		expect(move('2026-03-31', 'ArrowRight', false)).toBe('2026-04-01');
		expect(move('2026-03-28', 'ArrowDown', false)).toBe('2026-04-04');
		expect(move('2026-03-04', 'ArrowUp', false)).toBe('2026-02-25');
	});

	it('go to the ends of the week as it is shown', () => {
		expect(move('2026-03-04', 'Home', false)).toBe('2026-03-01');
		expect(move('2026-03-04', 'End', false)).toBe('2026-03-07');
		expect(move('2026-03-04', 'Home', true)).toBe('2026-03-02');
		expect(move('2026-03-01', 'End', true)).toBe('2026-03-01');
	});

	it('go to the same day of the next month, or its last', () => {
		expect(move('2026-01-31', 'PageDown', false)).toBe('2026-02-28');
		expect(move('2026-03-15', 'PageUp', false)).toBe('2026-02-15');
		expect(move('2026-03-15', 'x', false)).toBeUndefined();
	});
});

describe('typed days', () => {
	it('are taken as people write them', () => {
		for (const text of ['2026-03-02', '20260302', '2026. 3. 2.', '2026.3.2', ' 2026/03/02 ']) {
			expect(readDay(text), text).toBe('2026-03-02');
		}
	});

	it('must be days', () => {
		for (const text of ['', '2026-02-30', '3월 2일', '2026-3', '2026-13-01', '02-03-2026']) {
			expect(readDay(text), text).toBeUndefined();
		}
	});
});

describe('a start', () => {
	it('lies in the window', () => {
		expect(startReason('2026-03-02', known())).toEqual({ kind: 'early', first: '2026-03-03' });
		expect(startReason('2026-03-03', known())).toBeUndefined();
		expect(startReason('2026-04-01', known())).toBeUndefined();
		expect(startReason('2026-04-02', known())).toEqual({ kind: 'far', last: '2026-04-01' });
	});

	it('is neither full nor closed nor mine', () => {
		const it = known(
			{ '2026-03-10': { left: 0 }, '2026-03-11': { open: false } },
			{ mine: [{ starts_on: '2026-03-12', ends_on: '2026-03-13' }] }
		);
		expect(startReason('2026-03-10', it)).toEqual({ kind: 'full', day: '2026-03-10' });
		expect(startReason('2026-03-11', it)).toEqual({ kind: 'closed', day: '2026-03-11' });
		expect(startReason('2026-03-13', it)).toEqual({ kind: 'mine', day: '2026-03-13' });
		expect(startReason('2026-03-14', it)).toBeUndefined();
	});

	it('is not promised while nobody knows the room', () => {
		expect(startReason('2026-03-10', known({ '2026-03-10': { left: null } }))).toEqual({ kind: 'unknown' });
		expect(startReason('2026-03-10', known({}, { rules: undefined }))).toEqual({ kind: 'unknown' });
	});
});

describe('an end', () => {
	it('is bound by the longest duration, first and last day counted', () => {
		const limit = endLimit('2026-03-10', known());
		expect(limit).toEqual({ last: '2026-03-16', reason: { kind: 'long', most: 7, last: '2026-03-16' } });
		expect(endReason('2026-03-10', '2026-03-16', known())).toBeUndefined();
		expect(endReason('2026-03-10', '2026-03-17', known())?.kind).toBe('long');
	});

	it('is bound by the first full day, closed or not', () => {
		const full = { '2026-03-12': { left: 0, open: false }, '2026-03-14': { left: 0 } };
		expect(endLimit('2026-03-10', known(full))).toEqual({
			last: '2026-03-11',
			reason: { kind: 'full', day: '2026-03-12' }
		});
		expect(endReason('2026-03-10', '2026-03-13', known(full))).toEqual({ kind: 'full', day: '2026-03-12' });
	});

	it('lets closed days lie between but is none', () => {
		const it = known({ '2026-03-11': { open: false } });
		expect(endReason('2026-03-10', '2026-03-11', it)).toEqual({ kind: 'closed', day: '2026-03-11' });
		expect(endReason('2026-03-10', '2026-03-12', it)).toBeUndefined();
	});

	it('may lie behind the last start', () => {
		expect(spanReason('2026-04-01', '2026-04-07', known())).toBeUndefined();
	});

	it('does not come before the start', () => {
		expect(spanReason('2026-03-10', '2026-03-09', known())).toEqual({ kind: 'backwards' });
	});
});

describe('pressing days', () => {
	it('chooses the first, then the last, then begins anew', () => {
		const first = press({}, '2026-03-10', known());
		expect(first).toEqual({ choice: { from: '2026-03-10' } });
		const both = press({ from: '2026-03-10' }, '2026-03-12', known());
		expect(both).toEqual({ choice: { from: '2026-03-10', to: '2026-03-12' } });
		const anew = press({ from: '2026-03-10', to: '2026-03-12' }, '2026-03-11', known());
		expect(anew).toEqual({ choice: { from: '2026-03-11' } });
	});

	it('takes one day alone, and an earlier one as another start', () => {
		expect(press({ from: '2026-03-10' }, '2026-03-10', known())).toEqual({
			choice: { from: '2026-03-10', to: '2026-03-10' }
		});
		expect(press({ from: '2026-03-10' }, '2026-03-05', known())).toEqual({ choice: { from: '2026-03-05' } });
	});

	it('says why nothing happens', () => {
		const it = known({ '2026-03-12': { left: 0 } });
		expect(press({}, '2026-03-12', it)).toEqual({ reason: { kind: 'full', day: '2026-03-12' } });
		expect(press({ from: '2026-03-10' }, '2026-03-13', it)).toEqual({ reason: { kind: 'full', day: '2026-03-12' } });
	});
});

describe('a cell', () => {
	it('keeps its word while another start greys it', () => {
		const it = known({ '2026-03-12': { left: 2 } });
		expect(cell('2026-03-20', { from: '2026-03-10' }, it)).toMatchObject({ state: 'free', reason: { kind: 'long' } });
		expect(cell('2026-03-12', {}, it)).toMatchObject({ state: 'free', left: 2, reason: undefined });
	});

	it('shows its part of the choice', () => {
		const choice = { from: '2026-03-10', to: '2026-03-12' };
		const parts = ['09', '10', '11', '12', '13'].map((day) => cell(`2026-03-${day}`, choice, known()).part);
		expect(parts).toEqual([undefined, 'from', 'within', 'to', undefined]);
		expect(cell('2026-03-10', { from: '2026-03-10', to: '2026-03-10' }, known()).part).toBe('only');
	});

	it('tells full, closed and mine apart from what nobody can reserve', () => {
		const it = known(
			{ '2026-03-10': { left: 0 }, '2026-03-11': { open: false } },
			{ mine: [{ starts_on: '2026-03-12', ends_on: '2026-03-12' }] }
		);
		const states = ['02', '10', '11', '12'].map((day) => cell(`2026-03-${day}`, {}, it).state);
		expect(states).toEqual(['out', 'full', 'closed', 'mine']);
		expect(cell('2026-04-07', {}, it).state).toBe('free');
		expect(cell('2026-04-08', {}, it).state).toBe('out');
	});
});
