/** What happens once, before the first page is drawn. */
import { appearance } from './appearance.svelte';
import { Refusal, Unreachable } from './api/problem';
import { texts } from './i18n/texts.svelte';
import { liveWhileLoggedIn } from './live';
import { session } from './session.svelte';
import { site } from './site.svelte';

let begun: Promise<void> | undefined;

/** Takes up the log-in of an earlier visit and learns the site. Later calls wait for the first one. */
export function begin(): Promise<void> {
	begun ??= start();
	return begun;
}

async function start(): Promise<void> {
	document.documentElement.lang = texts.language;
	appearance.show();
	liveWhileLoggedIn();
	await Promise.all([quietly(session.resume()), quietly(site.load())]);
}

/** Pages show for themselves that the server does not answer. */
async function quietly(work: Promise<void>): Promise<void> {
	try {
		await work;
	} catch (error) {
		if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
	}
}
