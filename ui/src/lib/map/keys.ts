/**
 * Moving over the map by keys, by where things really stand. A cell may take several rows or columns: whoever
 * goes on keeps the line that they came along, so that the way back is the same.
 */

/** A rectangle of the grid, from 1. */
export interface Spot {
	col: number;
	row: number;
	w: number;
	h: number;
}

/** Where the focus is: a cell, and the column and row along which it is travelling. */
export interface Place {
	index: number;
	col: number;
	row: number;
}

/** The part of a keyboard event that is used here. */
export type Key = Pick<KeyboardEvent, 'key' | 'code' | 'ctrlKey'>;

/** What keys need to know of the cells, by their index. */
export interface Known {
	numbers(): string[];
	isFree(index: number): boolean;
}

/** How many rows PageUp and PageDown go. */
const PAGE = 5;

/** Which cell covers which square of a bank. */
export class Ground {
	/** By square; not before somebody moves by keys. */
	#at: Map<string, number> | undefined;
	readonly #cols: number;
	readonly #rows: number;
	/** Cells as one reads: row by row from the top left. */
	readonly #order: number[];

	constructor(private readonly spots: readonly Spot[]) {
		this.#cols = Math.max(0, ...spots.map(({ col, w }) => col + w - 1));
		this.#rows = Math.max(0, ...spots.map(({ row, h }) => row + h - 1));
		this.#order = spots.map((_, index) => index).sort((a, b) => this.#compare(a, b));
	}

	#squares(): Map<string, number> {
		const at = new Map<string, number>();
		this.spots.forEach(({ col, row, w, h }, index) => {
			for (let c = col; c < col + w; c += 1) {
				for (let r = row; r < row + h; r += 1) at.set(`${c}:${r}`, index);
			}
		});
		return at;
	}

	/** The place of a cell that was not reached by keys. */
	place(index: number): Place {
		const { col, row } = this.spots[index] ?? { col: 1, row: 1 };
		return { index, col, row };
	}

	/** The first cell as one reads; nothing in an empty bank. */
	get first(): number | undefined {
		return this.#order[0];
	}

	/**
	 * Where a key leads; nothing for a key that does not move.
	 * @param wide Whether Ctrl is held: Home and End then mean the whole bank.
	 */
	move(from: Place, key: string, wide = false): Place | undefined {
		const spot = this.spots[from.index];
		if (!spot) return undefined;
		switch (key) {
			case 'ArrowRight':
				return this.#along(from, spot.col + spot.w, this.#cols, 'col');
			case 'ArrowLeft':
				return this.#along(from, spot.col - 1, 1, 'col');
			case 'ArrowDown':
				return this.#along(from, spot.row + spot.h, this.#rows, 'row');
			case 'ArrowUp':
				return this.#along(from, spot.row - 1, 1, 'row');
			case 'Home':
				return wide ? this.#ordered(0) : this.#along(from, 1, this.#cols, 'col');
			case 'End':
				return wide ? this.#ordered(-1) : this.#along(from, this.#cols, 1, 'col');
			case 'PageDown':
				return this.#along(from, Math.min(from.row + PAGE, this.#rows), from.row, 'row');
			case 'PageUp':
				return this.#along(from, Math.max(from.row - PAGE, 1), from.row, 'row');
			default:
				return undefined;
		}
	}

	/** Where any key leads: a move, a number that is being typed, F to the next free one; nothing for others. */
	find(key: Key, from: Place, typed: Typed, cells: Known): Place | undefined {
		const at = (index: number | undefined): Place | undefined =>
			index === undefined ? undefined : this.place(index);
		if (/^[0-9]$/.test(key.key) && !key.ctrlKey) {
			return at(seek(cells.numbers(), typed.add(key.key, performance.now())));
		}
		// The key, not the letter: the keyboard may be in Korean.
		if (key.code === 'KeyF' && !key.ctrlKey) return at(this.next(from.index, cells.isFree));
		return this.move(from, key.key, key.ctrlKey);
	}

	/** The next cell as one reads that is wanted, round the end; nothing when none is. */
	next(from: number, isWanted: (index: number) => boolean): number | undefined {
		const at = this.#order.indexOf(from);
		const round = [...this.#order.slice(at + 1), ...this.#order.slice(0, at + 1)];
		return round.find(isWanted);
	}

	/** The first occupied square from one coordinate to another, both included; where one is when there is none. */
	#along(from: Place, first: number, last: number, axis: 'col' | 'row'): Place {
		const limit = axis === 'col' ? this.#cols : this.#rows;
		const step = first <= last ? 1 : -1;
		// Past the edge of the bank there is nothing to walk over.
		if (first < 1 || first > limit) return from;
		this.#at ??= this.#squares();
		for (let at = first; step > 0 ? at <= last : at >= last; at += step) {
			const [col, row] = axis === 'col' ? [at, from.row] : [from.col, at];
			const index = this.#at.get(`${col}:${row}`);
			if (index !== undefined) return { index, col, row };
		}
		return from;
	}

	#ordered(at: number): Place {
		return this.place(this.#order.at(at) ?? 0);
	}

	#compare(a: number, b: number): number {
		const [one, other] = [this.spots[a], this.spots[b]];
		return one && other ? one.row - other.row || one.col - other.col : 0;
	}
}

/** Digits that are typed one after another, as long as no more than a second lies between two. */
export class Typed {
	#text = '';
	#at = Number.NEGATIVE_INFINITY;

	/** Takes a digit; gives all that belong together. */
	add(digit: string, now: number): string {
		this.#text = now - this.#at > 1000 ? digit : this.#text + digit;
		this.#at = now;
		return this.#text;
	}
}

/** The cell with a number, else the first whose number begins so. */
export function seek(numbers: readonly string[], text: string): number | undefined {
	const wanted = text.trim();
	if (wanted === '') return undefined;
	const exact = numbers.indexOf(wanted);
	const found = exact >= 0 ? exact : numbers.findIndex((number) => number.startsWith(wanted));
	return found >= 0 ? found : undefined;
}
