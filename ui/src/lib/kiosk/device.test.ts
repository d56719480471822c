import { beforeEach, describe, expect, it, vi } from 'vitest';

const texts = { language: 'ko', speak: vi.fn<(language: string) => Promise<void>>() };
vi.mock('../i18n/texts.svelte', () => ({ texts }));
const { device } = await import('./device.svelte');

beforeEach(async () => {
	texts.language = 'ko';
	texts.speak.mockReset().mockImplementation(async (language) => void (texts.language = language));
	await device.reset();
});

describe('how the kiosk looks', () => {
	it('is what was chosen last, also while the texts of the other language come', async () => {
		let come = (): void => {};
		texts.speak.mockImplementationOnce(
			() => new Promise((resolve) => (come = () => resolve(void (texts.language = 'en'))))
		);
		const english = device.choose({ language: 'en' });
		await device.choose({ isLarge: true });
		come();
		await english;
		expect(device.look).toMatchObject({ language: 'en', isLarge: true });
	});

	it('is asked for anew when somebody leaves while texts are on their way', async () => {
		texts.speak.mockImplementationOnce(() => new Promise(() => {}));
		void device.choose({ language: 'en' });
		await device.reset();
		expect(texts.speak).toHaveBeenLastCalledWith('ko', false);
		expect(device.look.language).toBe('ko');
	});

	it('does not stop a kiosk whose texts do not come', async () => {
		texts.speak.mockRejectedValueOnce(new TypeError('no chunk'));
		await device.choose({ language: 'en', isLow: true });
		expect(device.look).toMatchObject({ language: 'ko', isLow: true });
	});
});
