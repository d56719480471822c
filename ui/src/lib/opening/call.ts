/** A call for staff: what is known of the newest one about a locker, by this page or by one's alarms. */
import type { MyAlarm } from '../mine.svelte';

export interface Call {
	/** When staff were told. */
	at: string;
	/** Whether one of them took note. */
	isSeen: boolean;
}

/**
 * The call that somebody waits on. One that staff took note of counts only when this page has sent it: an old one
 * has nothing to do with the door that does not open now.
 */
export function callOf(
	alarms: readonly MyAlarm[],
	locker: number,
	sent: { id: number; at: string } | undefined
): Call | undefined {
	const calls = alarms.filter(({ kind, locker_id: id }) => kind === 'help' && id === locker);
	const own = calls.find(({ alarm_id: id }) => id === sent?.id);
	if (sent) return { at: sent.at, isSeen: own?.acknowledged ?? false };
	const open = calls.find(({ acknowledged }) => !acknowledged);
	return open && { at: open.raised_at, isSeen: false };
}
