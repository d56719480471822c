/** What happens once, before the first page is drawn. */
import { appearance } from './appearance.svelte';
import { Refusal, Unreachable } from './api/problem';
import { texts } from './i18n/texts.svelte';
import { liveWhileLoggedIn } from './live';
import { session } from './session.svelte';
import { site } from './site.svelte';

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
	await Promise.all([quietly(session.resume()), siteAsked]);
}

/** Pages show for themselves that the server does not answer. */
async function quietly(work: Promise<void>): Promise<void> {
	try {
		await work;
	} catch (error) {
		if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
	}
}
