import { texts } from '$lib/i18n/texts.svelte';

export const load = async ({ params }): Promise<{ id: number }> => {
	// The text that may be copied belongs to the account's pages.
	await texts.need('staff', 'people', 'account');
	return { id: Number(params.member) };
};
