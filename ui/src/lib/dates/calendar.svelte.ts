/**
 * The days of one bank in pool mode, month by month, kept fresh while a page shows them. Asking again is
 * cheap: the server answers from memory, and with an empty 304 while nothing has changed.
 */
import { untrack } from 'svelte';
import { api, ask, type Schemas } from '../api/client';
import { live } from '../live';
import { Loading } from '../ui/loading.svelte';
import type { Day, Rules } from './month';

type Reply = Schemas['CalendarReply'];

/** Others' reservations are not told over the socket, so the days are looked at this often, in ms. */
const LOOK_MS = 45_000;
/** Changes of lockers come in bursts; a look waits this long, and a random part more. */
const GATHER_MS = 1500;

export class Calendar {
	#months = $state.raw<Readonly<Record<string, Loading<Reply>>>>({});

	constructor(readonly bankId: number) {}

	/** Every day that is known. */
	readonly days = $derived<ReadonlyMap<string, Day & Schemas['DayReply']>>(
		new Map(
			Object.values(this.#months).flatMap(({ value }) => (value?.days ?? []).map((day) => [day.date, day] as const))
		)
	);

	/** How the bank takes reservations; of the newest answer, since the window moves on with each day. */
	readonly rules = $derived<(Rules & Schemas['ReservableReply']) | undefined>(
		this.#newest?.value?.reservations ?? undefined
	);

	/** Whether any month has come. */
	readonly isThere = $derived(this.#newest !== undefined);

	get #newest(): Loading<Reply> | undefined {
		const there = Object.values(this.#months).filter(({ value }) => value !== undefined);
		return there.sort((one, other) => other.at - one.at)[0];
	}

	/** A month, if it was ever asked for. */
	month(month: string): Loading<Reply> | undefined {
		return this.#months[month];
	}

	/** Asks for months that nobody asked for yet. */
	need(...months: string[]): void {
		untrack(() => {
			const missing = months.filter((month) => !this.#months[month]);
			if (missing.length === 0) return;
			const made = missing.map((month) => [month, this.#loading(month)] as const);
			this.#months = { ...this.#months, ...Object.fromEntries(made) };
			for (const [, loading] of made) void loading.load();
		});
	}

	/** Asks for every month anew. */
	async look(): Promise<void> {
		await Promise.all(Object.values(this.#months).map((loading) => loading.load()));
	}

	/** Stays fresh: use it as the body of an `$effect`. */
	follow(): () => void {
		let soon: ReturnType<typeof setTimeout> | undefined;
		const lookSoon = (): void => {
			// Spread, so that a check-in does not bring everybody's question at one moment.
			soon ??= setTimeout(
				() => {
					soon = undefined;
					void this.look();
				},
				GATHER_MS * (1 + Math.random())
			);
		};
		const seen = (): void => {
			if (document.visibilityState === 'visible') lookSoon();
		};
		const deaf = live.hear('lockers', { snapshot: () => {}, delta: lookSoon }, this.bankId);
		const timer = setInterval(seen, LOOK_MS);
		document.addEventListener('visibilitychange', seen);
		return () => {
			deaf();
			clearInterval(timer);
			clearTimeout(soon);
			document.removeEventListener('visibilitychange', seen);
		};
	}

	#loading(month: string): Loading<Reply> {
		const params = { path: { bank_id: this.bankId }, query: { month } };
		return new Loading(() => ask(api.GET('/api/v1/banks/{bank_id}/calendar', { params })));
	}
}
