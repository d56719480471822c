/**
 * Sizes in millimetres on the glass. The Korean barrier-free notice wants letters of 12 mm, of 7.25 mm on screens
 * of up to 28 cm; a page knows only pixels, so staff tell the diagonal of the screen.
 */

export interface Glass {
	/** The whole screen, in CSS pixels. */
	screen: { width: number; height: number };
	/** The part that the page has. */
	page: { width: number; height: number };
	/** As staff measured it; nothing before they did. */
	diagonalMm: number | undefined;
	/** Whether somebody asked for large letters. */
	isLarge: boolean;
}

export interface Sizes {
	/** CSS pixels in a millimetre. */
	mm: number;
	/** The smallest letters, in CSS pixels. */
	letters: number;
	/** The same in millimetres, as they are really shown. */
	lettersMm: number;
	isSmallScreen: boolean;
	/** Whether the screen is too narrow for the letters that it should have. */
	isTight: boolean;
}

/** What CSS takes for a millimetre where nobody measured. */
const CSS_MM = 96 / 25.4;
const SMALL_SCREEN_MM = 280;
const LETTERS_MM = 12;
const SMALL_LETTERS_MM = 7.25;
const LARGE = 1.3;
/** So many letters must find room beside and below each other, or nothing can be said. */
const ACROSS = 17;
const DOWN = 16;

export function sizes({ screen, page, diagonalMm, isLarge }: Glass): Sizes {
	const diagonal = Math.hypot(screen.width, screen.height);
	const mm = diagonalMm ? diagonal / diagonalMm : CSS_MM;
	const isSmallScreen = diagonal / mm <= SMALL_SCREEN_MM;
	const wanted = (isSmallScreen ? SMALL_LETTERS_MM : LETTERS_MM) * mm;
	const room = Math.min(page.width / ACROSS, page.height / DOWN);
	const usual = Math.min(wanted, room);
	const letters = isLarge ? usual * LARGE : usual;
	return { mm, letters, lettersMm: letters / mm, isSmallScreen, isTight: room < wanted };
}

/** Diagonals that there are, with the inches by which they are sold. */
export const DIAGONALS: readonly { inches: number; mm: number }[] = [10.1, 13.3, 15.6, 21.5, 23.8, 27, 32, 43].map(
	(inches) => ({ inches, mm: Math.round(inches * 25.4) })
);
export const DIAGONAL_MIN_MM = 150;
export const DIAGONAL_MAX_MM = 2500;
