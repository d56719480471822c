import { redirect } from '@sveltejs/kit';
import { enrolment } from '$lib/account/enrolment.svelte';

export const load = () => {
	if (enrolment.codes === undefined) redirect(307, '/me/totp');
};
