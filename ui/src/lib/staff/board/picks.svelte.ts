/** The lockers of a bank that somebody picks to do something with all of them. */
import { SvelteSet } from 'svelte/reactivity';
import type { Cell, Cells } from '../../map/cells.svelte';
import { between } from './picked';

/** The keys that a click was made with. */
type Keys = Pick<MouseEvent, 'shiftKey' | 'ctrlKey' | 'metaKey'>;

/** The cell on the map, or the row of the list, that was clicked. */
export function cellAt({ target }: MouseEvent, cells: Cells): Cell | undefined {
	const index = target instanceof Element ? target.closest('[data-i]')?.getAttribute('data-i') : undefined;
	return index ? cells.list[Number(index)] : undefined;
}

export class Picks {
	/** Whether a tap picks instead of looking at the locker. */
	isOn = $state(false);
	readonly ids = new SvelteSet<number>();
	/** Where a range begins. */
	#from: number | undefined;

	readonly count = $derived(this.ids.size);

	/** Begins; with the locker that is being looked at. */
	begin(chosen?: number): void {
		this.isOn = true;
		if (chosen === undefined) return;
		this.ids.add(chosen);
		this.#from = chosen;
	}

	stop(): void {
		this.isOn = false;
		this.ids.clear();
		this.#from = undefined;
	}

	/** Picks a locker or lets go of it. */
	turn(id: number): void {
		if (!this.ids.delete(id)) this.ids.add(id);
		this.#from = id;
	}

	/** A click with keys held: Shift picks what stands between, Ctrl or ⌘ turns one. False: it means nothing here. */
	click(cell: Cell | undefined, cells: Cells, keys: Keys, chosen: number | undefined): boolean {
		if (!cell || (!keys.shiftKey && !keys.ctrlKey && !keys.metaKey)) return false;
		if (!this.isOn) this.begin(chosen);
		const from = cells.find(this.#from);
		if (keys.shiftKey && from) for (const id of between(cells.list, from, cell)) this.ids.add(id);
		else this.turn(cell.id);
		return true;
	}

	/** Picks all of these as well. */
	add(ids: Iterable<number>): void {
		for (const id of ids) this.ids.add(id);
	}

	/** Keeps only these. */
	keep(ids: Iterable<number>): void {
		const kept = new Set(ids);
		for (const id of [...this.ids]) if (!kept.has(id)) this.ids.delete(id);
	}
}
