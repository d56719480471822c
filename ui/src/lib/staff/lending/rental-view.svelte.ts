/** One rental for its page, what staff do with it, and the openings of its locker in its days. */
import { api, ask, type Schemas } from '../../api/client';
import { once } from '../../api/once';
import { Refusal, Unreachable } from '../../api/problem';
import { Loading } from '../../ui/loading.svelte';
import type { RentalRow } from './rental';

export type OpeningRow = Schemas['ListedOpeningReply'];

export class RentalView {
	readonly it: Loading<RentalRow>;
	readonly openings: Loading<OpeningRow[]>;

	constructor(readonly id: number) {
		const params = { path: { rental_id: id } };
		this.it = new Loading(() => ask(api.GET('/api/v1/rentals/{rental_id}', { params })));
		this.openings = new Loading(() => this.#openings());
	}

	async load(): Promise<void> {
		await this.it.load();
		if (this.it.value?.locker_id) await this.openings.load();
	}

	end(reason: string): Promise<Schemas['TakenAwayReply']> {
		return once(`end-rental:${this.id}`, (key) =>
			ask(api.POST('/api/v1/rentals/{rental_id}/end', { params: this.#params(key), body: { reason } }))
		);
	}

	move(locker_id: number, reason: string): Promise<Schemas['MovedReply']> {
		return once(`move-rental:${this.id}:${locker_id}`, (key) =>
			ask(api.POST('/api/v1/rentals/{rental_id}/move', { params: this.#params(key), body: { locker_id, reason } }))
		);
	}

	change(ends_on: string, reason: string): Promise<Schemas['GrantedReply']> {
		return once(`change-rental:${this.id}:${ends_on}`, (key) =>
			ask(api.PATCH('/api/v1/rentals/{rental_id}', { params: this.#params(key), body: { ends_on, reason } }))
		);
	}

	#params(key: string): { path: { rental_id: number }; header: { 'Idempotency-Key': string } } {
		return { path: { rental_id: this.id }, header: { 'Idempotency-Key': key } };
	}

	/** The openings of its locker in its days: its renter's, and those of staff. */
	async #openings(): Promise<OpeningRow[]> {
		const it = this.it.value;
		if (!it?.locker_id || !it.opened_at) return [];
		try {
			const query = { locker_id: it.locker_id, limit: 50 };
			const { openings } = await ask(api.GET('/api/v1/openings', { params: { query } }));
			const [from, to] = [Date.parse(it.held_at), it.ended_at ? Date.parse(it.ended_at) : Number.POSITIVE_INFINITY];
			return openings.filter(({ requested_at }) => {
				const at = Date.parse(requested_at);
				return at >= from && at <= to;
			});
		} catch (error) {
			// The rest of the page stands without them.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			return [];
		}
	}
}
