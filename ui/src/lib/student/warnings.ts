/** What somebody must know about their lockers before anything else: which banners stand, and in which order. */
import type { MyAlarm, MyLocker } from '../mine.svelte';

export type Warning =
	/** Several of one kind are one banner: who answers, answers to all. */
	| { kind: 'forced' | 'unwatched'; key: string; locker: number; alarms: number[]; times: string[] }
	| { kind: 'leftOpen'; key: string; locker: number; at: string }
	| { kind: 'late'; key: string; locker: number; days: number; sealOn: string | undefined; mayOpen: boolean }
	| { kind: 'outOfService'; key: string; locker: number }
	| { kind: 'penalty'; key: string; until: string };

export interface Known {
	lockers: readonly MyLocker[];
	alarms: readonly MyAlarm[];
	/** Lockers of theirs that are out of service. */
	outOfService: ReadonlySet<number>;
	penaltyUntil: string | undefined;
	/** Today at the site, like `2026-03-02`. */
	today: string;
}

/** The banners, the most pressing first. */
export function warnings({ lockers, alarms, outOfService, penaltyUntil, today }: Known): Warning[] {
	const list: Warning[] = [];
	for (const alarm of alarms) {
		const locker = alarm.locker_id;
		if (typeof locker !== 'number') continue;
		const { alarm_id: id, kind, raised_at: at } = alarm;
		const isForced = kind === 'forced_open' || kind === 'opened_unwatched';
		// Until somebody has answered or taken note, also when the door is closed again.
		if (isForced && alarm.can_answer && !alarm.acknowledged) {
			const key = `${kind}-${locker}`;
			const same = list.find((it) => it.key === key);
			if (same && 'alarms' in same) {
				same.alarms.push(id);
				same.times.push(at);
			} else {
				const name = kind === 'forced_open' ? 'forced' : 'unwatched';
				list.push({ kind: name, key, locker, alarms: [id], times: [at] });
			}
		}
		if (kind === 'left_open' && !alarm.cleared_at) list.push({ kind: 'leftOpen', key: `alarm-${id}`, locker, at });
	}
	for (const locker of lockers) {
		const { locker_id: id, late, state } = locker;
		if (late && state === 'active') {
			const { late_days: days, seal_on: sealOn, may_open: mayOpen } = late;
			list.push({ kind: 'late', key: `late-${id}`, locker: id, days, sealOn: sealOn ?? undefined, mayOpen });
		} else if (state === 'active' && outOfService.has(id)) {
			list.push({ kind: 'outOfService', key: `out-${id}`, locker: id });
		}
	}
	if (penaltyUntil !== undefined && penaltyUntil >= today) {
		list.push({ kind: 'penalty', key: 'penalty', until: penaltyUntil });
	}
	return list;
}
