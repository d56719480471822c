/**
 * The cells of one bank and how each of them stands. A rush changes hundreds in a second: each cell has one
 * reactive field, and what comes is applied once for each frame that is drawn.
 */
import type { Schemas } from '../api/client';
import type { Item } from '../live/protocol';

/** What the server says of a locker. */
export type State = Schemas['LockerState'];

/** How a cell is shown: as the server says, as one's own, to staff as `late`; `unknown` before anything was heard. */
export type Look = State | 'unknown' | 'my_hold' | 'mine' | 'late';

/** What somebody has in a bank. */
export interface Own {
	held: readonly number[];
	rented: readonly number[];
}

export interface Counts {
	/** All that are lent. */
	lent: number;
	free: number;
	held: number;
}

/** How the next frame is waited for. */
export type Frame = (draw: () => void) => void;

const STATES: readonly string[] = ['free', 'held', 'taken', 'out_of_service'] satisfies State[];

/** The state that a message tells; nothing for a word that this version does not know. */
export function stateOf(item: Item): State | undefined {
	const state = item['state'];
	return typeof state === 'string' && STATES.includes(state) ? (state as State) : undefined;
}

/** One locker on the map. */
export class Cell {
	readonly id: number;
	readonly number: string;
	readonly col: number;
	readonly row: number;
	readonly w: number;
	readonly h: number;
	readonly level: string | undefined;
	readonly accessible: boolean;
	/** What the server said last. */
	state: State | undefined;
	/** What is drawn. */
	look = $state<Look>('unknown');

	constructor(
		it: Schemas['CellReply'],
		/** Where it is in the list of the bank. */
		readonly index: number
	) {
		this.id = it.locker;
		this.number = it.number;
		this.col = it.col;
		this.row = it.row;
		this.w = it.w;
		this.h = it.h;
		this.level = it.level ?? undefined;
		this.accessible = it.accessible;
	}
}

export class Cells {
	/** In the order of the server: by number. */
	readonly list: readonly Cell[];
	counts = $state.raw<Counts>({ lent: 0, free: 0, held: 0 });
	/** Whether the states were heard at all. */
	isKnown = $state(false);

	readonly #byId: Map<number, Cell>;
	#waiting = new Map<number, State | undefined>();
	#isDue = false;
	#own: Own = { held: [], rented: [] };

	constructor(
		cells: readonly Schemas['CellReply'][],
		private readonly frame: Frame = (draw) => void requestAnimationFrame(draw)
	) {
		this.list = cells.map((cell, index) => new Cell(cell, index));
		this.#byId = new Map(this.list.map((cell) => [cell.id, cell]));
	}

	find(id: number | undefined): Cell | undefined {
		return id === undefined ? undefined : this.#byId.get(id);
	}

	/** All that is, in place of all that was known. */
	snapshot(items: readonly Item[]): void {
		this.#waiting = new Map(this.list.map((cell) => [cell.id, undefined]));
		this.#gather(items);
		// The first look is not worth a frame of grey cells.
		this.#apply();
		this.isKnown = true;
	}

	/** What is different, oldest first. */
	delta(items: readonly Item[]): void {
		this.#gather(items);
		if (this.#isDue || this.#waiting.size === 0) return;
		this.#isDue = true;
		this.frame(() => {
			this.#isDue = false;
			this.#apply();
		});
	}

	/** Says which of them are one's own. */
	own(own: Own): void {
		const before = this.#own;
		this.#own = own;
		for (const id of [...before.held, ...before.rented, ...own.held, ...own.rented]) {
			const cell = this.#byId.get(id);
			if (cell) this.#draw(cell);
		}
	}

	#gather(items: readonly Item[]): void {
		for (const item of items) {
			const id = item['locker_id'];
			const state = stateOf(item);
			if (typeof id === 'number' && state && this.#byId.has(id)) this.#waiting.set(id, state);
		}
	}

	#apply(): void {
		const waiting = this.#waiting;
		this.#waiting = new Map();
		for (const [id, state] of waiting) {
			const cell = this.#byId.get(id);
			if (!cell || cell.state === state) continue;
			cell.state = state;
			this.#draw(cell);
		}
		this.#count();
	}

	#draw(cell: Cell): void {
		const { held, rented } = this.#own;
		if (rented.includes(cell.id)) cell.look = 'mine';
		else if (held.includes(cell.id)) cell.look = 'my_hold';
		else cell.look = cell.state ?? 'unknown';
	}

	#count(): void {
		let [lent, free, held] = [0, 0, 0];
		for (const { state } of this.list) {
			if (state === undefined || state === 'out_of_service') continue;
			lent += 1;
			if (state === 'free') free += 1;
			if (state === 'held') held += 1;
		}
		const now = this.counts;
		if (now.lent !== lent || now.free !== free || now.held !== held) this.counts = { lent, free, held };
	}
}
