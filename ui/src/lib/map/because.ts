/** Why nothing can be held just now, in words; nothing when it can. */
import type { Window } from './window';
import { standing } from './window';
import { clock } from '../clock.svelte';
import { paused } from '../paused';
import { site } from '../site.svelte';
import { texts } from '../i18n/texts.svelte';

export function because(window: Window): string | undefined {
	const words = texts.bank.window;
	const now = standing(window, clock.second);
	const why = paused();
	if (why !== undefined) return why;
	if (!site.isClockTrusted || now.state === 'clock_untrusted') return words.clock_untrusted;
	if (now.state === 'before') return words.before(texts.format.instant(now.opensAt));
	if (now.state === 'after') return words.afterUnknown;
	if (now.state === 'none') return words.none;
	return undefined;
}
