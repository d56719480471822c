/** Theme and text size, as chosen on this device. */
import { read, write } from './i18n/language';

export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Percent of the usual text size. */
export const SIZES = [90, 100, 112, 125, 150] as const;
export type Size = (typeof SIZES)[number];

class Appearance {
	theme = $state<Theme>(THEMES.find((theme) => theme === read('lockerd.theme')) ?? 'system');
	size = $state<Size>(SIZES.find((size) => String(size) === read('lockerd.size')) ?? 100);

	/** Shows the choices; call it once the page is there and after each change. */
	show(): void {
		const root = document.documentElement;
		if (this.theme === 'system') delete root.dataset['theme'];
		else root.dataset['theme'] = this.theme;
		if (this.size === 100) delete root.dataset['size'];
		else root.dataset['size'] = String(this.size);
	}

	choose(choice: { theme?: Theme; size?: Size }): void {
		this.theme = choice.theme ?? this.theme;
		this.size = choice.size ?? this.size;
		write('lockerd.theme', this.theme === 'system' ? null : this.theme);
		write('lockerd.size', this.size === 100 ? null : String(this.size));
		this.show();
	}
}

export const appearance = new Appearance();
