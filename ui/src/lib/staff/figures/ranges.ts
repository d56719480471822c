/** Which days a page of figures shows: one of the usual ranges or days of one's own, never more than 400. */
import { addDays, daysBetween, isDay } from '../../format';

export interface Days {
	from: string;
	to: string;
}

/** The most days that the server counts at once. */
export const DAYS_MAX = 400;
export const RANGES = ['today', 'week', 'month', 'term', 'own'] as const;

/** What is wrong with days of one's own, as `texts.figures.wrong` calls it. */
export function mistakeOf(from: string, to: string, today: string): string | undefined {
	if (!isDay(from) || !isDay(to)) return 'missing';
	if (to < from) return 'order';
	if (from > today) return 'future';
	return daysBetween(from, to) >= DAYS_MAX ? 'long' : undefined;
}

/** The days of a range; nothing while they are not chosen well. */
export function daysOf(
	range: string,
	own: { from: string; to: string },
	today: string,
	terms: readonly { starts_on: string; ends_on: string }[]
): Days | undefined {
	switch (range) {
		case 'today':
			return { from: today, to: today };
		case 'week':
			return { from: addDays(today, -6), to: today };
		case 'term': {
			const begun = terms.filter(({ starts_on }) => starts_on <= today);
			const last = begun.sort((one, other) => other.starts_on.localeCompare(one.starts_on))[0];
			if (!last) return undefined;
			const to = last.ends_on < today ? last.ends_on : today;
			const first = addDays(to, 1 - DAYS_MAX);
			return { from: last.starts_on < first ? first : last.starts_on, to };
		}
		case 'own':
			return mistakeOf(own.from, own.to, today) === undefined ? { from: own.from, to: own.to } : undefined;
		default:
			return { from: addDays(today, -29), to: today };
	}
}
