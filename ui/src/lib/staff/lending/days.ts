/** Days of the site as instants: some filters take an instant where people mean a day. */

/** How far a zone's clock is ahead of UTC at an instant, in ms. */
function offsetAt(at: number, zone: string): number {
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
	const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
	const wall = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
	return wall - Math.floor(at / 1000) * 1000;
}

/** The first instant of a day like `2026-03-02` at the site, RFC 3339. */
export function startOf(day: string, zone: string): string {
	const asUtc = Date.parse(`${day}T00:00:00Z`);
	// Twice: the first guess may lie on the other side of a change of the clocks.
	const first = asUtc - offsetAt(asUtc, zone);
	return new Date(asUtc - offsetAt(first, zone)).toISOString();
}
