/**
 * Where one's own lockers are and whether they are lent at all: what `mine` does not tell. Asked for anew
 * whenever something of one's own has changed.
 */
import { api, ask, type Schemas } from '../api/client';
import { Refusal, Unreachable } from '../api/problem';
import { mine, type MyLocker } from '../mine.svelte';
import { session } from '../session.svelte';

export type LockerDetail = Schemas['LockerReply'];

/** What could not be asked for is asked for again after so long, while a page shows it. */
const AGAIN_MS = 3000;

class MyLockers {
	#known = $state.raw<ReadonlyMap<number, LockerDetail>>(new Map());
	#askedAt = 0;
	#again: ReturnType<typeof setTimeout> | undefined;

	constructor() {
		session.onLeave(() => (this.#known = new Map()));
	}

	/** All that I hold, rent or gave back; the one in use first. */
	readonly all = $derived.by<MyLocker[]>(() => {
		const known = mine.lockers.value;
		if (!known) return [];
		return [...(known.locker ? [known.locker] : []), ...known.others, ...known.returning];
	});

	/** Mine of this number, if it is. */
	of(locker: number): MyLocker | undefined {
		return this.all.find((it) => it.locker_id === locker);
	}

	detail(locker: number): LockerDetail | undefined {
		return this.#known.get(locker);
	}

	readonly outOfService = $derived.by<ReadonlySet<number>>(
		() => new Set([...this.#known.values()].filter((it) => it.state === 'out_of_service').map((it) => it.locker_id))
	);

	/** Stays up to date with `mine` while a page shows it: use it as the body of an `$effect`. */
	follow(): () => void {
		const ceases = mine.follow();
		const off = $effect.root(() => {
			$effect(() => {
				if (mine.lockers.at !== this.#askedAt) void this.#look(mine.lockers.at);
			});
		});
		return () => {
			off();
			ceases();
			clearTimeout(this.#again);
		};
	}

	async #look(at: number): Promise<void> {
		this.#askedAt = at;
		clearTimeout(this.#again);
		const found = await Promise.all(this.all.map((it) => this.#one(it.locker_id)));
		if (at !== this.#askedAt) return;
		this.#known = new Map(found.filter((it) => it !== undefined).map((it) => [it.locker_id, it]));
		// Without it pages do not know where a locker stands, nor whether it opens in presence alone.
		if (found.includes(undefined)) this.#again = setTimeout(() => void this.#look(at), AGAIN_MS);
	}

	/** One that cannot be asked for stays as it was known: its page works without. */
	async #one(locker: number): Promise<LockerDetail | undefined> {
		try {
			return await ask(api.GET('/api/v1/lockers/{locker_id}', { params: { path: { locker_id: locker } } }));
		} catch (error) {
			if (error instanceof Refusal || error instanceof Unreachable) return this.#known.get(locker);
			throw error;
		}
	}
}

export const myLockers = new MyLockers();
