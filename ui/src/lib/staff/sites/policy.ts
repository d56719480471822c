/**
 * A bank's policy as a form has it: every setting a text, a choice or a switch; what is wrong in it before it is
 * sent; what would change. What contradicts what is the server's to say: `clashOf` finds the words for it.
 */
import type { Schemas } from '../../api/client';
import { daysBetween, isDay } from '../../format';
import { SETTINGS, type Setting } from './policy-settings';

export type Policy = Schemas['PolicyReply'];

export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Day = (typeof DAYS)[number];

export interface ClosingDraft {
	first: string;
	last: string;
	ko: string;
	en: string;
}

export interface Draft {
	values: Record<string, string | boolean>;
	/** Whether hours are set at all. */
	isTimed: boolean;
	week: Record<Day, string>;
	closings: ClosingDraft[];
}

/** What is wrong: with which settings, and which of them leads the way. */
export interface Wrong {
	fields: string[];
	kind: 'missing' | 'whole' | 'range' | 'list' | 'hours' | 'never' | 'closing-days' | 'closing-name';
	/** Which day or which closing it is about. */
	at?: string | number;
}

const read = (policy: Policy, name: string): unknown =>
	name.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], policy);

/** The settings as the form shows them. */
export function draftOf(policy: Policy): Draft {
	const values = SETTINGS.map(({ name, kind }) => {
		const value = read(policy, name);
		if (kind === 'switch') return [name, value === true];
		if (kind === 'list') return [name, (value as number[]).join(', ')];
		return [name, value === null || value === undefined ? '' : String(value)];
	});
	const hours = policy.hours as Partial<Record<Day, string[] | null>> | null | undefined;
	const week = DAYS.map((day) => [day, (hours?.[day] ?? []).join(', ')]);
	return {
		values: Object.fromEntries(values) as Draft['values'],
		isTimed: hours !== null && hours !== undefined,
		week: Object.fromEntries(week) as Draft['week'],
		closings: policy.closings.map(({ first_on, last_on, name }) => ({
			first: first_on,
			last: last_on,
			ko: name.ko,
			en: name.en === name.ko ? '' : name.en
		}))
	};
}

const isWhole = (text: string): boolean => /^\d{1,9}$/.test(text.trim());
const partsOf = (text: string): string[] =>
	text
		.split(',')
		.map((part) => part.trim())
		.filter(Boolean);

/** A span of one day: `18:00-02:00` too, which ends on the next; the end may be 24:00. */
export const isSpan = (text: string): boolean => {
	const found = /^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$/.test(text);
	return found && text.slice(0, 5) !== text.slice(6);
};

/** What cannot be sent at all, or what the server would refuse for one setting alone. */
export function wrongIn(draft: Draft): Wrong[] {
	const wrong: Wrong[] = [];
	for (const setting of SETTINGS) {
		const fields = [setting.name];
		const text = String(draft.values[setting.name]).trim();
		if (setting.kind === 'list') {
			const each = partsOf(text);
			const isFine = each.length <= 5 && each.every((part) => isWhole(part) && Number(part) >= 1 && Number(part) <= 60);
			if (!isFine) wrong.push({ fields, kind: 'list' });
		}
		if (setting.kind !== 'number') continue;
		if (text === '') {
			if (!setting.empty) wrong.push({ fields, kind: 'missing' });
		} else if (!isWhole(text)) wrong.push({ fields, kind: 'whole' });
		else if (Number(text) < (setting.from ?? 0) || Number(text) > (setting.to ?? 0)) wrong.push({ fields, kind: 'range' });
	}
	if (draft.isTimed) wrong.push(...wrongHours(draft.week));
	draft.closings.forEach(({ first, last, ko }, index) => {
		const fields = [`closings.${index}`];
		const areDays = isDay(first) && isDay(last) && daysBetween(first, last) >= 0;
		if (!areDays) wrong.push({ fields, kind: 'closing-days', at: index + 1 });
		if (ko.trim() === '') wrong.push({ fields: [`closings.${index}.name`], kind: 'closing-name', at: index + 1 });
	});
	return wrong;
}

