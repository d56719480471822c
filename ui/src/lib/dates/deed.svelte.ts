/** What can be done with one's own reservation, each of it once: checking in, giving up, moving to another bank. */
import { api, ask, type Schemas } from '../api/client';
import { once } from '../api/once';
import { Refusal, Unreachable } from '../api/problem';
import { mine } from '../mine.svelte';

export type CheckedIn = Schemas['CheckInReply'];

/** What a reservation waits for, and how it went. */
export class Deed {
	isSending = $state(false);
	/** The answer was lost and is asked for. */
	isInDoubt = $state(false);
	failure = $state.raw<Refusal | Unreachable | undefined>();
	checkedIn = $state.raw<CheckedIn | undefined>();

	constructor(readonly id: number) {}

	/** Whether it is refused because nothing is free right now. */
	get isNoneFree(): boolean {
		return this.failure instanceof Refusal && this.failure.code === 'no_free_locker';
	}

	/** Another bank that could serve it, as a refused check-in says. */
	get offered(): number | undefined {
		return this.failure instanceof Refusal && this.isNoneFree ? this.failure.number('offered_bank_id') : undefined;
	}

	/** Whether it is refused for want of a code, or for a wrong one. */
	get wantsCode(): boolean {
		const { failure } = this;
		return failure instanceof Refusal && failure.code.startsWith('presence_');
	}

	async checkIn(code: string | undefined): Promise<boolean> {
		return this.#do('check-in', async (key) => {
			const body = code === undefined ? {} : { presence_code: code };
			this.checkedIn = await ask(
				api.POST('/api/v1/reservations/{reservation_id}/check-in', { params: this.#params(key), body })
			);
		});
	}

	async cancel(): Promise<boolean> {
		return this.#do('cancel', async (key) => {
			await ask(api.DELETE('/api/v1/reservations/{reservation_id}', { params: this.#params(key) }));
		});
	}

	async replace(bankId: number): Promise<boolean> {
		return this.#do(`replace:${bankId}`, async (key) => {
			const body = { bank_id: bankId };
			await ask(api.POST('/api/v1/reservations/{reservation_id}/replace', { params: this.#params(key), body }));
		});
	}

	#params(key: string): { path: { reservation_id: number }; header: { 'Idempotency-Key': string } } {
		return { path: { reservation_id: this.id }, header: { 'Idempotency-Key': key } };
	}

	/** Whether it was done; `failure` says why not. */
	async #do(what: string, send: (key: string) => Promise<void>): Promise<boolean> {
		if (this.isSending) return false;
		this.isSending = true;
		this.failure = undefined;
		try {
			await once(`reservation:${this.id}:${what}`, send, () => (this.isInDoubt = true));
			return true;
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.failure = error;
			return false;
		} finally {
			this.isSending = false;
			this.isInDoubt = false;
			void mine.look();
		}
	}
}
