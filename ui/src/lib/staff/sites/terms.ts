/**
 * A term as a form has it: days and times of the site, apart. What is sent has no offset: the server takes it as
 * the site's time, so no clock of the browser has a part in it.
 */
import type { Schemas } from '../../api/client';
import type { Refusal } from '../../api/problem';
import { daysBetween, isDay, type Format } from '../../format';
import { mistakesOf } from './policy';

export type Term = Schemas['TermReply'];

export interface TermDraft {
	ko: string;
	en: string;
	opensDay: string;
	opensTime: string;
	closesDay: string;
	closesTime: string;
	startsOn: string;
	endsOn: string;
	/** `site`, `location:3` or `bank:1`. */
	scope: string;
}

export type TermField = 'name_ko' | 'name_en' | 'opensDay' | 'opensTime' | 'closesDay' | 'closesTime' | 'startsOn' | 'endsOn' | 'scope';

/** What is wrong, under the names of `texts.sites.terms`. */
export interface TermWrong {
	field: TermField;
	kind: 'wrongDay' | 'wrongTime' | 'closesFirst' | 'endsFirst';
}

export const emptyTerm: TermDraft = {
	ko: '',
	en: '',
	opensDay: '',
	opensTime: '09:00',
	closesDay: '',
	closesTime: '18:00',
	startsOn: '',
	endsOn: '',
	scope: 'site'
};

/** A term as the form shows it. */
export function termDraft(term: Term, format: Format): TermDraft {
	return {
		ko: term.name.ko,
		en: term.name.en === term.name.ko ? '' : term.name.en,
		opensDay: format.dayAt(Date.parse(term.opens_at)),
		opensTime: format.time(term.opens_at),
		closesDay: format.dayAt(Date.parse(term.closes_at)),
		closesTime: format.time(term.closes_at),
		startsOn: term.starts_on,
		endsOn: term.ends_on,
		scope: scopeOf(term)
	};
}

export function scopeOf({ location_id, bank_id }: Pick<Term, 'location_id' | 'bank_id'>): string {
	if (bank_id != null) return `bank:${bank_id}`;
	return location_id != null ? `location:${location_id}` : 'site';
}

const isTime = (text: string): boolean => /^([01]\d|2[0-3]):[0-5]\d$/.test(text);
/** A moment of the site without its offset; two of them compare as texts. */
const moment = (day: string, time: string): string => `${day}T${time}:00`;

/** What can be seen to be wrong before anything is sent. */
export function wrongTerm(draft: TermDraft): TermWrong[] {
	const days: TermField[] = ['opensDay', 'closesDay', 'startsOn', 'endsOn'];
	const wrong: TermWrong[] = days
		.filter((field) => !isDay(draft[field as 'opensDay']))
		.map((field) => ({ field, kind: 'wrongDay' }));
	for (const field of ['opensTime', 'closesTime'] as const) {
		if (!isTime(draft[field])) wrong.push({ field, kind: 'wrongTime' });
	}
	const isWindow = isDay(draft.opensDay) && isDay(draft.closesDay) && isTime(draft.opensTime) && isTime(draft.closesTime);
	if (isWindow && moment(draft.opensDay, draft.opensTime) >= moment(draft.closesDay, draft.closesTime)) {
		wrong.push({ field: 'closesDay', kind: 'closesFirst' });
	}
	if (isDay(draft.startsOn) && isDay(draft.endsOn) && daysBetween(draft.startsOn, draft.endsOn) < 0) {
		wrong.push({ field: 'endsOn', kind: 'endsFirst' });
	}
	return wrong;
}

const nameOf = ({ ko, en }: TermDraft): { ko: string; en: string | null } => ({ ko: ko.trim(), en: en.trim() || null });

/** A new term as it is sent. */
export function termBody(draft: TermDraft): Schemas['TermBody'] {
	const [kind, id] = draft.scope.split(':');
	return {
		name: nameOf(draft),
		opens_at: moment(draft.opensDay, draft.opensTime),
		closes_at: moment(draft.closesDay, draft.closesTime),
		starts_on: draft.startsOn,
		ends_on: draft.endsOn,
		...(kind === 'location' ? { location_id: Number(id) } : {}),
		...(kind === 'bank' ? { bank_id: Number(id) } : {})
	};
}

/** Only what was changed: what is left alone keeps its seconds, and is not refused for being over. */
export function termChange(from: TermDraft, to: TermDraft): Schemas['TermChangeBody'] {
	const change: Schemas['TermChangeBody'] = {};
	if (from.ko.trim() !== to.ko.trim() || from.en.trim() !== to.en.trim()) change.name = nameOf(to);
	const [opened, opens] = [from, to].map((it) => moment(it.opensDay, it.opensTime));
	const [closed, closes] = [from, to].map((it) => moment(it.closesDay, it.closesTime));
	if (opens !== undefined && opened !== opens) change.opens_at = opens;
	if (closes !== undefined && closed !== closes) change.closes_at = closes;
	if (from.startsOn !== to.startsOn) change.starts_on = to.startsOn;
	if (from.endsOn !== to.endsOn) change.ends_on = to.endsOn;
	return change;
}

/** To which field a refusal belongs, and its text; nothing: it is about the whole. */
export function refusedTerm(refusal: Refusal): { field: TermField; kind: 'tooShort' | 'openingFixed' | 'closingPast' | 'daysPast' | 'taken' } | undefined {
	if (refusal.code === 'name_taken') return { field: 'name_ko', kind: 'taken' };
	if (refusal.code === 'term_granted') {
		// The code is one for three steps; the server's words begin with the field.
		if (refusal.message.startsWith('opens_at')) return { field: 'opensDay', kind: 'openingFixed' };
		if (refusal.message.startsWith('closes_at')) return { field: 'closesDay', kind: 'closingPast' };
		return { field: 'startsOn', kind: 'daysPast' };
	}
	const isShort = mistakesOf(refusal.problem['mistakes']).some(({ fields }) => fields.includes('closes_at'));
	return isShort ? { field: 'closesDay', kind: 'tooShort' } : undefined;
}
