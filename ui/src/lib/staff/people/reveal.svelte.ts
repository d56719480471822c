/** Whether student ids and ways to reach people are shown in full. Off at first, and again with the next page load. */
import { texts } from '../../i18n/texts.svelte';
import { maskEmail, maskId, maskPhone } from './mask';

class Reveal {
	isOn = $state(false);

	id(id: string | null | undefined): string {
		if (!id) return '';
		return this.isOn ? id : maskId(id);
	}
	phone(digits: string | null | undefined): string {
		if (!digits) return '';
		return this.isOn ? texts.format.phone(digits) : maskPhone(digits);
	}
	email(address: string | null | undefined): string {
		if (!address) return '';
		return this.isOn ? address : maskEmail(address);
	}
}

export const reveal = new Reveal();
