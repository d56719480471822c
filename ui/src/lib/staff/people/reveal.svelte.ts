/**
 * Student ids and ways to reach people in full. The server covers them and writes down whom it showed to whom; here
 * is only whether somebody wants to see them. Off at first, and again with the next page load.
 */
import { api, ask, type Schemas } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';
import { session } from '../../session.svelte';
import { maskId } from './mask';

export type Revealed = Schemas['RevealedReply'];

/** What is covered of one member. */
export const revealed = (member: number): Promise<Revealed> =>
	ask(api.POST('/api/v1/members/{member_id}/reveal', { params: { path: { member_id: member } } }));

/** Whether a list shows everything of everybody on it. */
class Reveal {
	isOn = $state(false);

	/** An id out of a file that is about to be read in, which the server has covered nothing of. */
	id(id: string | null | undefined): string {
		if (!id) return '';
		return this.isOn ? id : maskId(id);
	}
}

export const reveal = new Reveal();

session.onLeave(() => (reveal.isOn = false));

/** What is shown of one member, once somebody asked for it; of the next one nothing is. */
export class Revealing {
	#shown = $state.raw<{ member: number; what: Revealed } | undefined>();
	busy = $state(false);
	failure = $state.raw<Refusal | Unreachable | undefined>();

	/** What is shown of this member. */
	of(member: number): Revealed | undefined {
		return this.#shown?.member === member ? this.#shown.what : undefined;
	}

	/** Shows it, or covers it again. */
	async turn(member: number): Promise<void> {
		if (this.busy) return;
		this.failure = undefined;
		if (this.of(member)) {
			this.#shown = undefined;
			return;
		}
		this.busy = true;
		try {
			this.#shown = { member, what: await revealed(member) };
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.failure = error;
		} finally {
			this.busy = false;
		}
	}
}
