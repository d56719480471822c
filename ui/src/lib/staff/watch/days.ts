/** Days of the site as instants: some lists are asked for by instants, people choose days. */
import { addDays } from '../../format';

const MINUTE = 60_000;

/** How far a zone is ahead of UTC at an instant, in ms. */
function aheadOf(zone: string, at: number): number {
	const parts = new Intl.DateTimeFormat('en-GB', {
		timeZone: zone,
		year: 'numeric',
		month: '2-digit',
		day: '2-digit',
		hour: '2-digit',
		minute: '2-digit',
		hourCycle: 'h23'
	}).formatToParts(at);
	const part = (type: string): string => parts.find((it) => it.type === type)?.value ?? '';
	const local = Date.parse(`${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:00Z`);
	return local - Math.floor(at / MINUTE) * MINUTE;
}

/** When a day like `2026-03-02` begins at the site, as RFC 3339. */
export function beginOf(day: string, zone: string): string {
	const midnight = Date.parse(`${day}T00:00:00Z`);
	// A second look: between the first guess and midnight the zone may have changed its clocks.
	const guess = midnight - aheadOf(zone, midnight);
	return new Date(midnight - aheadOf(zone, guess)).toISOString();
}

/** When a day is over: the day after begins. */
export function endOf(day: string, zone: string): string {
	return beginOf(addDays(day, 1), zone);
}
