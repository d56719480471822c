import { redirect } from '@sveltejs/kit';
import { enrolment } from '$lib/account/enrolment.svelte';

export const load = () => {
	// A secret is shown once: after a reload there is a new one to be had.
	if (enrolment.secret === undefined) redirect(307, '/me/totp');
};
