/** How a bank and its lockers stand, for people who look after them: counted, put in order, in one place. */
import type { LiveAlarm } from '../alarms.svelte';
import type { Look, State } from '../../map/cells.svelte';
import type { DoorWord } from './doors.svelte';

/** What stands in the corner of a cell; the first one is drawn, all are said. */
export type Mark = 'alarm' | 'open' | 'silent' | 'unknown';

export interface Wire {
	bus: string;
	board: number;
}

export interface Standing {
	door: DoorWord | undefined;
	/** Nothing of one without an electric lock. */
	wire: Wire | undefined;
	hasAlarm: boolean;
	isSilent: boolean;
}

export const boardKey = ({ bus, board }: Wire): string => `${bus}:${board}`;

/** The marks of one locker. A silent board says nothing about its doors, so "unknown" would say the same twice. */
export function marksOf({ door, wire, hasAlarm, isSilent }: Standing): Mark[] {
	const marks: Mark[] = [];
	if (hasAlarm) marks.push('alarm');
	if (door === 'open') marks.push('open');
	if (wire && isSilent) marks.push('silent');
	else if (wire && door === 'unknown') marks.push('unknown');
	return marks;
}

/** Late is what somebody must do something about: it hides that the locker is taken, nothing else. */
export function lookFor(look: Look, isLate: boolean): Look {
	return isLate && (look === 'taken' || look === 'mine') ? 'late' : look;
}

export interface BankCounts {
	inService: number;
	free: number;
	held: number;
	taken: number;
	out: number;
}

/** Counts a bank; nothing while not all of its lockers were heard of. */
export function countOf(states: readonly (State | undefined)[]): BankCounts | undefined {
	if (states.length === 0 || states.some((state) => state === undefined)) return undefined;
	const of = (wanted: State): number => states.filter((state) => state === wanted).length;
	const out = of('out_of_service');
	return { inService: states.length - out, free: of('free'), held: of('held'), taken: of('taken'), out };
}

export interface Board extends Wire {
	status: 'online' | 'silent' | 'unknown';
	/** When it answered last, by the server's clock in ms; nothing: never. */
	answeredAt: number | undefined;
}

export interface Answering {
	/** How many of them answer. */
	answering: number;
	all: number;
	/** The oldest of the last answers; `never` when a board was never heard of. */
	last: number | 'never' | undefined;
}

/** How the boards of a bank answer. Of several the worst is told: an age must not look better than it is. */
export function answeringOf(keys: readonly string[], boards: ReadonlyMap<string, Board>): Answering {
	const found = keys.map((key) => boards.get(key));
	const answering = found.filter((board) => board?.status === 'online').length;
	let last: Answering['last'];
	for (const board of found) {
		if (board?.answeredAt === undefined) return { answering, all: keys.length, last: 'never' };
		if (last === undefined || board.answeredAt < (last as number)) last = board.answeredAt;
	}
	return { answering, all: keys.length, last };
}

/** The alarms of a bank: its own, and those of boards and ports that it hangs on. */
export function alarmsOf(alarms: readonly LiveAlarm[], bankId: number, boards: readonly string[]): LiveAlarm[] {
	return alarms.filter(({ bank_id, bus, board }) => {
		if (bank_id !== null) return bank_id === bankId;
		if (bus === null) return false;
		return boards.some((key) => (board === null ? key.startsWith(`${bus}:`) : key === boardKey({ bus, board })));
	});
}

/** How many rentals end on a day, of a list by their ends; late ones stand before. */
export function endingOn(rentals: readonly { ends_on: string }[], day: string): number {
	return rentals.filter(({ ends_on }) => ends_on === day).length;
}

/** Places in the order of people's words, so that a tile never jumps: names first, numbers in them as numbers. */
export function byPlace<Bank extends { bank_id: number; nameText: string }>(banks: readonly Bank[], language: string): Bank[] {
	const order = new Intl.Collator(language, { numeric: true });
	return [...banks].sort((a, b) => order.compare(a.nameText, b.nameText) || a.bank_id - b.bank_id);
}

/** Whom a locker belongs to comes first: who rents it, then who gave it back, then who chose it, then who comes next. */
const ORDER = ['active', 'returned', 'held', 'reserved'];

export function inOrder<It extends { state: string; starts_on: string }>(rentals: readonly It[]): It[] {
	const rank = ({ state }: It): number => (ORDER.includes(state) ? ORDER.indexOf(state) : ORDER.length);
	return [...rentals].sort((a, b) => rank(a) - rank(b) || a.starts_on.localeCompare(b.starts_on));
}

/** Which lockers of a bank a list shows. */
export type Kind = 'all' | 'free' | 'taken' | 'late' | 'out' | 'open' | 'marked';

export function isOfKind(kind: Kind, look: Look, marks: readonly Mark[]): boolean {
	switch (kind) {
		case 'free':
		case 'late':
			return look === kind;
		case 'taken':
			return ['taken', 'mine', 'held', 'my_hold', 'late'].includes(look);
		case 'out':
			return look === 'out_of_service';
		case 'open':
			return marks.includes('open');
		case 'marked':
			return marks.some((mark) => mark !== 'open');
		default:
			return true;
	}
}
