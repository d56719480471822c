/** What refusals about days say; the rest have the texts that all pages use. */
import { Refusal, type Unreachable } from '../api/problem';
import { texts } from '../i18n/texts.svelte';
import { failureText } from '../problems';
import { site } from '../site.svelte';
import { reasonOf } from './reasons';

/** Why it was not reserved. A day that is refused as full had room when it was chosen. */
export function refusedText(failure: Refusal | Unreachable): string {
	const reason = failure instanceof Refusal ? reasonOf(failure) : undefined;
	if (!reason) return failureText(failure);
	return reason.kind === 'full' ? texts.dates.justFull(reason.day) : texts.dates.reason(reason);
}

/** `학생회관 1층 사물함`: where a bank is; its own name where the site does not know it. */
export function whereOf(bankId: number, name?: { ko: string; en: string }): string {
	const found = site.bank(bankId);
	if (!found) return name ? texts.name(name) : '';
	return texts.dates.where(texts.name(found.place.name), texts.name(found.bank.name));
}
