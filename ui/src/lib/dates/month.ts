/**
 * The days of a month as a calendar shows them, and which of them a reservation may begin and end on:
 * the server's own rules, so that nobody learns of them only by a refusal. Days are like `2026-03-02`,
 * months like `2026-03`.
 */
import { addDays, daysBetween, isDay } from '../format';

/** What the server tells of a day. */
export interface Day {
	date: string;
	/** Whether the bank opens at some time of it. */
	open: boolean;
	/** How many more reservations it can bear; unknown of days that are over and while the database fails. */
	left?: number | null;
}

/** How a bank takes reservations today. */
export interface Rules {
	first_start_on: string;
	last_start_on: string;
	days_max?: number | null;
}

/** Days on which somebody has a reservation or a locker already. */
export interface Span {
	starts_on: string;
	ends_on: string;
}

/** What is known when days are judged. */
export interface Known {
	days: ReadonlyMap<string, Day>;
	rules: Rules | undefined;
	mine: readonly Span[];
}

/** Two days that were chosen, or only the first of them. */
export interface Choice {
	from?: string | undefined;
	to?: string | undefined;
}

/** Why a day or a span of days cannot be had. */
export type Reason =
	| { kind: 'early'; first: string }
	| { kind: 'far'; last: string }
	| { kind: 'closed'; day: string }
	| { kind: 'full'; day: string }
	| { kind: 'mine'; day: string }
	| { kind: 'long'; most: number; last: string }
	| { kind: 'most'; most: number }
	| { kind: 'backwards' }
	| { kind: 'unknown' };

export const monthOf = (day: string): string => day.slice(0, 7);

/** The month that is so many months after another. */
export function addMonths(month: string, count: number): string {
	const [year = 0, number = 1] = month.split('-').map(Number);
	const all = year * 12 + number - 1 + count;
	return `${String(Math.floor(all / 12)).padStart(4, '0')}-${String((all % 12) + 1).padStart(2, '0')}`;
}

/** How many days a month has. */
export const lengthOf = (month: string): number => daysBetween(`${month}-01`, `${addMonths(month, 1)}-01`);

/** 0 for Sunday. */
const weekday = (day: string): number => (((daysBetween('2026-03-01', day) % 7) + 7) % 7);

/** How many days a day stands behind the first one of its week. */
const column = (day: string, isMondayFirst: boolean): number => (weekday(day) + (isMondayFirst ? 6 : 0)) % 7;

/** The weeks of a month; nothing where a day belongs to another month. */
export function weeks(month: string, isMondayFirst: boolean): (string | undefined)[][] {
	const before = column(`${month}-01`, isMondayFirst);
	const count = lengthOf(month);
	const rows = Math.ceil((before + count) / 7);
	return Array.from({ length: rows }, (_, row) =>
		Array.from({ length: 7 }, (_, at) => {
			const number = row * 7 + at - before;
			return number >= 0 && number < count ? addDays(`${month}-01`, number) : undefined;
		})
	);
}

/** Where a key leads from a day; nothing for keys that lead nowhere. */
export function move(day: string, key: string, isMondayFirst: boolean): string | undefined {
	const at = column(day, isMondayFirst);
	switch (key) {
		case 'ArrowLeft':
			return addDays(day, -1);
		case 'ArrowRight':
			return addDays(day, 1);
		case 'ArrowUp':
			return addDays(day, -7);
		case 'ArrowDown':
			return addDays(day, 7);
		case 'Home':
			return addDays(day, -at);
		case 'End':
			return addDays(day, 6 - at);
		case 'PageUp':
			return sameDay(day, -1);
		case 'PageDown':
			return sameDay(day, 1);
		default:
			return undefined;
	}
}

/** The same day of another month; its last one where it is shorter. */
function sameDay(day: string, months: number): string {
	const month = addMonths(monthOf(day), months);
	const number = Math.min(Number(day.slice(8)), lengthOf(month));
	return `${month}-${String(number).padStart(2, '0')}`;
}

/** The day that somebody typed: `2026-03-02`, `20260302`, `2026. 3. 2.`; nothing if it is none. */
export function readDay(text: string): string | undefined {
	const found = /^\s*(\d{4})(?:\s*[-./]\s*(\d{1,2})\s*[-./]\s*(\d{1,2})\s*\.?|(\d{2})(\d{2}))\s*$/.exec(text);
	if (!found) return undefined;
	const [year, month, number] = [found[1], found[2] ?? found[4], found[3] ?? found[5]];
	const day = `${year}-${month?.padStart(2, '0')}-${number?.padStart(2, '0')}`;
	return isDay(day) ? day : undefined;
}

