import { redirect } from '@sveltejs/kit';
import { emailChange } from '$lib/account/email.svelte';

export const load = () => {
	if (emailChange.id === undefined) redirect(307, '/me/email');
};
