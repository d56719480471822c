/**
 * The elements of a map's cells. Made and changed by hand, not by a component: a thousand of them must stand
 * within a blink on an old phone, and three hundred change in a second. One element for each cell; of what is
 * drawn only what is different is touched.
 */
import type { Cell, Look } from './cells.svelte';

/** How a cell is drawn and what is said of it. */
export interface Face {
	look: Look;
	said: string;
}

/** Cells of one row from the left, with how many columns are free before each. */
export type Shelf = { cell: Cell; gap: number }[];

/** The rows of a bank from the top, also those without cells. */
export function shelves(cells: readonly Cell[], rows: number): Shelf[] {
	const found: Shelf[] = Array.from({ length: rows }, () => []);
	for (const cell of cells) found[cell.row - 1]?.push({ cell, gap: 0 });
	for (const row of found) {
		row.sort((a, b) => a.cell.col - b.cell.col);
		let next = 1;
		for (const it of row) {
			it.gap = it.cell.col - next;
			next = it.cell.col + it.cell.w;
		}
	}
	return found;
}

export class Drawn {
	/** One for each row, to be put into the page. */
	readonly rows: readonly HTMLElement[];
	readonly #elements: HTMLElement[] = [];
	readonly #faces: (Face | undefined)[] = [];

	constructor(
		private readonly cells: readonly Cell[],
		rows: number,
		nameOf: (row: number) => string,
		/** The whole name of a cell, around what is said of its state. */
		private readonly label: (cell: Cell, said: string) => string
	) {
		const button = document.createElement('button');
		button.type = 'button';
		button.className = 'look';
		button.tabIndex = -1;
		button.setAttribute('role', 'gridcell');
		this.rows = shelves(cells, rows).map((shelf, at) => {
			const row = document.createElement('div');
			row.className = 'shelf';
			row.setAttribute('role', 'row');
			row.setAttribute('aria-rowindex', String(at + 1));
			const head = document.createElement('span');
			head.className = 'label';
			head.setAttribute('role', 'rowheader');
			head.setAttribute('aria-colindex', '1');
			head.setAttribute('aria-label', nameOf(at + 1));
			head.textContent = String(at + 1);
			row.append(head);
			for (const { cell, gap } of shelf) {
				const element = button.cloneNode() as HTMLElement;
				element.textContent = cell.number;
				element.setAttribute('data-i', String(cell.index));
				// Readers count columns past gaps; the first is that of the row's number.
				element.setAttribute('aria-colindex', String(cell.col + 1));
				// Most cells are squares beside the one before: only others have a style of their own.
				if (gap > 0) element.style.setProperty('--gap', String(gap));
				if (cell.w > 1) {
					element.style.setProperty('--w', String(cell.w));
					element.setAttribute('aria-colspan', String(cell.w));
				}
				if (cell.h > 1) {
					element.style.setProperty('--h', String(cell.h));
					element.setAttribute('aria-rowspan', String(cell.h));
					row.classList.add('tall');
				}
				this.#elements[cell.index] = element;
				row.append(element);
			}
			return row;
		});
	}

	/** The element of a cell. */
	at(index: number | undefined): HTMLElement | undefined {
		return index === undefined ? undefined : this.#elements[index];
	}

	/** Draws each cell that is different from what was drawn. */
	draw(faceOf: (cell: Cell) => Face): void {
		for (const cell of this.cells) {
			const element = this.#elements[cell.index];
			const face = faceOf(cell);
			const was = this.#faces[cell.index];
			if (!element || (was && was.look === face.look && was.said === face.said)) continue;
			this.#faces[cell.index] = face;
			if (was?.look !== face.look) element.setAttribute('data-look', face.look);
			element.setAttribute('aria-label', this.label(cell, face.said));
		}
	}
}
