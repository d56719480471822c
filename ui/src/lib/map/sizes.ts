/** How large the map is drawn: three sizes, or as large as fits the screen. All in rem. */

/** What lies between two cells. */
const GAP = 0.25;
/** From one cell to the next: 24, 44 and 64 px at the usual text size. */
export const PITCHES = [1.5 + GAP, 2.75 + GAP, 4 + GAP] as const;
/** What the row labels take. */
export const LABEL = 1.75;

/** As large as fits a width, never smaller than can be hit. */
export function fitting(cols: number, width: number): number {
	const fit = (width - LABEL) / Math.max(1, cols);
	return Math.min(PITCHES[2], Math.max(PITCHES[0], Math.floor(fit * 64) / 64));
}

/** The first size of a bank: large where it fits, else the one with numbers. */
export const first = (cols: number, width: number): number => (fitting(cols, width) >= PITCHES[2] ? PITCHES[2] : PITCHES[1]);

/** The next larger or smaller size; the same at the end. */
export function step(pitch: number, by: 1 | -1): number {
	const sizes = by > 0 ? PITCHES : [...PITCHES].reverse();
	return sizes.find((size) => (size - pitch) * by > 0.01) ?? pitch;
}

/** Whether only shapes can be seen: a tap there means "closer". */
export const isTiny = (pitch: number): boolean => pitch < PITCHES[1] - 0.1;
