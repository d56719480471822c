/** What is near a cell, by how far a person would have to step, not by its number. */
import type { Spot } from './keys';

/** How far two rectangles are from each other: from edge to edge, then from middle to middle. */
function distance(a: Spot, b: Spot): [number, number] {
	const gap = (aFrom: number, aSize: number, bFrom: number, bSize: number): number =>
		Math.max(0, bFrom - (aFrom + aSize), aFrom - (bFrom + bSize));
	const edges = Math.hypot(gap(a.col, a.w, b.col, b.w), gap(a.row, a.h, b.row, b.h));
	const middles = Math.hypot(a.col + a.w / 2 - b.col - b.w / 2, a.row + a.h / 2 - b.row - b.h / 2);
	return [edges, middles];
}

/** The nearest of some cells, nearest first; those at the same distance in the order they came. */
export function nearest<T extends Spot>(from: Spot, among: readonly T[], count: number): T[] {
	return among
		.filter((cell) => (cell as Spot) !== from)
		.map((cell) => ({ cell, at: distance(from, cell) }))
		.sort((a, b) => a.at[0] - b.at[0] || a.at[1] - b.at[1])
		.slice(0, count)
		.map(({ cell }) => cell);
}
