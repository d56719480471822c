import { texts } from '$lib/i18n/texts.svelte';

export const load = async () => {
	await texts.need('account');
};
