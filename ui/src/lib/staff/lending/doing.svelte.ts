/** Something that is being done: under way, refused, or done; and why it cannot be begun now. */
import { Refusal, Unreachable } from '../../api/problem';
import { live } from '../../live';
import { site } from '../../site.svelte';
import { texts } from '../../i18n/texts.svelte';

export class Doing {
	busy = $state(false);
	failure = $state.raw<Refusal | Unreachable | undefined>();

	/** Does it once at a time. Says whether it was done. */
	async run(work: () => Promise<void>): Promise<boolean> {
		if (this.busy) return false;
		this.busy = true;
		this.failure = undefined;
		try {
			await work();
			return true;
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.failure = error;
			return false;
		} finally {
			this.busy = false;
		}
	}
}

/** Why nothing can be changed now; nothing while all is well. */
export function cannotChange(): string | undefined {
	if (live.status === 'stale') return texts.common.staleReason;
	return site.isWhole ? undefined : texts.common.degraded;
}
