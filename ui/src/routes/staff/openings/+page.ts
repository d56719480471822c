import { texts } from '$lib/i18n/texts.svelte';

export const load = async (): Promise<void> => {
	// The steps of an opening have the words of the student's pages.
	await texts.need('staff', 'watch', 'student');
};
