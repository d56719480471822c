import { texts } from '$lib/i18n/texts.svelte';

export const load = async (): Promise<void> => {
	// `student`: the steps of an opening are told in the same words everywhere.
	await texts.need('staff', 'board', 'bank', 'student');
};
