import { describe, expect, it } from 'vitest';
import { doorsOf, filtered } from './panel';
import type { Lock, State, Wired } from './server';

const lock = (number: number, more: Partial<Lock> = {}): Lock => ({
	lock: number,
	door: 'closed',
	latch: 'locked',
	jammed: false,
	burnt: false,
	forced: 0,
	...more
});

const state: State = {
	buses: [
		{
			name: 'bus1',
			unplugged: false,
			connected: true,
			boards: [{ board: 0, name: '0', locks: [lock(1), lock(2, { door: 'open', jammed: true })] }]
		},
		{ name: 'bus2', unplugged: true, connected: false, boards: [{ board: 1, name: 'twin', locks: [lock(1)] }] }
	]
};
const library = { ko: '도서관', en: 'Library' };
const union = { ko: '학생회관', en: 'Student Union' };
const wired: Wired[] = [
	{ locker: 101, place: library, bus: 'bus1', board: 0, lock: 1 },
	{ locker: 102, place: library, bus: 'bus1', board: 0, lock: 2 },
	{ locker: 201, place: union, bus: 'bus2', board: 1, lock: 1 }
];

describe('the doors of the panel', () => {
	it('stand by place, in the order of the site', () => {
		const groups = doorsOf(state, wired);
		expect(groups.map(({ place, doors }) => [place.en, doors.map(({ locker }) => locker)])).toEqual([
			['Library', [101, 102]],
			['Student Union', [201]]
		]);
	});

	it('say how they stand', () => {
		const [first, second, third] = doorsOf(state, wired).flatMap(({ doors }) => doors);
		expect(first).toMatchObject({ isOpen: false, isLocked: true, isJammed: false, isCut: false });
		expect(second).toMatchObject({ isOpen: true, isJammed: true });
		expect(third).toMatchObject({ isCut: true, board: 'twin' });
	});

	it('leave out what the simulator does not have', () => {
		const unknown = [
			{ locker: 1, place: union, bus: 'bus9', board: 0, lock: 1 },
			{ locker: 2, place: union, bus: 'bus1', board: 7, lock: 1 },
			{ locker: 3, place: union, bus: 'bus1', board: 0, lock: 9 }
		];
		expect(doorsOf(state, unknown)).toEqual([]);
	});

	it('are found by the beginning of their number', () => {
		const groups = doorsOf(state, wired);
		expect(filtered(groups, '10').flatMap(({ doors }) => doors)).toHaveLength(2);
		expect(filtered(groups, ' 201번').flatMap(({ doors }) => doors.map(({ locker }) => locker))).toEqual([201]);
		expect(filtered(groups, '')).toHaveLength(2);
		expect(filtered(groups, '9')).toEqual([]);
	});
});