function wrongHours(week: Draft['week']): Wrong[] {
	if (DAYS.every((day) => partsOf(week[day]).length === 0)) return [{ fields: ['hours'], kind: 'never' }];
	const bad = DAYS.filter((day) => {
		const spans = partsOf(week[day]);
		return spans.length > 3 || !spans.every(isSpan);
	});
	return bad.map((day) => ({ fields: [`hours.${day}`], kind: 'hours', at: day }));
}

/** The settings as they are sent; `wrongIn` found nothing. */
export function bodyOf(draft: Draft): Schemas['PolicyBody'] {
	const body: Record<string, unknown> = {};
	for (const { name, kind } of SETTINGS) {
		const value = draft.values[name];
		const text = String(value).trim();
		const sent =
			kind === 'switch' ? value : kind === 'choice' ? text : kind === 'list' ? partsOf(text).map(Number) : text === '' ? null : Number(text);
		const [group, key] = name.includes('.') ? name.split('.') : [undefined, name];
		if (group === undefined || key === undefined) body[name] = sent;
		else (body[group] ??= {} as Record<string, unknown>, (body[group] as Record<string, unknown>)[key] = sent);
	}
	const open = DAYS.filter((day) => partsOf(draft.week[day]).length > 0);
	body['hours'] = draft.isTimed ? Object.fromEntries(open.map((day) => [day, partsOf(draft.week[day])])) : null;
	body['closings'] = draft.closings.map(({ first, last, ko, en }) => ({
		first_on: first,
		last_on: last,
		name: { ko: ko.trim(), en: en.trim() || null }
	}));
	return body as unknown as Schemas['PolicyBody'];
}

/** A setting as one text, to be compared. */
const plain = (setting: Setting, draft: Draft): string => {
	const value = draft.values[setting.name];
	const text = typeof value === 'boolean' ? String(value) : (value ?? '').trim();
	if (setting.kind === 'list') return [...new Set(partsOf(text).map(Number))].sort((a, b) => b - a).join(', ');
	return setting.kind === 'number' && isWhole(text) ? String(Number(text)) : text;
};
const hoursOf = (draft: Draft): string =>
	draft.isTimed ? JSON.stringify(DAYS.map((day) => partsOf(draft.week[day]).sort())) : '';
const closingsOf = (draft: Draft): string =>
	JSON.stringify(draft.closings.map(({ first, last, ko, en }) => [first, last, ko.trim(), en.trim() || ko.trim()].join()).sort());

/** The names of the settings that two drafts have otherwise; `hours` and `closings` as a whole. */
export function changed(from: Draft, to: Draft): string[] {
	const names = SETTINGS.filter((setting) => plain(setting, from) !== plain(setting, to)).map(({ name }) => name);
	if (hoursOf(from) !== hoursOf(to)) names.push('hours');
	if (closingsOf(from) !== closingsOf(to)) names.push('closings');
	return names;
}

/** Puts what was changed from `base` to `mine` on top of what is there by now. */
export function onTop(base: Draft, mine: Draft, now: Draft): Draft {
	const own = changed(base, mine);
	const values = { ...now.values };
	for (const name of own) {
		const value = mine.values[name];
		if (value !== undefined) values[name] = value;
	}
	const timed = own.includes('hours') ? mine : now;
	const closed = own.includes('closings') ? mine : now;
	return { values, isTimed: timed.isTimed, week: { ...timed.week }, closings: closed.closings.map((it) => ({ ...it })) };
}

/** A mistake that the server named. */
export interface Mistake {
	fields: string[];
	text: string;
}

/** The mistakes that a refusal carries, if it carries any. */
export function mistakesOf(data: unknown): Mistake[] {
	if (!Array.isArray(data)) return [];
	return data.filter((it): it is Mistake => {
		const { fields, text } = (it ?? {}) as { fields?: unknown; text?: unknown };
		return Array.isArray(fields) && fields.every((name) => typeof name === 'string') && typeof text === 'string';
	});
}

/** Under which name a contradiction has its words: its settings in the server's order. */
export const clashOf = ({ fields }: Pick<Mistake, 'fields'>): string => fields.join('+');
