/** The form of a collection: its rows, what is missing, and why a reason is needed. */

export interface ItemDraft {
	id: number;
	description: string;
	photo: string;
}

export interface CollectDraft {
	items: ItemDraft[];
	storage: string;
	reason: string;
}

/** The most that one collection can list. */
export const ITEMS_MAX = 50;
const DESCRIPTION_MAX = 200;
const STORAGE_MAX = 100;

/** Why a reason must be given: the way was not the usual one. */
export type ReasonNeed = 'unsealed' | 'notOpened' | 'doorOpen';

export function reasonNeed(known: { state: string; hasLock: boolean; wasOpened: boolean; door: string | undefined }): ReasonNeed | undefined {
	if (known.state !== 'sealed') return 'unsealed';
	if (known.hasLock && !known.wasOpened) return 'notOpened';
	return known.door === 'open' ? 'doorOpen' : undefined;
}

/** What is wrong, by field: `items`, `item-ID`, `storage`, `reason`; the text is a key of `texts.lending.case.mistakes`. */
export function mistakesOf(draft: CollectDraft, need: ReasonNeed | undefined): { field: string; key: string }[] {
	const found: { field: string; key: string }[] = [];
	const named = draft.items.filter(({ description }) => description.trim() !== '');
	if (named.length === 0) found.push({ field: `item-${draft.items[0]?.id ?? 0}`, key: 'items' });
	for (const { id, description, photo } of draft.items) {
		if (description.trim().length > DESCRIPTION_MAX) found.push({ field: `item-${id}`, key: 'itemLong' });
		if (named.length > 0 && description.trim() === '' && photo.trim() !== '') {
			found.push({ field: `item-${id}`, key: 'photoAlone' });
		}
	}
	if (draft.storage.trim() === '') found.push({ field: 'storage', key: 'storage' });
	else if (draft.storage.trim().length > STORAGE_MAX) found.push({ field: 'storage', key: 'long' });
	if (need && draft.reason.trim() === '') found.push({ field: 'reason', key: 'reason' });
	return found;
}

/** What is sent: rows without words are left out. */
export function bodyOf(draft: CollectDraft): {
	items: { description: string; photo: string | null }[];
	storage: string;
	reason: string | null;
} {
	return {
		items: draft.items
			.filter(({ description }) => description.trim() !== '')
			.map(({ description, photo }) => ({ description: description.trim(), photo: photo.trim() || null })),
		storage: draft.storage.trim(),
		reason: draft.reason.trim() || null
	};
}

/** Outcomes of an opening by which staff may have emptied the locker: the others left it shut, as far as was seen. */
export const OPENED: readonly string[] = ['opened', 'already_open', 'unseen'];
