import { redirect } from '@sveltejs/kit';
import { withBack } from '$lib/account/back';
import { logIn } from '$lib/account/log-in.svelte';

export const load = ({ url }) => {
	// A reload forgets the first step.
	if (logIn.ticket === undefined) redirect(307, withBack('/login', url));
};
