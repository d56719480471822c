import { redirect } from '@sveltejs/kit';
import { withBack } from '$lib/account/back';
import { signUp } from '$lib/account/sign-up.svelte';

export const load = ({ url }) => {
	if (!signUp.isKnown) redirect(307, withBack('/signup', url));
	if (!signUp.hasMail) redirect(307, withBack('/signup/mail', url));
};
