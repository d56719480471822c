import { redirect } from '@sveltejs/kit';
import { texts } from '$lib/i18n/texts.svelte';
import { session } from '$lib/session.svelte';

export const load = async ({ parent, url }) => {
	await parent();
	if (!session.isIn) redirect(307, `/login?back=${encodeURIComponent(url.pathname + url.search)}`);
	await texts.need('account');
};
