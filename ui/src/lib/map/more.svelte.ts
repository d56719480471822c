/** More time for a hold, once, where the bank gives it. */
import { api, ask } from '../api/client';
import { once } from '../api/once';
import { Refusal, Unreachable } from '../api/problem';
import { holdLength } from './home.svelte';
import { mine } from '../mine.svelte';
import { failureText } from '../problems';
import { texts } from '../i18n/texts.svelte';

export class More {
	busy = $state(false);
	said = $state('');
	/** The locker whose hold was extended, or cannot be. */
	#settled = $state<number | undefined>();

	isOffered(locker: number): boolean {
		return this.#settled !== locker;
	}

	async ask(locker: number): Promise<void> {
		if (this.busy) return;
		this.busy = true;
		try {
			const reply = await once(`extend-hold:${locker}`, (key) =>
				ask(
					api.POST('/api/v1/lockers/{locker_id}/extend-hold', {
						params: { path: { locker_id: locker }, header: { 'Idempotency-Key': key } }
					})
				)
			);
			mine.holdEnds = performance.now() + reply.expires_in_ms;
			this.said = texts.bank.hold.extended(holdLength(reply.expires_in_ms));
			this.#settled = locker;
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			const isOff = error instanceof Refusal && error.code === 'option_off';
			this.said = isOff ? texts.bank.hold.noExtension : failureText(error);
			// A server that has no time just now may give more of it to whoever asks again.
			if (error instanceof Refusal && !error.isPassing) this.#settled = locker;
		} finally {
			this.busy = false;
		}
	}
}
