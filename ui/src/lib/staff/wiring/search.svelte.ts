/**
 * A scan or a new address that the server carries out: followed by its id, which stands in the page's address, so
 * that leaving and coming back shows the same one.
 */
import { api, ask } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';

export interface Sharing {
	/** alone, suspected, … */
	verdict: string;
}

export interface Found {
	baud: number;
	family: string;
	address: number;
	sharing: Sharing | null;
}

export interface SearchView {
	id: string;
	kind: 'scan' | 'address';
	bus: string;
	status: 'running' | 'done' | 'cancelled' | 'failed';
	asked: number;
	total: number | null;
	boards: Found[];
	result: {
		noisy?: Found[];
		noise?: { baud: number; questions: number; bytes: number }[];
		echo?: boolean;
		old?: number;
		new?: number;
		outcome?: 'done' | 'after_power_cycle';
	} | null;
	error: string | null;
}

/** How often it is asked for, in ms; while the server cannot be reached, less. */
const EVERY_MS = 700;
const AWAY_MS = 4000;

export class Search {
	view = $state.raw<SearchView | undefined>();
	failure = $state.raw<Refusal | Unreachable | undefined>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#id: string | undefined;

	readonly isRunning = $derived(this.view?.status === 'running');

	/** Follows one until it is over or `leave` is called. */
	follow(id: string): void {
		if (this.#id === id) return;
		this.leave();
		this.#id = id;
		this.view = undefined;
		void this.#look();
	}

	leave(): void {
		clearTimeout(this.#timer);
		this.#id = undefined;
	}

	/** Ends a scan with what it has. */
	async stop(): Promise<void> {
		const id = this.#id;
		if (id === undefined) return;
		const path = { scan_id: id };
		await this.#take(id, () => ask(api.DELETE('/api/v1/commissioning/scans/{scan_id}', { params: { path } })));
	}

	async #look(): Promise<void> {
		const id = this.#id;
		if (id === undefined) return;
		const path = { scan_id: id };
		await this.#take(id, () => ask(api.GET('/api/v1/commissioning/scans/{scan_id}', { params: { path } })));
		if (id !== this.#id) return;
		const isGone = this.failure instanceof Refusal && this.failure.status === 404;
		if (isGone || (this.view && this.view.status !== 'running')) return;
		clearTimeout(this.#timer);
		this.#timer = setTimeout(() => void this.#look(), this.failure ? AWAY_MS : EVERY_MS);
	}

	async #take(id: string, get: () => Promise<unknown>): Promise<void> {
		try {
			const view = (await get()) as SearchView;
			if (id !== this.#id) return;
			this.view = view;
			this.failure = undefined;
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			if (id === this.#id) this.failure = error;
		}
	}
}
