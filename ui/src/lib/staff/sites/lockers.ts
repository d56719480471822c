/** Lockers as they are set up: places in a grid, ranges of numbers, what overlaps. */
import type { Schemas } from '../../api/client';

export type Locker = Schemas['LockerSetupReply'];

/** As the fields of a form have it. */
export interface PlaceDraft {
	col: string;
	row: string;
	width: string;
	height: string;
}

/** Columns and rows that a grid may have. */
export const CELLS_MAX = 200;
/** Lockers that are made at once. */
export const RANGE_MAX = 500;

export const placeDraft = (place: Locker['place']): PlaceDraft => ({
	col: place ? String(place.col) : '',
	row: place ? String(place.row) : '',
	width: String(place?.width ?? 1),
	height: String(place?.height ?? 1)
});

/** A whole number from 1 to a largest one, or nothing. */
export function numberIn(text: string, most: number): number | undefined {
	const isNumber = /^\d{1,15}$/.test(text.trim());
	const value = Number(text);
	return isNumber && value >= 1 && value <= most ? value : undefined;
}

/** A place as it is sent; `null`: it has none; `undefined`: what was typed is none. */
export function placeOf({ col, row, width, height }: PlaceDraft): { col: number; row: number; width: number; height: number } | null | undefined {
	if (col.trim() === '' && row.trim() === '') return null;
	const [c, r] = [numberIn(col, CELLS_MAX), numberIn(row, CELLS_MAX)];
	const [w, h] = [numberIn(width, CELLS_MAX), numberIn(height, CELLS_MAX)];
	if (c === undefined || r === undefined || w === undefined || h === undefined) return undefined;
	return c + w - 1 <= CELLS_MAX && r + h - 1 <= CELLS_MAX ? { col: c, row: r, width: w, height: h } : undefined;
}

/** Something with a place in the grid. */
export interface Box {
	col: number;
	row: number;
	w: number;
	h: number;
}

/** The first two that take the same cell. */
export function overlap<Some extends Box>(boxes: Some[]): [Some, Some] | undefined {
	const taken = new Map<number, Some>();
	for (const box of boxes) {
		for (let row = box.row; row < box.row + box.h; row += 1) {
			for (let col = box.col; col < box.col + box.w; col += 1) {
				const key = row * 1000 + col;
				const other = taken.get(key);
				if (other) return [other, box];
				taken.set(key, box);
			}
		}
	}
	return undefined;
}

/** How many lockers a typed range has; nothing: it is none. */
export function rangeOf(from: string, to: string): { from: number; to: number; count: number } | undefined {
	const first = numberIn(from, Number.MAX_SAFE_INTEGER);
	const last = to.trim() === '' ? first : numberIn(to, Number.MAX_SAFE_INTEGER);
	if (first === undefined || last === undefined) return undefined;
	const count = last - first + 1;
	return count >= 1 && count <= RANGE_MAX ? { from: first, to: last, count } : undefined;
}
