import { siteAnswered } from '$lib/begin';
import { texts } from '$lib/i18n/texts.svelte';
import { site } from '$lib/site.svelte';
import { partOf } from './part';
import type { PageLoad } from './$types';

export const load: PageLoad = async ({ params }) => {
	// Its map or its days are on their way before it is known who asks; the page says when they do not come.
	void siteAnswered().then(() => {
		const mode = site.bank(Number(params.bank))?.bank.mode;
		if (mode !== undefined) partOf(mode).catch(() => undefined);
	});
	await texts.need('bank');
};
