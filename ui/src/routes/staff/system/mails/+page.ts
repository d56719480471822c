import { texts } from '$lib/i18n/texts.svelte';

export const load = async (): Promise<void> => {
	await texts.need('staff', 'system');
};
