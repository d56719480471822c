/** The live board: every bank with its lockers, and what is to be done today. */
import { api, ask } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';
import { live } from '../../live';
import type { Item } from '../../live/protocol';
import { Cells } from '../../map/cells.svelte';
import type { BankMap } from '../../map/bank.svelte';
import { texts } from '../../i18n/texts.svelte';
import { Loading } from '../../ui/loading.svelte';
import { banks, type StaffBank } from '../banks.svelte';
import { endingUpTo, inTurns, isInside, openCases, type Case } from './desk';
import { boardKey, countOf, endingOn } from './standing';

/** Figures that no socket tells are asked for so often, in ms. */
const FIGURES_MS = 60_000;
/** Without the socket the states are asked for so often, in ms. */
const POLL_MS = 12_000;
/** What a change of lockers may mean for the figures is asked once for many of them, in ms. */
const GATHER_MS = 10_000;

/** One bank on the board. */
export class Tile {
	map = $state.raw<BankMap | undefined>();
	cells = $state.raw<Cells | undefined>();
	/** Its drawing could not be had. */
	isLost = $state(false);

	/** The boards that its locks hang on. */
	readonly boards: readonly string[];

	constructor(readonly bank: StaffBank) {
		this.boards = bank.boards.map(boardKey);
	}

	/** Counted when something was applied to its cells: `counts` changes with every state that matters. */
	readonly counts = $derived.by(() => {
		const cells = this.cells;
		if (!cells?.isKnown) return undefined;
		return countOf(cells.list.map(({ look, state }) => (look === 'unknown' ? undefined : state)));
	});

	/** @param states What was heard of its lockers by the time the drawing is there. */
	async load(states: () => Iterable<Item>): Promise<void> {
		const bank_id = this.bank.bank_id;
		try {
			const map = await ask(api.GET('/api/v1/banks/{bank_id}/map', { params: { path: { bank_id } } }));
			const cells = new Cells(map.cells);
			const known = [...states()];
			if (known.length > 0) cells.snapshot(known);
			this.map = map;
			this.cells = cells;
			this.isLost = false;
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.isLost = true;
		}
	}
}

/** What is to be done, as far as no socket tells it. */
export interface Figures {
	cases: Case[];
	endsToday: number;
	/** There may be more that end today. */
	isCut: boolean;
	shortages: number;
	moreShortages: boolean;
	/** Given back, and only staff can say that they are empty. */
	returns: number;
	moreReturns: boolean;
	/** Jobs whose last run failed. */
	failedJobs: number;
}

async function look(): Promise<Figures> {
	const today = texts.format.today();
	const [cases, ending, short, returned, { jobs }] = await Promise.all([
		openCases(),
		endingUpTo(today),
		ask(api.GET('/api/v1/shortages', { params: { query: { limit: 100 } } })),
		ask(api.GET('/api/v1/returns', { params: { query: { limit: 100 } } })),
		ask(api.GET('/api/v1/jobs'))
	]);
	return {
		cases,
		endsToday: endingOn(ending.rows, today),
		isCut: ending.isCut,
		shortages: short.shortages.length,
		moreShortages: Boolean(short.next_cursor),
		returns: returned.returns.filter(({ waits_for }) => waits_for === 'staff').length,
		moreReturns: Boolean(returned.next_cursor),
		failedJobs: jobs.filter(({ last_run }) => last_run?.result === 'failed').length
	};
}

export class BoardState {
	tiles = $state.raw<readonly Tile[]>([]);
	readonly figures = new Loading(look);
	/** Mass openings that run, with how many lockers have a result. */
	running = $state.raw<ReadonlyMap<string, Set<number>>>(new Map());
	/** How many lockers are late in each bank. */
	readonly late = $derived.by(() => {
		const late = new Map<number, Set<number>>();
		for (const it of this.figures.value?.cases ?? []) {
			if (isInside(it)) late.set(it.bank_id, (late.get(it.bank_id) ?? new Set()).add(it.locker_id));
		}
		return late;
	});

