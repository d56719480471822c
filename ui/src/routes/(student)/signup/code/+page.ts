import { redirect } from '@sveltejs/kit';
import { withBack } from '$lib/account/back';
import { signUp } from '$lib/account/sign-up.svelte';

export const load = ({ url }) => {
	if (signUp.id === undefined) redirect(307, withBack('/signup', url));
};
