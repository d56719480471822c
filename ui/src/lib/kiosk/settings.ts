/** What staff say of this kiosk's screen, as the browser keeps it. */
import type { Language } from '../i18n/language';
import { DIAGONAL_MAX_MM, DIAGONAL_MIN_MM } from './sizes';

/** How the pages look. */
export interface Look {
	language: Language;
	isLarge: boolean;
	/** Everything that is touched stands in the lower part: within reach of somebody who sits. */
	isLow: boolean;
	isDark: boolean;
}

export interface Settings extends Look {
	diagonalMm: number | undefined;
}

/** Before staff chose anything. */
export const FIRST: Settings = { language: 'ko', isLarge: false, isLow: false, isDark: false, diagonalMm: undefined };

/** Reads what was kept; whatever makes no sense is as if it had never been set. */
export function readSettings(kept: string | null): Settings {
	let found: Partial<Record<keyof Settings, unknown>> = {};
	try {
		const parsed: unknown = JSON.parse(kept ?? '{}');
		if (typeof parsed === 'object' && parsed !== null) found = parsed;
	} catch {
		// Somebody wrote something else under this name.
	}
	const { diagonalMm: mm } = found;
	return {
		language: found.language === 'en' ? 'en' : 'ko',
		isLarge: found.isLarge === true,
		isLow: found.isLow === true,
		isDark: found.isDark === true,
		diagonalMm: isDiagonal(mm) ? mm : undefined
	};
}

/** Whether a screen can be of this size, in mm. */
export function isDiagonal(mm: unknown): mm is number {
	return typeof mm === 'number' && mm >= DIAGONAL_MIN_MM && mm <= DIAGONAL_MAX_MM;
}
