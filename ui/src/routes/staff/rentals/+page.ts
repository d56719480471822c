import { texts } from '$lib/i18n/texts.svelte';

export async function load(): Promise<void> {
	await texts.need('staff', 'lending');
}
