/** Every door that this member of staff may see, as the socket tells it. One for all pages: ends with the last listener. */
import { untrack } from 'svelte';
import { live } from '../../live';
import type { Item } from '../../live/protocol';

export type DoorWord = 'open' | 'closed' | 'unknown';

export interface Door {
	door: DoorWord;
	/** When it was seen so; nothing when nobody knows. */
	since: string | undefined;
	bank: number;
}

/** Reads one door; nothing for what this version does not know. */
export function doorOf(item: Item, bank: number | null): [number, Door] | undefined {
	const { locker_id: locker, door, since } = item;
	if (typeof locker !== 'number' || bank === null) return undefined;
	if (door !== 'open' && door !== 'closed' && door !== 'unknown') return undefined;
	return [locker, { door, since: typeof since === 'string' ? since : undefined, bank }];
}

/** How many doors of each bank stand open. */
export function openByBank(doors: Iterable<Door>): ReadonlyMap<number, number> {
	const open = new Map<number, number>();
	for (const { door, bank } of doors) if (door === 'open') open.set(bank, (open.get(bank) ?? 0) + 1);
	return open;
}

class LiveDoors {
	known = $state.raw<ReadonlyMap<number, Door>>(new Map());
	readonly open = $derived(openByBank(this.known.values()));
	#waiting: [number, Door][] = [];
	#isDue = false;
	#listeners = 0;
	#deaf: (() => void) | undefined;

	/** Listens until the returned function is called: use it as the body of an `$effect`. */
	follow(): () => void {
		this.#listeners += 1;
		this.#deaf ??= live.hear('doors', {
			snapshot: (_, groups) => {
				this.#waiting = [];
				this.known = new Map(readPairs(groups));
			},
			delta: (items, bank) => {
				for (const item of items) {
					const read = doorOf(item, bank);
					if (read) this.#waiting.push(read);
				}
				this.#later();
			}
		});
		return () => {
			this.#listeners -= 1;
			if (this.#listeners > 0) return;
			this.#deaf?.();
			this.#deaf = undefined;
			this.known = new Map();
		};
	}

	/** What comes within a frame is drawn at once. */
	#later(): void {
		if (this.#isDue || this.#waiting.length === 0) return;
		this.#isDue = true;
		requestAnimationFrame(() => {
			this.#isDue = false;
			const waiting = this.#waiting;
			this.#waiting = [];
			this.known = untrack(() => new Map([...this.known, ...waiting]));
		});
	}
}

function readPairs(groups: readonly { bank: number | null; items: Item[] }[]): [number, Door][] {
	return groups.flatMap(({ bank, items }) => {
		const read = items.map((item) => doorOf(item, bank));
		return read.filter((it): it is [number, Door] => it !== undefined);
	});
}

export const doors = new LiveDoors();
