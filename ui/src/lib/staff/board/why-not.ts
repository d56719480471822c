/** Why nothing can be changed now; nothing when it can. Opening a door is no change in this sense. */
import { live } from '../../live';
import { site } from '../../site.svelte';
import { texts } from '../../i18n/texts.svelte';

export function whyNot(): string | undefined {
	if (live.status === 'stale') return texts.common.staleReason;
	return site.isWhole ? undefined : texts.common.degraded;
}
