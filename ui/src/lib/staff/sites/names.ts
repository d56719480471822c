/** A name in both languages, as forms have it and as it is sent. */
import type { Mistake } from '../../account/form.svelte';
import { texts } from '../../i18n/texts.svelte';

export interface NameDraft {
	ko: string;
	en: string;
}

/** As the server counts characters. */
const LONGEST = 80;
const lengthOf = (text: string): number => [...text.trim()].length;

export const isNameWrong = ({ ko }: NameDraft): boolean => lengthOf(ko) === 0 || lengthOf(ko) > LONGEST;

/** What is wrong with a name, at its fields. */
export function nameMistakes(name: NameDraft): Mistake<'name_ko' | 'name_en'>[] {
	const found: Mistake<'name_ko' | 'name_en'>[] = [];
	if (isNameWrong(name)) found.push({ field: 'name_ko', say: () => texts.sites.name.missing });
	if (lengthOf(name.en) > LONGEST) found.push({ field: 'name_en', say: () => texts.sites.name.long });
	return found;
}

/** Where a name that is taken is told. */
export const nameTaken: Mistake<'name_ko'> = { field: 'name_ko', say: () => texts.sites.name.taken };

/** What is sent: without an English name the Korean one serves for both. */
export const nameBody = ({ ko, en }: NameDraft): { ko: string; en: string | null } => ({
	ko: ko.trim(),
	en: en.trim() || null
});

/** A name as it is put into fields: an English one that only repeats the Korean one is left out. */
export const nameDraft = ({ ko, en }: NameDraft): NameDraft => ({ ko, en: en === ko ? '' : en });
