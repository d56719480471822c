/**
 * Why the server cannot be looked after now: without connection, or by somebody who is no admin. A database that
 * takes no changes is no reason here: what mends it must stay possible.
 */
import { live } from '../../live';
import { session } from '../../session.svelte';
import { texts } from '../../i18n/texts.svelte';

/** The reason why an admin's change cannot be made here now, if there is one. */
export function adminBecause(): string | undefined {
	if (session.member?.role !== 'admin') return texts.system.adminOnly;
	return staffBecause();
}

/** The reason why a change of staff cannot be made now, if there is one. */
export function staffBecause(): string | undefined {
	return live.status === 'stale' ? texts.common.staleReason : undefined;
}
