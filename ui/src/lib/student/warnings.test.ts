import { describe, expect, it } from 'vitest';
import type { MyAlarm, MyLocker } from '../mine.svelte';
import { warnings, type Known } from './warnings';

const AT = '2026-03-02T05:05:00Z';
const locker = (more: object = {}): MyLocker => ({ locker_id: 101, state: 'active', ...more }) as MyLocker;
const alarm = (more: object = {}): MyAlarm =>
	({
		alarm_id: 7,
		kind: 'forced_open',
		locker_id: 101,
		raised_at: AT,
		acknowledged: false,
		can_answer: true,
		...more
	}) as MyAlarm;
const known = (more: Partial<Known> = {}): Known => ({
	lockers: [locker()],
	alarms: [],
	outOfService: new Set(),
	penaltyUntil: undefined,
	today: '2026-03-02',
	...more
});
const kinds = (more: Partial<Known>): string[] => warnings(known(more)).map(({ kind }) => kind);

describe('an alarm', () => {
	it('stays until it was answered or noted, also when the door is closed again', () => {
		expect(kinds({ alarms: [alarm()] })).toEqual(['forced']);
		expect(kinds({ alarms: [alarm({ cleared_at: AT })] })).toEqual(['forced']);
		expect(kinds({ alarms: [alarm({ can_answer: false })] })).toEqual([]);
		expect(kinds({ alarms: [alarm({ acknowledged: true })] })).toEqual([]);
		expect(kinds({ alarms: [alarm({ kind: 'opened_unwatched' })] })).toEqual(['unwatched']);
	});

	it('is one banner with the others of its locker, the newest first', () => {
		const list = warnings(known({ alarms: [alarm({ alarm_id: 9 }), alarm(), alarm({ alarm_id: 3, locker_id: 102 })] }));
		expect(list.map((it) => ('alarms' in it ? it.alarms : []))).toEqual([[9, 7], [3]]);
	});

	it('of a door that stands open ends with it', () => {
		expect(kinds({ alarms: [alarm({ kind: 'left_open' })] })).toEqual(['leftOpen']);
		expect(kinds({ alarms: [alarm({ kind: 'left_open', cleared_at: AT })] })).toEqual([]);
	});

	it('that is for staff is not shown', () => {
		expect(kinds({ alarms: [alarm({ kind: 'jammed' }), alarm({ kind: 'sensor_fault' })] })).toEqual([]);
	});
});

describe('a locker', () => {
	const late = { late_days: 2, sealed: false, may_open: true, seal_on: '2026-03-05' };

	it('that is late comes before one that is out of service', () => {
		expect(warnings(known({ lockers: [locker({ late })] }))).toEqual([
			{ kind: 'late', key: 'late-101', locker: 101, days: 2, sealOn: '2026-03-05', mayOpen: true }
		]);
		expect(kinds({ lockers: [locker({ late })], outOfService: new Set([101]) })).toEqual(['late']);
		expect(kinds({ outOfService: new Set([101]) })).toEqual(['outOfService']);
	});

	it('that was given back warns of nothing', () => {
		expect(kinds({ lockers: [locker({ late, state: 'returned' })], outOfService: new Set([101]) })).toEqual([]);
	});
});

it('a penalty stands until its last day is over', () => {
	expect(kinds({ penaltyUntil: '2026-03-02' })).toEqual(['penalty']);
	expect(kinds({ penaltyUntil: '2026-03-01' })).toEqual([]);
});