/** Why a reservation cannot have a day, whatever the others are. */
function taken(day: string, { days, mine }: Known): Reason | undefined {
	if (mine.some((span) => span.starts_on <= day && day <= span.ends_on)) return { kind: 'mine', day };
	const left = days.get(day)?.left;
	if (left === undefined || left === null) return { kind: 'unknown' };
	return left === 0 ? { kind: 'full', day } : undefined;
}

/** A reservation cannot begin or end while the bank is closed; closed days may lie between. */
function closed(day: string, { days }: Known): Reason | undefined {
	return days.get(day)?.open === false ? { kind: 'closed', day } : undefined;
}

/** Why a reservation cannot begin on a day; nothing if it can. */
export function startReason(day: string, known: Known): Reason | undefined {
	const { rules } = known;
	if (!rules) return { kind: 'unknown' };
	if (day < rules.first_start_on) return { kind: 'early', first: rules.first_start_on };
	if (day > rules.last_start_on) return { kind: 'far', last: rules.last_start_on };
	return closed(day, known) ?? taken(day, known);
}

/** The last day that a reservation from a day on may have, and what bounds it. */
export function endLimit(from: string, known: Known): { last: string; reason: Reason } {
	const most = known.rules?.days_max ?? 366;
	for (let count = 1; count < most; count += 1) {
		const day = addDays(from, count);
		const reason = taken(day, known);
		if (reason) return { last: addDays(day, -1), reason };
	}
	const last = addDays(from, most - 1);
	return { last, reason: { kind: 'long', most, last } };
}

/** Why a reservation that begins on a day cannot end on another; nothing if it can. */
export function endReason(from: string, day: string, known: Known): Reason | undefined {
	if (day < from) return { kind: 'backwards' };
	const limit = endLimit(from, known);
	return day > limit.last ? limit.reason : closed(day, known);
}

/** Why two days cannot be had; nothing if they can. */
export function spanReason(from: string, to: string, known: Known): Reason | undefined {
	if (to < from) return { kind: 'backwards' };
	return startReason(from, known) ?? endReason(from, to, known);
}

/** What becomes of a choice when a day is pressed, or why nothing does. */
export function press(choice: Choice, day: string, known: Known): { choice: Choice } | { reason: Reason } {
	const { from, to } = choice;
	if (from !== undefined && to === undefined && day >= from) {
		const reason = endReason(from, day, known);
		return reason ? { reason } : { choice: { from, to: day } };
	}
	const reason = startReason(day, known);
	return reason ? { reason } : { choice: { from: day } };
}

/** Where a day stands in a choice. */
export type Part = 'only' | 'from' | 'within' | 'to';

/** A day as the calendar shows it. */
export interface Cell {
	date: string;
	/** What is to be had on it; `out` where nobody can reserve, full or not. */
	state: 'free' | 'full' | 'closed' | 'mine' | 'out';
	/** How many are left, of a free one. */
	left: number | undefined;
	/** Why it cannot be pressed now. */
	reason: Reason | undefined;
	part: Part | undefined;
}

/** How a day stands, with what was chosen. */
export function cell(date: string, choice: Choice, known: Known): Cell {
	const pressed = press(choice, date, known);
	const left = known.days.get(date)?.left ?? undefined;
	return {
		date,
		state: stateOf(date, known),
		left,
		reason: 'reason' in pressed ? pressed.reason : undefined,
		part: partOf(date, choice)
	};
}

function stateOf(date: string, known: Known): Cell['state'] {
	if (!known.rules || date < known.rules.first_start_on) return 'out';
	if (known.days.get(date)?.open === false) return 'closed';
	const reason = taken(date, known);
	if (reason?.kind === 'full' || reason?.kind === 'mine') return reason.kind;
	if (reason) return 'out';
	// Behind the last start a day can still be an end: only then is it of use.
	return date > lastDay(known.rules) ? 'out' : 'free';
}

/** The last day that any reservation made today may have. */
export function lastDay(rules: Rules): string {
	return addDays(rules.last_start_on, (rules.days_max ?? 366) - 1);
}

function partOf(date: string, { from, to }: Choice): Part | undefined {
	if (from === undefined) return undefined;
	if (date === from) return to === from ? 'only' : 'from';
	if (to === undefined || date < from || date > to) return undefined;
	return date === to ? 'to' : 'within';
}
