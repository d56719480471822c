/** When a kiosk shows a code, asks again, and loads itself anew. */

/** A sign of life this often; staff see a kiosk that is silent. */
export const BEAT_MS = 10_000;
/** Without a server it is looked for this often. */
export const SEEK_MS = 2000;
/** A new code is asked for so long after the old one ended. */
const AFTER_CODE_MS = 150;
/** The hour at the site in which a kiosk loads itself anew, and how old it must be for that. */
const RELOAD_HOUR = '04';
const RELOAD_AGE_MS = 7_200_000;

export interface Code {
	bank_id: number;
	code: string;
	valid_until: string;
	qr_svg?: string | null | undefined;
}

/** The codes that are good now: an old one is never shown. */
export function goodCodes<C extends Code>(codes: readonly C[], now: number): C[] {
	return codes.filter((code) => Date.parse(code.valid_until) > now);
}

/** Whole seconds that a code is good yet. */
export function secondsLeft(code: Code, now: number): number {
	return Math.max(0, Math.ceil((Date.parse(code.valid_until) - now) / 1000));
}

/** How long to wait for the next turn: until the next sign of life, or until a code ends. */
export function nextTurnMs(codes: readonly Code[], now: number, sinceBeatMs: number): number {
	const ends = codes.map((code) => Date.parse(code.valid_until) - now + AFTER_CODE_MS);
	return Math.max(AFTER_CODE_MS, Math.min(BEAT_MS - sinceBeatMs, ...ends));
}

/**
 * Whether the page should be loaded anew, against whatever piles up in weeks.
 * @param time At the site, like `04:12`.
 * @param ageMs How long ago it was loaded.
 */
export function isReloadDue(time: string, ageMs: number): boolean {
	return time.startsWith(`${RELOAD_HOUR}:`) && ageMs > RELOAD_AGE_MS;
}

/** `123 456`: digits as people read them out. */
export function inThrees(code: string): string {
	return code.replace(/(\d{3})(?=\d)/g, '$1 ');
}
