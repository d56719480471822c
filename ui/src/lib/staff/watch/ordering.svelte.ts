/**
 * Making a mass opening: choosing, looking at what will happen, sending it once. An order whose answer got lost is
 * never sent again: the server is asked what became of it.
 */
import { api, ask, type Schemas } from '../../api/client';
import { isOpen, keyOf, settle } from '../../api/once';
import { Refusal, Unreachable } from '../../api/problem';
import { Loading } from '../../ui/loading.svelte';
import { banks } from '../banks.svelte';
import { CalledOff, prove } from '../prove.svelte';
import { fateOf } from './lost';
import { choose, LOCKERS_MAX, orderOf, readNumbers, type Locker, type Which } from './order';

/** Names the request for this tab. */
const ACTION = 'mass-opening';
/** How long between two looks for a lost one. */
const LOOK_MS = 1500;

/** Being chosen; looked at; on its way; the answer was lost; it never arrived; nobody knows. */
export type Stand = 'choosing' | 'looking' | 'sending' | 'lost' | 'unsent' | 'unknown';

export class Ordering {
	stand = $state<Stand>('choosing');
	/** Banks that are chosen. */
	banks = $state.raw<ReadonlySet<number>>(new Set());
	which = $state<Which>('all');
	numbers = $state('');
	reason = $state('');
	failure = $state.raw<Refusal | Unreachable | undefined>();
	/** How long it takes; nothing while the server reckons or where that failed. */
	forecast = $state.raw<Schemas['ForecastReply'] | undefined>();
	/** An order of before the page was loaded is looked for. */
	isRecalling = $state(false);
	/** Nobody could say what became of it. */
	wasInDoubt = $state(false);
	/** The order that this one repeats. */
	again = $state<string | undefined>();

	/** The lockers of the caller's banks. */
	readonly lockers = new Loading<Locker[]>(async () => {
		await banks.need();
		if (banks.failure) throw banks.failure;
		const { lockers } = await ask(api.GET('/api/v1/lockers'));
		return lockers.filter(({ bank }) => banks.find(bank) !== undefined);
	});

	readonly read = $derived(readNumbers(this.numbers));
	readonly chosen = $derived(choose(this.lockers.value ?? [], this.banks, this.which, this.read.numbers));
	/** Numbers that no locker of the caller's has. */
	readonly unknown = $derived.by(() => {
		const there = new Set((this.lockers.value ?? []).map(({ locker_id: id }) => id));
		return this.which === 'numbers' ? this.read.numbers.filter((number) => !there.has(number)) : [];
	});
	readonly isTooMany = $derived(this.chosen.length > LOCKERS_MAX);
	/** The banks of what is chosen, with how many of each. */
	readonly perBank = $derived.by(() => {
		const counts = new Map<number, number>();
		for (const { bank } of this.chosen) counts.set(bank, (counts.get(bank) ?? 0) + 1);
		return [...counts];
	});

	/** Takes what an earlier order did not open. */
	async repeat(id: string, wordOf: (reason: string) => string): Promise<void> {
		const path = { mass_opening_id: id };
		try {
			const order = await ask(api.GET('/api/v1/mass-openings/{mass_opening_id}', { params: { path } }));
			this.which = 'numbers';
			this.numbers = order.not_seen_open.join(', ');
			this.reason = wordOf(order.reason);
			this.again = order.reason;
		} catch (error) {
			this.#failed(error);
		}
	}

	/** As the server takes it. */
	get #order(): Schemas['OrderRequest'] {
		return { ...orderOf(this.chosen, this.banks, this.which), reason: this.reason.trim() };
	}

	/** Shows what will happen. */
	async look(): Promise<void> {
		this.stand = 'looking';
		this.failure = undefined;
		this.forecast = undefined;
		try {
			const told = await ask(api.POST('/api/v1/mass-openings', { body: { ...this.#order, dry_run: true } }));
			this.forecast = told as Schemas['ForecastReply'];
		} catch (error) {
			// The order can be given without it.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}

	/** Gives the order; answers its name when it was accepted. */
	async send(): Promise<string | undefined> {
		this.stand = 'sending';
		this.failure = undefined;
		const key = keyOf(ACTION);
		const body = this.#order;
		try {
			const header = { 'Idempotency-Key': key };
			const post = () => ask(api.POST('/api/v1/mass-openings', { params: { header }, body }));
			const { mass_opening_id: id } = (await prove.before(post)) as Schemas['OrderReply'];
			settle(ACTION);
			return id;
		} catch (error) {
			if (error instanceof Unreachable) return this.#lookFor(key);
			settle(ACTION);
			this.stand = 'looking';
			if (!(error instanceof CalledOff)) this.#failed(error);
			return undefined;
		}
	}

	/** Takes up an order whose answer was lost before the page was loaded anew. */
	async recall(): Promise<string | undefined> {
		if (!isOpen(ACTION)) return undefined;
		this.isRecalling = true;
		const id = await this.#lookFor(keyOf(ACTION));
		if (id === undefined) {
			this.wasInDoubt = this.stand === 'unknown';
			this.stand = 'choosing';
		}
		this.isRecalling = false;
		return id;
	}

	async #lookFor(key: string): Promise<string | undefined> {
		this.stand = 'lost';
		const look = async (): Promise<unknown> =>
			(await ask(api.GET('/api/v1/operations/{key}', { params: { path: { key } } }))).answer;
		const fate = await fateOf(look, () => new Promise((resolve) => setTimeout(resolve, LOOK_MS)));
		if (typeof fate === 'object') {
			settle(ACTION);
			return fate.name;
		}
		// The key is kept: if the order arrives late, the next one is the same and opens nothing twice.
		this.stand = fate;
		return undefined;
	}

	#failed(error: unknown): void {
		if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		this.failure = error;
	}
}
