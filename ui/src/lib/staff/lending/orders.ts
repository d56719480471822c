/** What an order to end many rentals is about, in words. */
import { texts } from '../../i18n/texts.svelte';
import { banks } from '../banks.svelte';
import type { Order } from './bulk';
import { terms } from './terms.svelte';

/** Where: the bank, or the place with all of its banks. */
export function whereOf(order: Order): string {
	if (order.bank_id != null) {
		const bank = banks.find(order.bank_id);
		return bank ? banks.nameOf(bank) : '';
	}
	const any = banks.value?.find(({ location_id }) => location_id === order.location_id);
	return any ? texts.name(any.location) : '';
}

/** Which rentals: those of a term, or those that ended before a day. */
export function whichOf(order: Order): string {
	const words = texts.lending.bulk;
	if (order.ended_before) return words.whatBefore(texts.format.day(order.ended_before));
	const term = terms.find(order.term_id);
	return words.whatTerm(term ? texts.name(term.name) : '');
}
