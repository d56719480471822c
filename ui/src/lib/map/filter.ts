/** Which cells of a map somebody wants to see. Others are dimmed and stay where they are. */
import type { Cell } from './cells.svelte';

export interface Filter {
	free: boolean;
	/** How high it hangs; empty: any. */
	level: string;
	/** Like `1x2`; empty: any. */
	size: string;
	accessible: boolean;
}

export const EVERYTHING: Filter = { free: false, level: '', size: '', accessible: false };

/** Heights from top to bottom. */
export const LEVELS = ['top', 'eye', 'middle', 'low'] as const;
export type Level = (typeof LEVELS)[number];

type Fixed = Pick<Cell, 'w' | 'h' | 'level' | 'accessible'>;

export const sizeOf = (cell: Pick<Cell, 'w' | 'h'>): string => `${cell.w}x${cell.h}`;

/** Whether a cell is wanted for what never changes of it; whether it is free is another question. */
export function isWanted(cell: Fixed, filter: Filter): boolean {
	return (
		(filter.level === '' || cell.level === filter.level) &&
		(filter.size === '' || sizeOf(cell) === filter.size) &&
		(!filter.accessible || cell.accessible)
	);
}

/** Whether the filter asks for more than the server can choose by. */
export const isNarrow = (filter: Filter): boolean =>
	filter.level !== '' || filter.size !== '' || filter.accessible;

/** What can be chosen by in a bank: only what makes a difference there. */
export function choices(cells: readonly Fixed[]): { levels: Level[]; sizes: string[]; accessible: boolean } {
	const levels = LEVELS.filter((level) => cells.some((cell) => cell.level === level));
	const sizes = [...new Set(cells.map(sizeOf))].sort((a, b) => area(a) - area(b) || a.localeCompare(b));
	const some = cells.filter((cell) => cell.accessible).length;
	return {
		levels: levels.length > 1 ? levels : [],
		sizes: sizes.length > 1 ? sizes : [],
		accessible: some > 0 && some < cells.length
	};
}

function area(size: string): number {
	const [w = 1, h = 1] = size.split('x').map(Number);
	return w * h;
}

/**
 * Free cells of a filter in an order of chance: a thousand people who all take the first one meet there, and all
 * but one lose.
 */
export function anyOf(cells: readonly Cell[], filter: Filter, chance: () => number = Math.random): Cell[] {
	const free = cells.filter((cell) => cell.state === 'free' && isWanted(cell, filter));
	for (let at = free.length - 1; at > 0; at -= 1) {
		const other = Math.floor(chance() * (at + 1));
		const [a, b] = [free[at], free[other]];
		if (a && b) [free[at], free[other]] = [b, a];
	}
	return free;
}
