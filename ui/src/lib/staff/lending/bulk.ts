/** Ending many rentals: which ones are meant, whether the form says so, and the list of them as a file. */
import type { Schemas } from '../../api/client';
import { isDay } from '../../format';

export type BulkEndBody = Schemas['BulkEndBody'];
export type Order = Schemas['BulkEndReply'];

export interface BulkDraft {
	where: 'bank' | 'location';
	bank: string;
	location: string;
	which: 'term' | 'before';
	term: string;
	before: string;
	reason: string;
}

/** What is missing; the text is a key of `texts.lending.bulk.mistakes`, which is also the field. */
export function mistakesOf(draft: BulkDraft, today: string): string[] {
	const found: string[] = [];
	if (draft[draft.where] === '') found.push(draft.where);
	if (draft.which === 'term' && draft.term === '') found.push('term');
	if (draft.which === 'before' && (!isDay(draft.before) || draft.before > today)) found.push('day');
	if (draft.reason.trim() === '') found.push('reason');
	return found;
}

export function bodyOf(draft: BulkDraft): BulkEndBody {
	const where = draft.where === 'bank' ? { bank_id: Number(draft.bank) } : { location_id: Number(draft.location) };
	const which = draft.which === 'term' ? { term_id: Number(draft.term) } : { ended_before: draft.before };
	return { ...where, ...which, reason: draft.reason.trim() };
}

/** Whether somebody typed the number that is to be confirmed; `1,204` counts as 1204. */
export function isTyped(typed: string, count: number): boolean {
	const digits = typed.trim().replaceAll(',', '');
	return /^\d+$/.test(digits) && Number(digits) === count;
}

/**
 * Rows as a CSV file that spreadsheets open in Korean: with the mark of UTF-8; a cell that a spreadsheet would
 * take for a formula is kept a text.
 */
export function csvOf(rows: readonly (readonly (string | number)[])[]): string {
	const cell = (value: string | number): string => {
		const text = String(value);
		const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
		return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
	};
	return `\ufeff${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** How many are dealt with; those that ended otherwise meanwhile count only when the order is done. */
export function progressOf(order: Pick<Order, 'state' | 'found' | 'ended' | 'returned'>): { done: number; otherwise: number } {
	const done = order.ended + order.returned;
	return { done, otherwise: order.state === 'done' ? Math.max(0, order.found - done) : 0 };
}
