/** Several lockers at once: which ones are meant, what would be done with them, and doing it one after the other. */
import { Refusal, Unreachable } from '../../api/problem';
import type { Cell } from '../../map/cells.svelte';
import type { Rental } from './desk';

type Placed = Pick<Cell, 'id' | 'row' | 'col' | 'w' | 'h'>;

/** Requests at once: a desk that ends a hundred rentals must not crowd the students out. */
const AT_ONCE = 3;

/** The cells that touch the rectangle between two of them, as the bank stands. */
export function between(cells: readonly Placed[], from: Placed, to: Placed): number[] {
	const left = Math.min(from.col, to.col);
	const right = Math.max(from.col + from.w, to.col + to.w);
	const top = Math.min(from.row, to.row);
	const bottom = Math.max(from.row + from.h, to.row + to.h);
	const isInside = (it: Placed): boolean =>
		it.col < right && it.col + it.w > left && it.row < bottom && it.row + it.h > top;
	return cells.filter(isInside).map(({ id }) => id);
}

/** `101-104, 107`: numbers as the form of a mass opening reads them. */
export function ranges(numbers: Iterable<number>): string {
	const runs: [number, number][] = [];
	for (const number of [...numbers].sort((a, b) => a - b)) {
		const last = runs.at(-1);
		if (last && last[1] + 1 === number) last[1] = number;
		else runs.push([number, number]);
	}
	return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(', ');
}

/** Which of them are not yet in service, or not yet out of it. */
export function toServe(ids: Iterable<number>, isOut: (id: number) => boolean, inService: boolean): number[] {
	return [...ids].filter((id) => isOut(id) === inService);
}

/** What ending the rentals of these lockers would do. */
export interface Ending {
	/** Rentals, and choices that were not confirmed yet; by locker. */
	rentals: Rental[];
	/** How many wait until their locker was emptied, because it was opened. */
	toBeEmptied: number;
}

export function toEnd(ids: Iterable<number>, renters: ReadonlyMap<number, Rental>): Ending {
	const found = [...ids].sort((a, b) => a - b).map((id) => renters.get(id));
	const rentals = found.filter((it) => it !== undefined).filter(({ state }) => state === 'active' || state === 'held');
	return { rentals, toBeEmptied: rentals.filter(({ opened_at }) => Boolean(opened_at)).length };
}

export interface Outcome {
	done: number[];
	/** What the server refused, with why. */
	failed: { id: number; why: Refusal }[];
	/** What was not tried any more, or of which nobody knows, because the server was away. */
	left: number[];
	away: Unreachable | undefined;
}

/** Does something with each; a refusal stops only its own, a server that is away stops them all. */
export async function each(
	ids: readonly number[],
	work: (id: number) => Promise<unknown>,
	onstep: (over: number) => void = () => {}
): Promise<Outcome> {
	const outcome: Outcome = { done: [], failed: [], left: [], away: undefined };
	const waiting = [...ids];
	const one = async (): Promise<void> => {
		for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
			try {
				await work(id);
				outcome.done.push(id);
			} catch (error) {
				if (error instanceof Refusal) outcome.failed.push({ id, why: error });
				else if (error instanceof Unreachable) {
					outcome.away = error;
					outcome.left.push(id, ...waiting.splice(0));
				} else throw error;
			}
			onstep(outcome.done.length + outcome.failed.length);
		}
	};
	await Promise.all(Array.from({ length: AT_ONCE }, one));
	for (const list of [outcome.done, outcome.left]) list.sort((a, b) => a - b);
	outcome.failed.sort((a, b) => a.id - b.id);
	return outcome;
}
