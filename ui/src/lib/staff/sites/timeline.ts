/** Terms on one line of time: where each bar begins and how long it is, in percent of the whole. */
import { addDays, daysBetween } from '../../format';

export interface Span {
	/** Days, both included. */
	from: string;
	to: string;
}

export interface Bar {
	left: number;
	width: number;
}

export interface Timeline {
	first: string;
	last: string;
	/** Where today is, in percent; nothing when it lies outside. */
	today: number | undefined;
	/** First days of months, as many as fit. */
	months: { day: string; left: number }[];
	/** Where a span is drawn; never thinner than can be seen. */
	bar: (span: Span) => Bar;
}

/** Months that have their name on the line at most. */
const NAMES = 8;
const THINNEST = 0.8;

export function timeline(spans: Span[], today: string): Timeline | undefined {
	const [some] = spans;
	if (!some) return undefined;
	let [first, last] = [some.from, some.to];
	for (const { from, to } of spans) {
		if (from < first) first = from;
		if (to > last) last = to;
	}
	const days = daysBetween(first, last) + 1;
	const at = (day: string): number => (daysBetween(first, day) / days) * 100;
	return {
		first,
		last,
		today: today >= first && today <= last ? at(today) : undefined,
		months: monthsOf(first, last).map((day) => ({ day, left: at(day) })),
		bar: ({ from, to }) => {
			const left = Math.min(at(from), 100 - THINNEST);
			return { left, width: Math.min(Math.max(at(addDays(to, 1)) - at(from), THINNEST), 100 - left) };
		}
	};
}

function monthsOf(first: string, last: string): string[] {
	const all: string[] = [];
	const isStart = first.endsWith('-01');
	for (let day = isStart ? first : nextMonth(first); day <= last; day = nextMonth(day)) all.push(day);
	const step = Math.ceil(all.length / NAMES);
	return all.filter((_, index) => index % step === 0);
}

function nextMonth(day: string): string {
	const [year = 0, month = 1] = day.split('-').map(Number);
	const next = month === 12 ? [year + 1, 1] : [year, month + 1];
	return `${next[0]}-${String(next[1]).padStart(2, '0')}-01`;
}
