import { describe, expect, it } from 'vitest';
import { sizes, type Glass } from './sizes';

const glass = (width: number, height: number, diagonalMm?: number, isLarge = false): Glass => ({
	screen: { width, height },
	page: { width, height },
	diagonalMm,
	isLarge
});

describe('letters', () => {
	it('are 12 mm on a screen of 27 inches', () => {
		const found = sizes(glass(1080, 1920, 686));
		expect(found.mm).toBeCloseTo(3.211, 3);
		expect(found.lettersMm).toBeCloseTo(12, 5);
		expect(found).toMatchObject({ isSmallScreen: false, isTight: false });
	});

	it('are 7.25 mm on a screen of up to 28 cm', () => {
		const found = sizes(glass(1280, 800, 257));
		expect(found.lettersMm).toBeCloseTo(7.25, 5);
		expect(found).toMatchObject({ isSmallScreen: true, isTight: false });
		expect(sizes(glass(1280, 800, 280)).isSmallScreen).toBe(true);
		expect(sizes(glass(1280, 800, 281)).isSmallScreen).toBe(false);
	});

	it('grow on demand', () => {
		const usual = sizes(glass(1080, 1920, 686));
		expect(sizes(glass(1080, 1920, 686, true)).letters).toBeCloseTo(usual.letters * 1.3, 5);
	});

	it('are as large as a narrow page can bear, and it is said that they are too small', () => {
		const found = sizes(glass(320, 640));
		expect(found.letters).toBeLessThanOrEqual(320 / 17);
		expect(found.isTight).toBe(true);
	});

	it('go by the screen, not by a window that is smaller', () => {
		const found = sizes({ ...glass(1080, 1920, 686), page: { width: 1080, height: 1500 } });
		expect(found.mm).toBeCloseTo(3.211, 3);
	});
});
