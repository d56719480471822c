/** Why something cannot be changed now: said beside its button, never found out by a refusal. Opening is no change. */
import { live } from '../live';
import { session } from '../session.svelte';
import { site } from '../site.svelte';
import { texts } from '../i18n/texts.svelte';

/** Why nobody can change anything just now; nothing while all is well. */
export function whyNot(): string | undefined {
	if (live.status === 'stale') return texts.common.staleReason;
	return site.isWhole ? undefined : texts.common.degraded;
}

/** Why this account cannot change what admins change. */
export function whyNotAdmin(): string | undefined {
	return session.member?.role === 'admin' ? whyNot() : texts.staff.adminOnly;
}
