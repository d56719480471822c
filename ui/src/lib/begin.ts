/** What happens once, before the first page is drawn. */
import { invalidateAll } from '$app/navigation';
import { appearance } from './appearance.svelte';
import { Refusal, Unreachable } from './api/problem';
import { texts } from './i18n/texts.svelte';
import { liveWhileLoggedIn } from './live';
import { session } from './session.svelte';
import { site } from './site.svelte';

/** How soon a log-in that could not be taken up is asked for again, and at most how late; it doubles. */
const FIRST_AGAIN_MS = 2000;
const LAST_AGAIN_MS = 30_000;

let begun: Promise<void> | undefined;
let siteAsked: Promise<void> = Promise.resolve();

/** Done when the server was asked for the site: sooner than everything, so that a page can fetch what it will need. */
export const siteAnswered = (): Promise<void> => siteAsked;

/**
 * Takes up the log-in of an earlier visit and learns the site. Later calls wait for the first one.
 * @param isKiosk A kiosk is nobody's browser: it takes up no log-in and keeps no theme.
 */
export function begin(isKiosk: boolean): Promise<void> {
	begun ??= start(isKiosk);
	return begun;
}

async function start(isKiosk: boolean): Promise<void> {
	document.documentElement.lang = texts.language;
	siteAsked = quietly(site.load());
	if (isKiosk) return siteAsked;
	appearance.show();
	liveWhileLoggedIn();
	await Promise.all([resume(FIRST_AGAIN_MS), siteAsked]);
}

/**
 * Takes up the log-in of an earlier visit. A server that is too busy, or away, did not end it: it is asked again in
 * the background, or everybody who comes in a rush would be sent to log in once more.
 */
async function resume(againMs: number): Promise<void> {
	try {
		await session.resume();
	} catch (error) {
		if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		const wait = Math.max(againMs, error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0);
		setTimeout(() => void later(Math.min(againMs * 2, LAST_AGAIN_MS)), wait * (1 + Math.random() / 2));
	}
}

async function later(againMs: number): Promise<void> {
	// Somebody has logged in by hand.
	if (!session.mayResume) return;
	await resume(againMs);
	// Pages that only somebody who is logged in may see have led away: they look again.
	if (session.isIn) await invalidateAll();
}

/** Pages show for themselves that the server does not answer. */
async function quietly(work: Promise<void>): Promise<void> {
	try {
		await work;
	} catch (error) {
		if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
	}
}
