/**
 * What this device is: its screen as staff measured it, and how it looks when nobody stands there. Kept here
 * alone, since it belongs to the glass and not to the site. Never anything of a member.
 */
import { read, write } from '../i18n/language';
import { texts } from '../i18n/texts.svelte';
import { FIRST, readSettings, type Look, type Settings } from './settings';
import { sizes, type Sizes } from './sizes';

const KEY = 'lockerd.kiosk';

class Device {
	/** As staff set it up. */
	settings = $state.raw<Settings>(FIRST);
	/** As somebody who stands here wants it now. */
	look = $state.raw<Look>(FIRST);
	#glass = $state.raw({ screen: { width: 0, height: 0 }, page: { width: 0, height: 0 } });

	readonly sizes = $derived<Sizes>(
		sizes({ ...this.#glass, diagonalMm: this.settings.diagonalMm, isLarge: this.look.isLarge })
	);

	/** Takes up what is kept; call it before the first page is drawn. */
	async begin(): Promise<void> {
		this.settings = readSettings(read(KEY));
		this.measure();
		await this.reset();
	}

	/** The page was turned or resized. */
	measure(): void {
		this.#glass = {
			screen: { width: screen.width, height: screen.height },
			page: { width: innerWidth, height: innerHeight }
		};
	}

	/** Keeps what staff chose. */
	async keep(settings: Settings): Promise<void> {
		this.settings = settings;
		write(KEY, JSON.stringify(settings));
		await this.reset();
	}

	/** Looks as somebody wants it, until they leave. What was chosen last is what stays, however long texts take. */
	async choose(choice: Partial<Look>): Promise<void> {
		this.look = { ...this.look, ...choice };
		try {
			// Also back again: the other one may be on its way.
			await texts.speak(this.look.language, false);
		} catch {
			// Texts that did not come: everything else is as it was chosen, and the kiosk goes on.
			this.look = { ...this.look, language: texts.language };
		}
	}

	/** As it was set up: the next one comes to what they know. */
	reset(): Promise<void> {
		return this.choose(this.settings);
	}

	/** Puts sizes and theme on the page: use it as the body of an `$effect`. */
	show(): () => void {
		const root = document.documentElement;
		root.style.setProperty('--mm', `${this.sizes.mm}px`);
		root.style.setProperty('font-size', `${this.sizes.letters}px`);
		root.dataset['theme'] = this.look.isDark ? 'dark' : 'light';
		return () => {
			root.style.removeProperty('--mm');
			root.style.removeProperty('font-size');
			delete root.dataset['theme'];
		};
	}
}

export const device = new Device();
