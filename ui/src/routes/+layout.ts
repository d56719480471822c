import { begin } from '$lib/begin';
import { earlyAreas } from '$lib/i18n/early';
import { texts } from '$lib/i18n/texts.svelte';

// One page for every address, drawn in the browser: nothing of it is known before somebody logs in.
export const ssr = false;
export const prerender = false;
export const trailingSlash = 'never';

// The address is asked for once, so it is not read from what would load this anew with each page.
const start = (): Promise<unknown> =>
	Promise.all([texts.need('common', 'problems'), begin(/^\/kiosk(\/|$)/.test(location.pathname))]);

// Under way while the page itself still comes over the network: a round trip less. Loads say what went wrong.
start().catch(() => undefined);
texts.need(...earlyAreas(location.pathname)).catch(() => undefined);

export async function load(): Promise<void> {
	await start();
}
