import { describe, expect, it } from 'vitest';
import type { LiveAlarm } from '../alarms.svelte';
import { doorOf, openByBank } from './doors.svelte';
import { alarmsOf, answeringOf, byPlace, countOf, endingOn, inOrder, isOfKind, lookFor, marksOf, type Board } from './standing';

const alarm = (more: Partial<LiveAlarm>): LiveAlarm => ({
	alarm_id: 1,
	kind: 'forced_open',
	severity: 'critical',
	state: 'live',
	locker_id: null,
	bus: null,
	board: null,
	raised_at: '',
	last_seen_at: '',
	count: 1,
	escalated_at: null,
	cleared_at: null,
	bank_id: null,
	...more
});

describe('marks of a locker', () => {
	const wire = { bus: 'bus1', board: 0 };
	it('tell the alarm first', () => {
		expect(marksOf({ door: 'open', wire, hasAlarm: true, isSilent: false })).toEqual(['alarm', 'open']);
	});
	it('say of a silent board that it is silent, not that its doors are unknown', () => {
		expect(marksOf({ door: 'unknown', wire, hasAlarm: false, isSilent: true })).toEqual(['silent']);
		expect(marksOf({ door: 'unknown', wire, hasAlarm: false, isSilent: false })).toEqual(['unknown']);
	});
	it('are none where there is no electric lock', () => {
		expect(marksOf({ door: 'unknown', wire: undefined, hasAlarm: false, isSilent: true })).toEqual([]);
	});
});

describe('what staff see of a cell', () => {
	it('late hides taken alone', () => {
		expect(lookFor('taken', true)).toBe('late');
		expect(lookFor('out_of_service', true)).toBe('out_of_service');
		expect(lookFor('taken', false)).toBe('taken');
	});
});

describe('counts of a bank', () => {
	it('leave out of service what is not lent', () => {
		const counts = countOf(['free', 'taken', 'taken', 'held', 'out_of_service']);
		expect(counts).toEqual({ inService: 4, free: 1, held: 1, taken: 2, out: 1 });
	});
	it('are none while a state is missing', () => {
		expect(countOf(['free', undefined])).toBeUndefined();
		expect(countOf([])).toBeUndefined();
	});
});

describe('boards of a bank', () => {
	const boards = new Map<string, Board>([
		['bus1:0', { bus: 'bus1', board: 0, status: 'online', answeredAt: 5000 }],
		['bus1:1', { bus: 'bus1', board: 1, status: 'silent', answeredAt: 1000 }],
		['bus2:0', { bus: 'bus2', board: 0, status: 'silent', answeredAt: undefined }]
	]);
	it('tell the oldest answer', () => {
		expect(answeringOf(['bus1:0', 'bus1:1'], boards)).toEqual({ answering: 1, all: 2, last: 1000 });
	});
	it('tell that one was never heard of', () => {
		expect(answeringOf(['bus1:0', 'bus2:0'], boards).last).toBe('never');
		expect(answeringOf(['bus9:0'], boards)).toEqual({ answering: 0, all: 1, last: 'never' });
	});
	it('are none where there is no electric lock', () => {
		expect(answeringOf([], boards)).toEqual({ answering: 0, all: 0, last: undefined });
	});
});

describe('alarms of a bank', () => {
	const all = [
		alarm({ alarm_id: 1, bank_id: 1, locker_id: 101 }),
		alarm({ alarm_id: 2, bank_id: 2, locker_id: 201 }),
		alarm({ alarm_id: 3, bus: 'bus1', board: 1 }),
		alarm({ alarm_id: 4, bus: 'bus1' }),
		alarm({ alarm_id: 5, bus: 'bus12' })
	];
	const ids = (bank: number, boards: string[]): number[] => alarmsOf(all, bank, boards).map(({ alarm_id }) => alarm_id);
	it('are its own and those of its boards and ports', () => {
		expect(ids(1, ['bus1:0'])).toEqual([1, 4]);
		expect(ids(2, ['bus1:1'])).toEqual([2, 3, 4]);
		expect(ids(3, [])).toEqual([]);
	});
});

describe('small things', () => {
	it('only what ends that day is counted', () => {
		expect(endingOn([{ ends_on: '2026-11-20' }, { ends_on: '2026-11-22' }, { ends_on: '2026-11-23' }], '2026-11-22')).toBe(1);
	});
	it('places stand in the order of their words, numbers as numbers', () => {
		const banks = ['옆10', '옆2', '가'].map((nameText, bank_id) => ({ bank_id, nameText }));
		expect(byPlace(banks, 'ko').map(({ nameText }) => nameText)).toEqual(['가', '옆2', '옆10']);
	});
	it('doors are read, others are left', () => {
		expect(doorOf({ locker_id: 1, door: 'open', since: null }, 2)).toEqual([1, { door: 'open', since: undefined, bank: 2 }]);
		expect(doorOf({ locker_id: 1, door: 'ajar' }, 2)).toBeUndefined();
		const door = { door: 'open', since: undefined, bank: 2 } as const;
		expect([...openByBank([door, { ...door, door: 'closed' }])]).toEqual([[2, 1]]);
	});
});

describe('the rentals of a locker', () => {
	it('begin with whoever has it now', () => {
		const of = (state: string, starts_on: string) => ({ state, starts_on });
		const sorted = inOrder([
			of('reserved', '2026-01-01'),
			of('held', '2026-01-01'),
			of('returned', '2026-01-01'),
			of('active', '2026-09-01'),
			of('active', '2026-03-01')
		]);
		expect(sorted.map(({ state, starts_on }) => `${state} ${starts_on.slice(5, 7)}`)).toEqual([
			'active 03',
			'active 09',
			'returned 01',
			'held 01',
			'reserved 01'
		]);
	});
});

describe('the list of a bank', () => {
	it('shows late ones among those in use, and alone', () => {
		expect(isOfKind('taken', 'late', [])).toBe(true);
		expect(isOfKind('late', 'taken', [])).toBe(false);
	});
	it('an open door is no mark that somebody must look at', () => {
		expect(isOfKind('open', 'free', ['open'])).toBe(true);
		expect(isOfKind('marked', 'free', ['open'])).toBe(false);
		expect(isOfKind('marked', 'free', ['silent'])).toBe(true);
	});
});
