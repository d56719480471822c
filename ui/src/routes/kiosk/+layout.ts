import { device } from '$lib/kiosk/device.svelte';
import { texts } from '$lib/i18n/texts.svelte';

export const load = async ({ parent }) => {
	// First the texts of all pages: the kiosk's own language may be another one, and changes all that are there.
	await parent();
	await texts.need('kiosk');
	await device.begin();
};
