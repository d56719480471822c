import { describe, expect, it } from 'vitest';
import { readSettings } from './settings';

const first = { language: 'ko', isLarge: false, isLow: false, isDark: false, diagonalMm: undefined };

describe('what a kiosk keeps of its screen', () => {
	it('is taken up as it was kept', () => {
		const settings = { language: 'en', isLarge: true, isLow: true, isDark: true, diagonalMm: 686 };
		expect(readSettings(JSON.stringify(settings))).toEqual(settings);
	});

	it('does no harm when it makes no sense', () => {
		for (const kept of [null, '', '{', 'null', '7', '[]', '{"language":"fr","isLarge":"yes","diagonalMm":"686"}']) {
			expect(readSettings(kept)).toEqual(first);
		}
		for (const diagonalMm of [0, -5, 12, 99_999]) expect(readSettings(JSON.stringify({ diagonalMm }))).toEqual(first);
	});
});
