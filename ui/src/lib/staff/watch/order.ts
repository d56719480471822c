/** What a mass opening is to open, worked out before anybody is asked to confirm it. */

/** A locker as the site's list has it. */
export interface Locker {
	locker_id: number;
	bank: number;
	state: string;
}

export const WHICHES = ['all', 'free', 'taken', 'numbers'] as const;
export type Which = (typeof WHICHES)[number];

/** The most that one order may have (docs/guide/mass-opening.md). */
export const LOCKERS_MAX = 1000;

export interface Numbers {
	numbers: number[];
	/** What could not be read. */
	wrong: string[];
}

/** Reads `101-110, 115`: each number once, in order. */
export function readNumbers(text: string): Numbers {
	const numbers = new Set<number>();
	const wrong: string[] = [];
	for (const part of text.split(/[,\s]+/).filter(Boolean)) {
		const [, first, last] = /^(\d{1,7})(?:[-–~](\d{1,7}))?$/.exec(part) ?? [];
		const [from, to] = [Number(first), Number(last ?? first)];
		if (first === undefined || to < from || to - from > LOCKERS_MAX) {
			wrong.push(part);
			continue;
		}
		for (let number = from; number <= to; number += 1) numbers.add(number);
	}
	return { numbers: [...numbers].sort((one, other) => one - other), wrong };
}

/** The lockers that a choice means, by number; of numbers only those that there are. */
export function choose(
	lockers: readonly Locker[],
	banks: ReadonlySet<number>,
	which: Which,
	numbers: readonly number[]
): Locker[] {
	const named = new Set(numbers);
	const isMeant = ({ locker_id: id, bank, state }: Locker): boolean => {
		if (which === 'numbers') return named.has(id);
		return banks.has(bank) && (which === 'all' || state === which);
	};
	return lockers.filter(isMeant).sort((one, other) => one.locker_id - other.locker_id);
}

/** The order as the server takes it: a whole bank by its number, so that its record says so. */
export function orderOf(
	chosen: readonly Locker[],
	banks: ReadonlySet<number>,
	which: Which
): { bank_id: number } | { locker_ids: number[] } {
	const [bank, ...others] = banks;
	if (which === 'all' && bank !== undefined && others.length === 0) return { bank_id: bank };
	return { locker_ids: chosen.map(({ locker_id: id }) => id) };
}
