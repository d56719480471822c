/** Why something cannot be changed now: said beside its button, never found out by a refusal. */
import { live } from '../../live';
import { session } from '../../session.svelte';
import { site } from '../../site.svelte';
import { texts } from '../../i18n/texts.svelte';

/** Why nobody can change anything just now. */
export function whyNobody(): string | undefined {
	if (live.status === 'stale') return texts.common.staleReason;
	return site.isWhole ? undefined : texts.common.degraded;
}

/** Why this account cannot change what admins change. */
export function whyNotAdmin(): string | undefined {
	return session.member?.role === 'admin' ? whyNobody() : texts.sites.adminOnly;
}
