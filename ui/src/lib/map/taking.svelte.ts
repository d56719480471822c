/** Holding a locker from a bank's page: what was asked, what came of it, what to say. */
import { goto } from '$app/navigation';
import { api, ask, type Schemas } from '../api/client';
import { settle } from '../api/once';
import { Refusal, Unreachable } from '../api/problem';
import { clock } from '../clock.svelte';
import { Wish, missed, type Missed } from './hold.svelte';
import { mine } from '../mine.svelte';
import { site } from '../site.svelte';
import { texts } from '../i18n/texts.svelte';
import type { Cells } from './cells.svelte';
import { anyOf, isNarrow, type Filter } from './filter';

/** The hold that was taken a moment ago, until one's own lockers are known anew. */
export interface Recent {
	locker: number;
	bank: number;
	/** By the server's clock. */
	at: number;
}

let latest = $state.raw<Recent | undefined>();

export const recent = {
	get value(): Recent | undefined {
		return latest;
	},
	/** It was confirmed or given up. */
	clear(): void {
		latest = undefined;
	}
};

/** A refusal a moment before the window opens is a clock that is some ms ahead: one more try is fair. */
const EARLY_MS = 1500;

export class Taking {
	readonly wish = new Wish();
	missed = $state.raw<Missed | undefined>();
	/** Where the locker is that one has instead. */
	where = $state<string | undefined>();
	/** No free locker fits the filter. */
	isEmpty = $state(false);

	constructor(private readonly bank: number) {}

	/** Forgets what went wrong. */
	clear(): void {
		this.missed = undefined;
		this.where = undefined;
		this.isEmpty = false;
	}

	async one(locker: number, held: number): Promise<void> {
		await this.#take(() => this.wish.one(locker), locker, held);
	}

	/** Any free locker; with a filter the server cannot choose, so some that fit are tried. */
	async any(cells: Cells | undefined, filter: Filter): Promise<void> {
		if (!cells || !isNarrow(filter)) {
			await this.#take(() => this.wish.any(this.bank), undefined, cells?.counts.held ?? 0);
			return;
		}
		const free = anyOf(cells.list, filter).map(({ id }) => id);
		this.clear();
		this.isEmpty = free.length === 0;
		if (free.length > 0) await this.#take(() => this.wish.anyOf(free), undefined, cells.counts.held);
	}

	async #take(work: () => Promise<Schemas['HoldReply']>, wanted: number | undefined, held: number): Promise<void> {
		if (this.wish.busy !== undefined) return;
		this.clear();
		try {
			const reply = await work().catch((error: unknown) => this.#again(error, work));
			mine.holdEnds = performance.now() + reply.expires_in_ms;
			latest = { locker: reply.locker_id, bank: this.bank, at: clock.now() };
			// What an earlier hold of it left behind must not confirm this one.
			settle(`confirm:${reply.locker_id}`);
			await goto(`/b/${this.bank}/hold`);
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			const found = missed(error, wanted, held);
			this.missed = found;
			if (found.kind === 'has' || found.kind === 'holds') await this.#find(found.locker);
			// The server's word of the window is newer than ours.
			if (found.kind === 'window') void site.load();
		}
	}

	async #again(
		error: unknown,
		work: () => Promise<Schemas['HoldReply']>
	): Promise<Schemas['HoldReply']> {
		const window = error instanceof Refusal ? (error.problem['window'] as Schemas['WindowReply'] | undefined) : undefined;
		if (!window?.opens_at || window.state !== 'before') throw error;
		const early = Date.parse(window.opens_at) - Date.parse(window.server_time);
		if (!(early > 0 && early <= EARLY_MS)) throw error;
		clock.learn(window.server_time, 0);
		await new Promise((resolve) => setTimeout(resolve, early + 50));
		return work();
	}

	/** Says where a locker is; its number alone when nobody answers. */
	async #find(locker: number): Promise<void> {
		this.where = texts.common.locker(locker);
		try {
			const found = await ask(api.GET('/api/v1/lockers/{locker_id}', { params: { path: { locker_id: locker } } }));
			this.where = texts.common.place(texts.name(found.location), texts.common.locker(locker));
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}
}
