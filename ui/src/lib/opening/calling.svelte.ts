/** Calling staff to one's own locker: sent once, and what became of it, also when an earlier page has sent it. */
import { api, ask } from '../api/client';
import { once } from '../api/once';
import { Refusal, Unreachable } from '../api/problem';
import { mine } from '../mine.svelte';
import { callOf, type Call } from './call';

export interface About {
	locker: number;
	/** The opening that failed, if it came so far. */
	operation?: string | undefined;
	reason: 'door_stuck' | 'things_left' | 'other';
}

export class Calling {
	isBusy = $state(false);
	failure = $state.raw<Refusal | Unreachable>();
	/** What this page has sent; a call from before stands among the alarms. */
	#sent = $state.raw<{ id: number; at: string }>();

	constructor(private readonly about: () => About) {}

	get isSent(): boolean {
		return this.#sent !== undefined;
	}

	/** What is known of the newest call about this locker. */
	get call(): Call | undefined {
		return callOf(mine.alarms.value?.alarms ?? [], this.about().locker, this.#sent);
	}

	async send(): Promise<void> {
		if (this.isBusy) return;
		this.isBusy = true;
		this.failure = undefined;
		const { locker, operation, reason } = this.about();
		const what = operation === undefined ? { locker_id: locker } : { operation_id: operation };
		try {
			const asked = await once(`help:${locker}`, (key) =>
				ask(
					api.POST('/api/v1/help', {
						params: { header: { 'Idempotency-Key': key } },
						body: { ...what, reason }
					})
				)
			);
			this.#sent = { id: asked.alarm_id, at: asked.asked_at };
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.failure = error;
		} finally {
			this.isBusy = false;
		}
	}
}
