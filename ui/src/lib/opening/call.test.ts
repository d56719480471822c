import { describe, expect, it } from 'vitest';
import type { MyAlarm } from '../mine.svelte';
import { callOf } from './call';

const alarm = (id: number, over: Partial<MyAlarm> = {}): MyAlarm => ({
	alarm_id: id,
	kind: 'help',
	locker_id: 101,
	raised_at: `2026-03-02T09:0${id}:00Z`,
	cleared_at: null,
	acknowledged: false,
	it_was_me_at: null,
	can_answer: false,
	...over
});

describe('a call for staff', () => {
	it('is the one that nobody took note of yet, also after a reload', () => {
		const alarms = [alarm(4, { kind: 'jammed' }), alarm(3, { locker_id: 102 }), alarm(2)];
		expect(callOf(alarms, 101, undefined)).toEqual({ at: '2026-03-02T09:02:00Z', isSeen: false });
		expect(callOf(alarms, 103, undefined)).toBeUndefined();
	});

	it('that staff saw earlier says nothing of this door', () => {
		expect(callOf([alarm(2, { acknowledged: true })], 101, undefined)).toBeUndefined();
	});

	it('that was just sent stands before it is among the alarms, and says when it is seen', () => {
		const sent = { id: 5, at: '2026-03-02T10:00:00Z' };
		expect(callOf([], 101, sent)).toEqual({ at: sent.at, isSeen: false });
		expect(callOf([alarm(5, { acknowledged: true })], 101, sent)).toEqual({ at: sent.at, isSeen: true });
		// Of a bank, not of the locker: it is not among one's alarms at all.
		expect(callOf([alarm(2, { acknowledged: true })], 101, sent)).toEqual({ at: sent.at, isSeen: false });
	});
});
