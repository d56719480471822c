/** When claims are accepted, as time goes on: it opens and closes at its second by itself, nobody asks for it. */
import type { Schemas } from '../api/client';

export type Window = Schemas['WindowReply'];

/** How a window stands now. */
export type Standing =
	| { state: 'before'; opensAt: number; leftMs: number }
	| { state: 'open'; closesAt: number | undefined }
	| { state: 'after'; closedAt: number | undefined }
	| { state: 'none' }
	| { state: 'clock_untrusted' };

const read = (at: string | null | undefined): number | undefined => {
	const found = at ? Date.parse(at) : Number.NaN;
	return Number.isNaN(found) ? undefined : found;
};

/**
 * How a window stands.
 * @param now The server's clock, in ms.
 */
export function standing(window: Window, now: number): Standing {
	const opensAt = read(window.opens_at);
	const closesAt = read(window.closes_at);
	if (window.state === 'clock_untrusted') return { state: 'clock_untrusted' };
	if (window.state === 'before' || window.state === 'open' || window.state === 'after') {
		// What was open is not called closed by a clock that is some ms behind the server's.
		if (window.state === 'before' && opensAt !== undefined && now < opensAt) {
			return { state: 'before', opensAt, leftMs: opensAt - now };
		}
		if (window.state === 'after' || (closesAt !== undefined && now >= closesAt)) {
			return { state: 'after', closedAt: closesAt };
		}
		return { state: 'open', closesAt };
	}
	return { state: 'none' };
}
