/** The map of one bank with its states: the drawing is asked for once, states come by the live socket. */
import { api, ask, type Schemas } from '../api/client';
import { Refusal, Unreachable } from '../api/problem';
import { live } from '../live';
import type { Item } from '../live/protocol';
import { mine, type MyLocker } from '../mine.svelte';
import { Loading } from '../ui/loading.svelte';
import { Cells, type Own } from './cells.svelte';

export type BankMap = Schemas['MapReply'];

/** Without the socket the states are asked for so often, in ms; spread, so that a crowd does not ask at once. */
const POLL_MS = 12_000;
const SPREAD_MS = 6_000;

/** Which lockers are one's own; one that was given back is nobody's to choose, and shown as the server says. */
export function ownOf(lockers: readonly MyLocker[]): Own {
	const of = (state: string): number[] =>
		lockers.filter((locker) => locker.state === state).map(({ locker_id }) => locker_id);
	return { held: of('held'), rented: of('active') };
}

/** The caller's lockers that are not given back. */
export function myLockers(): MyLocker[] {
	const { locker, others = [] } = mine.lockers.value ?? {};
	return locker ? [locker, ...others] : others;
}

export class BankView {
	readonly map: Loading<BankMap>;
	cells = $state.raw<Cells | undefined>();

	/** What was heard, also before the map was there; nothing until something was. */
	#heard: Map<unknown, Item> | undefined;
	#snapshots = 0;

	constructor(
		readonly bankId: number,
		/** The site was changed: counts and windows may be others. */
		private readonly onResync: () => void = () => {}
	) {
		this.map = new Loading(async () => {
			const map = await ask(api.GET('/api/v1/banks/{bank_id}/map', { params: { path: { bank_id: bankId } } }));
			const known = this.map.value;
			// The same as before: nothing is drawn anew.
			if (known && JSON.stringify(known) === JSON.stringify(map)) return known;
			const cells = new Cells(map.cells);
			if (this.#heard) cells.snapshot([...this.#heard.values()]);
			this.cells = cells;
			return map;
		});
	}

	/** Stays up to date until the returned function is called. */
	follow(): () => void {
		void this.map.load();
		return live.hear(
			'lockers',
			{
				snapshot: (items) => {
					this.#snapshot(items);
					this.#snapshots += 1;
					// A second one follows a change of the site, or an absence too long to catch up with.
					if (this.#snapshots > 1) {
						void this.map.load();
						this.onResync();
					}
				},
				delta: (items) => {
					for (const item of items) this.#heard?.set(item['locker_id'], item);
					this.cells?.delta(items);
				}
			},
			this.bankId
		);
	}

	/** Asks for the states now and then, for as long as the socket is away. */
	poll(): () => void {
		let isOver = false;
		let timer: ReturnType<typeof setTimeout>;
		const look = async (): Promise<void> => {
			if (document.visibilityState === 'visible') await this.look();
			// The socket may have come back while the answer was on its way.
			if (!isOver) timer = setTimeout(look, POLL_MS + Math.random() * SPREAD_MS);
		};
		timer = setTimeout(look, Math.random() * 1000);
		return () => {
			isOver = true;
			clearTimeout(timer);
		};
	}

	/** Asks for the states once; without an answer what is shown stays, and its age with it. */
	async look(): Promise<void> {
		try {
			const { lockers } = await ask(api.GET('/api/v1/lockers'));
			if (live.status !== 'live') this.#snapshot(lockers.filter(({ bank }) => bank === this.bankId));
		} catch (error) {
			// The strip on top says that there is no connection.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}

	#snapshot(items: readonly Item[]): void {
		this.#heard = new Map(items.map((item) => [item['locker_id'], item]));
		this.cells?.snapshot(items);
	}
}
