import { device } from '$lib/kiosk/device.svelte';
import { texts } from '$lib/i18n/texts.svelte';

export const load = async () => {
	await texts.need('kiosk', 'student');
	await device.begin();
};
