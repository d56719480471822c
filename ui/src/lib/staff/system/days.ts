/** What a clock on the wall of the site shows, as an instant. */

/** `14:05` on a day like `2026-03-02` in a time zone, in ms since 1970. */
export function instantOf(day: string, time: string, zone: string): number {
	const asUtc = Date.parse(`${day}T${time}:00Z`);
	// Twice: the offset at the guess may be another one than at the instant, where summer time changes.
	const first = asUtc - offsetAt(asUtc, zone);
	return asUtc - offsetAt(first, zone);
}

/** The same with what the server wants: RFC 3339 in UTC. */
export function rfcOf(day: string, time: string, zone: string): string {
	return new Date(instantOf(day, time, zone)).toISOString();
}

/** How far the zone's clocks are ahead of UTC at an instant, in ms. */
function offsetAt(at: number, zone: string): number {
	const found = new Intl.DateTimeFormat('en-GB', {
		timeZone: zone,
		hourCycle: 'h23',
		year: 'numeric',
		month: '2-digit',
		day: '2-digit',
		hour: '2-digit',
		minute: '2-digit',
		second: '2-digit'
	}).formatToParts(at);
	const part = (type: string): string => found.find((it) => it.type === type)?.value ?? '';
	const shown = Date.parse(`${part('year')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}:${part('second')}Z`);
	return shown - Math.floor(at / 1000) * 1000;
}

/** Whether somebody typed a time like `14:05`. */
export function isTime(text: string): boolean {
	return /^([01]\d|2[0-3]):[0-5]\d$/.test(text);
}
