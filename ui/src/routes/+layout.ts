import { texts } from '$lib/i18n/texts.svelte';
import { begin } from '$lib/begin';

// One page for every address, drawn in the browser: nothing of it is known before somebody logs in.
export const ssr = false;
export const prerender = false;
export const trailingSlash = 'never';

export async function load(): Promise<void> {
	await Promise.all([texts.need('common', 'problems'), begin()]);
}
