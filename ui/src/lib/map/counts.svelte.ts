/**
 * How many lockers of each bank are free, counted here from what the live socket tells. In a rush thousands look
 * at this list: nobody asks the server anew because a number changed. While the socket is away the counts stay, since
 * it takes up where it left; they are only not to be shown.
 */
import type { Item, Snapshot } from '../live/protocol';
import { stateOf, type Frame, type State } from './cells.svelte';

export interface Count {
	free: number;
	/** All that are lent. */
	lent: number;
}

export class BankCounts {
	/** By bank; nothing of those that were not heard of. */
	value = $state.raw<ReadonlyMap<number, Count>>(new Map());

	readonly #banks = new Map<number, Map<number, State>>();
	#isDue = false;

	constructor(private readonly frame: Frame = (draw) => void requestAnimationFrame(draw)) {}

	snapshot(groups: Snapshot['groups']): void {
		this.#banks.clear();
		for (const { bank, items } of groups) this.#take(items, bank);
		this.#count();
	}

	delta(items: readonly Item[], bank: number | null): void {
		this.#take(items, bank, true);
		if (this.#isDue) return;
		this.#isDue = true;
		this.frame(() => {
			this.#isDue = false;
			this.#count();
		});
	}

	#take(items: readonly Item[], bank: number | null, isChange = false): void {
		// What changed in a bank that nobody told all of is no number of it.
		if (bank === null || (isChange && !this.#banks.has(bank))) return;
		const lockers = this.#banks.get(bank) ?? new Map<number, State>();
		this.#banks.set(bank, lockers);
		for (const item of items) {
			const state = stateOf(item);
			if (typeof item['locker_id'] === 'number' && state) lockers.set(item['locker_id'], state);
		}
	}

	#count(): void {
		const counts = new Map<number, Count>();
		for (const [bank, lockers] of this.#banks) {
			let [free, lent] = [0, 0];
			for (const state of lockers.values()) {
				if (state === 'free') free += 1;
				if (state !== 'out_of_service') lent += 1;
			}
			counts.set(bank, { free, lent });
		}
		this.value = counts;
	}
}
