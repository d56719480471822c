/** Everything about one locker that its drawer shows: who has it, how it was opened, what was noted. */
import { api, ask, type Schemas } from '../../api/client';
import { addDays } from '../../format';
import { live } from '../../live';
import { texts } from '../../i18n/texts.svelte';
import { Loading } from '../../ui/loading.svelte';
import type { Opening, Rental } from './desk';
import { inOrder } from './standing';

export type Note = Schemas['NoteReply'];
export type Waiting = Schemas['ReturnReply'];

/** As far back as the server looks at once. */
const DAYS = 399;
const OPENINGS = 10;
const NOTES = 20;
/** Several changes that come together are asked for once, in ms. */
const GATHER_MS = 400;

export interface Held {
	/** What lives of its rentals, the one that matters now first. */
	rentals: Rental[];
	/** What a returned one waits for. */
	waiting: Waiting | undefined;
}

export class LockerFile {
	readonly held: Loading<Held>;
	readonly openings: Loading<Opening[]>;
	readonly notes: Loading<{ notes: Note[]; more: boolean }>;
	#gathering: ReturnType<typeof setTimeout> | undefined;

	constructor(
		readonly id: number,
		readonly bank: number
	) {
		this.held = new Loading(async () => {
			const params = { query: { locker_id: id, state: 'live', sort: 'ends_on' } };
			const { rentals } = await ask(api.GET('/api/v1/rentals', { params }));
			const isReturned = rentals.some(({ state }) => state === 'returned');
			return { rentals: inOrder(rentals), waiting: isReturned ? await this.#waiting() : undefined };
		});
		this.openings = new Loading(async () => {
			const from = addDays(texts.format.today(), -DAYS);
			const params = { query: { locker_id: id, from, limit: OPENINGS } };
			return (await ask(api.GET('/api/v1/openings', { params }))).openings;
		});
		this.notes = new Loading(async () => {
			const params = { path: { locker_id: id }, query: { limit: NOTES } };
			const { notes, next_cursor } = await ask(api.GET('/api/v1/lockers/{locker_id}/notes', { params }));
			return { notes, more: Boolean(next_cursor) };
		});
	}

	/** Asks for everything and stays up to date until the returned function is called. */
	follow(): () => void {
		void this.look();
		const heard = (items: { locker_id?: unknown }[]): void => {
			if (items.some(({ locker_id }) => locker_id === this.id)) this.#lookSoon();
		};
		const ear = { snapshot: () => {}, delta: heard };
		const deaf = [live.hear('lockers', ear, this.bank), live.hear('openings', ear)];
		return () => {
			deaf.forEach((end) => end());
			clearTimeout(this.#gathering);
		};
	}

	async look(): Promise<void> {
		await Promise.all([this.held.load(), this.openings.load(), this.notes.load()]);
	}

	#lookSoon(): void {
		clearTimeout(this.#gathering);
		this.#gathering = setTimeout(() => void Promise.all([this.held.load(), this.openings.load()]), GATHER_MS);
	}

	async #waiting(): Promise<Waiting | undefined> {
		const params = { query: { bank_id: this.bank, limit: 100 } };
		const { returns } = await ask(api.GET('/api/v1/returns', { params }));
		return returns.find(({ locker_id }) => locker_id === this.id);
	}
}
