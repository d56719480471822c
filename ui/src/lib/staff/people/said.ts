/** What is wrong with lines of a roster, in the language of the page. */
import { texts } from '../../i18n/texts.svelte';
import { wrongOf, type LineNote } from './roster';

/** The name of the column that a note is about. */
export const fieldName = (note: LineNote): string =>
	note.field === null ? '' : (texts.people.fields[note.field] ?? note.field);

export function reasonOf(note: LineNote): string {
	const words = texts.people.roster;
	const wrong = wrongOf(note);
	if (wrong.kind === 'twice') return words.twice(wrong.first);
	return wrong.kind === 'other' ? wrong.text : words.wrong[wrong.kind];
}

/** As one sentence, for a cell of a file: `전화번호: 숫자 8~15자리가 아닙니다`. */
export const noteText = (note: LineNote): string => [fieldName(note), reasonOf(note)].filter(Boolean).join(': ');
