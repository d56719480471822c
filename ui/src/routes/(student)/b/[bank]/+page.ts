import { texts } from '$lib/i18n/texts.svelte';

export const load = async (): Promise<void> => {
	// Most banks are chosen from: their map is on its way before it is known what this one is.
	import('$lib/map/Choose.svelte').catch(() => undefined);
	await texts.need('bank');
};
