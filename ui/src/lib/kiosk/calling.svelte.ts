/** Calling staff: by whoever is signed in, about their locker, or by the kiosk for whoever stands before it. */
import { api, ask, type Schemas } from '../api/client';
import { newKey } from '../api/once';
import { Refusal, Unreachable } from '../api/problem';
import { soon } from './patience';
import { member } from './member.svelte';

export const REASONS = ['door_stuck', 'things_left', 'other'] as const;
export type Reason = (typeof REASONS)[number];

/** What a call is about, as far as it is known. */
export interface About {
	locker?: number | undefined;
	operation?: string | undefined;
}

class Calling {
	about = $state.raw<About>({});
	busy = $state<Reason | undefined>();
	/** Staff were told. */
	told = $state.raw<Schemas['HelpReply'] | undefined>();
	failure = $state.raw<Refusal | Unreachable | undefined>();

	/** Another one, or about another thing. */
	begin(about: About): void {
		this.about = about;
		this.told = undefined;
		this.failure = undefined;
	}

	async call(reason: Reason): Promise<void> {
		if (this.busy) return;
		this.busy = reason;
		this.failure = undefined;
		const { about } = this;
		try {
			const told = await soon(member.isIn ? this.#ofMember(reason) : this.#ofKiosk(reason));
			if (about === this.about) this.told = told;
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			if (about === this.about) this.failure = error;
		} finally {
			this.busy = undefined;
		}
	}

	async #ofMember(reason: Reason): Promise<Schemas['HelpReply']> {
		const { locker, operation } = this.about;
		try {
			return await ask(
				api.POST('/api/v1/help', {
					params: { header: { 'Idempotency-Key': newKey() } },
					body: {
						reason,
						...(locker === undefined ? {} : { locker_id: locker }),
						...(operation === undefined ? {} : { operation_id: operation })
					}
				})
			);
		} catch (error) {
			// Who has no locker asks as anybody who stands here.
			if (error instanceof Refusal && error.code === 'not_your_locker') return this.#ofKiosk(reason);
			throw error;
		}
	}

	#ofKiosk(reason: Reason): Promise<Schemas['HelpReply']> {
		return ask(api.POST('/api/v1/kiosk/help', { body: { reason } }));
	}
}

export const calling = new Calling();
