import { redirect } from '@sveltejs/kit';
import { reset } from '$lib/account/reset.svelte';

export const load = ({ url }) => {
	// Staff may hand over the address of a reset beside its code.
	const handed = url.searchParams.get('reset');
	if (handed) reset.id = handed;
	if (reset.id === undefined) redirect(307, '/password');
	return { isHanded: handed !== null };
};
