import { texts } from '$lib/i18n/texts.svelte';
import { begin } from '$lib/begin';

// One page for every address, drawn in the browser: nothing of it is known before somebody logs in.
export const ssr = false;
export const prerender = false;
export const trailingSlash = 'never';

export async function load(): Promise<void> {
	// The address is asked for once, so it is not read from what would load this anew with each page.
	const isKiosk = /^\/kiosk(\/|$)/.test(location.pathname);
	await Promise.all([texts.need('common', 'problems'), begin(isKiosk)]);
}
