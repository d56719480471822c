import { texts } from '$lib/i18n/texts.svelte';

export const load = async ({ params }): Promise<{ id: number }> => {
	await texts.need('staff', 'people', 'account');
	return { id: Number(params.member) };
};
