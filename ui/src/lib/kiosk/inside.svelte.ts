/**
 * What only somebody who is signed in sees. The page is loaded anew after everybody, so its front is kept light; the
 * rest comes while the next one types.
 */
import { Unreachable } from '../api/problem';
import { texts } from '../i18n/texts.svelte';

class Inside {
	screens = $state.raw<typeof import('./screens') | undefined>();

	/** @throws Unreachable when it cannot be had now. */
	async load(): Promise<void> {
		if (this.screens) return;
		try {
			const [screens] = await Promise.all([import('./screens'), texts.need('student')]);
			this.screens = screens;
		} catch (cause) {
			throw new Unreachable(cause);
		}
	}
}

export const inside = new Inside();
