/**
 * Showing once more who one is before dangerous acts. The server says when it wants to know (`proof_needed`): the
 * person is asked, and what they wanted goes on by itself. A refused request changed nothing, so it is sent again
 * as it was, with its key.
 */
import { api, ask } from '../api/client';
import { Refusal, Unreachable } from '../api/problem';

/** With what somebody shows it. */
export type Shown = { password: string } | { code: string };

/** They did not want to: nothing was done. */
export class CalledOff extends Error {
	constructor() {
		super('called off');
		this.name = 'CalledOff';
	}
}

/** Shows it for the log-in of this browser. */
export async function show(shown: Shown): Promise<void> {
	await ask(api.POST('/api/v1/auth/prove', { body: shown }));
}

class Prove {
	/** Somebody is being asked; whether a code of their app would do as well. */
	asked = $state.raw<{ hasApp: boolean } | undefined>();
	busy = $state(false);
	failure = $state.raw<Refusal | Unreachable | undefined>();
	#answer: Promise<void> | undefined;
	#done: (() => void) | undefined;
	#leave: ((why: CalledOff) => void) | undefined;

	/**
	 * Does something, and where the server wants to know first who it is, asks and does it again.
	 * @param act Sends the request; called a second time it must send the same with the same key.
	 * @throws CalledOff when they did not want to show it; what `act` throws.
	 */
	async before<T>(act: () => Promise<T>): Promise<T> {
		try {
			return await act();
		} catch (error) {
			if (!(error instanceof Refusal) || error.code !== 'proof_needed') throw error;
			await this.#ask(error.problem['second_factor'] === true);
			return act();
		}
	}

	/** What they typed; the question stays until it is right. */
	async answer(shown: Shown): Promise<void> {
		if (this.busy) return;
		this.busy = true;
		this.failure = undefined;
		try {
			await show(shown);
			this.#done?.();
			this.#forget();
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.failure = error;
		} finally {
			this.busy = false;
		}
	}

	/** They do not want to. */
	callOff(): void {
		if (this.busy) return;
		this.#leave?.(new CalledOff());
		this.#forget();
	}

	/** One question, however many acts wait for it. */
	#ask(hasApp: boolean): Promise<void> {
		this.#answer ??= new Promise<void>((done, leave) => {
			this.#done = done;
			this.#leave = leave;
			this.failure = undefined;
			this.asked = { hasApp };
		});
		return this.#answer;
	}

	#forget(): void {
		this.#answer = this.#done = this.#leave = undefined;
		this.asked = undefined;
		this.failure = undefined;
	}
}

export const prove = new Prove();
