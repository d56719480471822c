import { redirect } from '@sveltejs/kit';
import { backOf } from '$lib/account/back';
import { session } from '$lib/session.svelte';

export const load = async ({ parent, url }) => {
	await parent();
	if (session.isIn) redirect(307, backOf(url));
};