	readonly #heard = new Map<number, Map<unknown, Item>>();
	#gathering: ReturnType<typeof setTimeout> | undefined;

	/** Asks for everything and stays up to date until the returned function is called. */
	follow(): () => void {
		const load = async (): Promise<void> => {
			await banks.load();
			await this.#build(banks.value ?? []);
		};
		void load();
		let snapshots = 0;
		const deaf = [
			live.hear('lockers', {
				snapshot: (_, groups) => {
					this.#heard.clear();
					for (const { bank, items } of groups) this.#keep(items, bank);
					for (const tile of this.tiles) tile.cells?.snapshot([...this.#of(tile)]);
					snapshots += 1;
					// A further one follows a change of the site, or an absence too long to catch up with.
					if (snapshots > 1) void load();
				},
				delta: (items, bank) => {
					this.#keep(items, bank);
					this.tiles.find((tile) => tile.bank.bank_id === bank)?.cells?.delta(items);
					this.#lookSoon();
				}
			}),
			live.hear('mass_openings', {
				snapshot: (items) => {
					this.running = new Map();
					this.#mass(items);
				},
				delta: (items) => this.#mass(items)
			})
		];
		void this.figures.load();
		const timer = setInterval(() => {
			if (document.visibilityState !== 'visible') return;
			void this.figures.load();
			void banks.load();
		}, FIGURES_MS);
		return () => {
			deaf.forEach((end) => end());
			clearInterval(timer);
			clearTimeout(this.#gathering);
		};
	}

	/** Asks for the states now and then, for as long as the socket is away. */
	poll(): () => void {
		const once = async (): Promise<void> => {
			try {
				const { lockers } = await ask(api.GET('/api/v1/lockers'));
				if (live.status === 'live') return;
				this.#heard.clear();
				for (const locker of lockers) this.#keep([locker], locker.bank);
				for (const tile of this.tiles) tile.cells?.snapshot([...this.#of(tile)]);
			} catch (error) {
				// The strip on top says that there is no connection.
				if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			}
		};
		const first = setTimeout(() => void once(), 1000);
		const timer = setInterval(() => void once(), POLL_MS);
		return () => {
			clearTimeout(first);
			clearInterval(timer);
		};
	}

	async #build(all: readonly StaffBank[]): Promise<void> {
		const tiles = all.map((bank) => {
			const known = this.tiles.find((tile) => tile.bank.bank_id === bank.bank_id);
			const tile = new Tile(bank);
			// What is drawn stays until the new drawing is there.
			if (known) [tile.map, tile.cells] = [known.map, known.cells];
			return tile;
		});
		this.tiles = tiles;
		await inTurns(tiles, (tile) => tile.load(() => this.#of(tile)));
	}

	#of(tile: Tile): Iterable<Item> {
		return this.#heard.get(tile.bank.bank_id)?.values() ?? [];
	}

	#keep(items: readonly Item[], bank: number | null): void {
		if (bank === null) return;
		const known = this.#heard.get(bank) ?? new Map<unknown, Item>();
		this.#heard.set(bank, known);
		for (const item of items) known.set(item['locker_id'], item);
	}

	#lookSoon(): void {
		this.#gathering ??= setTimeout(() => {
			this.#gathering = undefined;
			void this.figures.load();
		}, GATHER_MS);
	}

	#mass(items: readonly Item[]): void {
		const running = new Map(this.running);
		for (const { mass_opening_id: id, state, locker_id: locker } of items) {
			if (typeof id !== 'string') continue;
			if (typeof state === 'string' && state !== 'running') running.delete(id);
			else if (state === 'running') running.set(id, running.get(id) ?? new Set());
			else if (typeof locker === 'number' && running.has(id)) running.set(id, new Set(running.get(id)).add(locker));
		}
		this.running = running;
	}
}
