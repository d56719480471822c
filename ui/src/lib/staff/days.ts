/** Days and times of the site as instants: people choose days, some lists are asked for by instants. */
import { addDays } from '../format';

/** How far a zone's clocks are ahead of UTC at an instant, in ms. */
function aheadOf(zone: string, at: number): number {
	const parts = new Intl.DateTimeFormat('en-GB', {
		timeZone: zone,
		year: 'numeric',
		month: '2-digit',
		day: '2-digit',
		hour: '2-digit',
		minute: '2-digit',
		second: '2-digit',
		hourCycle: 'h23'
	}).formatToParts(at);
	const part = (type: string): string => parts.find((it) => it.type === type)?.value ?? '';
	const wall = Date.parse(`${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}Z`);
	return wall - Math.floor(at / 1000) * 1000;
}

/** `14:05` on a day like `2026-03-02` in a zone, as RFC 3339. */
export function instantOf(day: string, time: string, zone: string): string {
	const asUtc = Date.parse(`${day}T${time}:00Z`);
	// Twice: the first guess may lie on the other side of a change of the clocks.
	const guess = asUtc - aheadOf(zone, asUtc);
	return new Date(asUtc - aheadOf(zone, guess)).toISOString();
}

/** When a day begins at the site. */
export function beginOf(day: string, zone: string): string {
	return instantOf(day, '00:00', zone);
}

/** When a day is over: the day after begins. */
export function endOf(day: string, zone: string): string {
	return beginOf(addDays(day, 1), zone);
}

/** Whether somebody typed a time like `14:05`. */
export function isTime(text: string): boolean {
	return /^([01]\d|2[0-3]):[0-5]\d$/.test(text);
}
