/** Why nothing of one's own can be changed just now, in words; nothing when it can. Opening goes on all the same. */
import { texts } from './i18n/texts.svelte';
import { live } from './live';
import { site } from './site.svelte';

export function paused(): string | undefined {
	if (live.status === 'stale') return texts.common.staleReason;
	return site.isWhole ? undefined : texts.common.degraded;
}
