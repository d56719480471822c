/** The page of openings: its list as the filters say, rows that follow the socket, and what came since. */
import { api, ask, type Schemas } from '../../api/client';
import { texts } from '../../i18n/texts.svelte';
import { live } from '../../live';
import type { Item } from '../../live/protocol';
import { pageAt, Paged } from '../paged.svelte';
import { withTold, type Told } from './opening-list';

export type ListedOpening = Schemas['ListedOpeningReply'];

export interface Asked {
	outcome: string;
	as: string;
	member: string;
	bank: string;
	locker: string;
	from: string;
	to: string;
}

/** What the server is asked for. */
export function queryOf({ outcome, as, member, bank, locker, from, to }: Asked): Record<string, string> {
	const query: Record<string, string> = {};
	if (outcome) query['outcome'] = outcome;
	if (as) query['opened_as'] = as;
	if (member) query['member_id'] = member;
	if (bank) query['bank_id'] = bank;
	if (locker) query['locker_id'] = locker;
	if (from) query['from'] = from;
	if (to) query['to'] = to;
	return query;
}

export class OpeningList extends Paged<ListedOpening> {
	/** Operations that began since the list was asked for and may stand in it. */
	#since = $state.raw<ReadonlySet<string>>(new Set());

	constructor(private readonly asked: Asked) {
		const query = queryOf(asked);
		super(async (cursor) => {
			const { openings, next_cursor: next } = await ask(
				api.GET('/api/v1/openings', {
					params: { query: { ...query, ...pageAt(cursor) } }
				})
			);
			return { rows: openings, next };
		});
	}

	override async load(): Promise<void> {
		await super.load();
		this.#since = new Set();
	}

	/** How many came since: said above the list, which does not move. */
	readonly fresh = $derived(this.#since.size);

	/** Follows the socket until the returned function is called. */
	follow(): () => void {
		const heard = (items: Item[]): void => {
			const told = items.filter((item) => Array.isArray(item['phases'])) as unknown as Told[];
			if (!this.value || told.length === 0) return;
			const byName = new Map(told.map((it) => [it.operation_id, it]));
			const shown = new Set(this.value.rows.map(({ operation_id: id }) => id));
			if (this.value.rows.some(({ operation_id: id }) => byName.has(id))) {
				this.change((rows) =>
					rows.map((row) => {
						const it = byName.get(row.operation_id);
						return it ? withTold(row, it) : row;
					})
				);
			}
			const others = told.filter((it) => !shown.has(it.operation_id) && this.#mayStand(it));
			if (others.length > 0) this.#since = new Set([...this.#since, ...others.map(({ operation_id: id }) => id)]);
		};
		// What is under way at the beginning stands in the list.
		return live.hear('openings', { snapshot: () => undefined, delta: heard });
	}

	#mayStand({ locker_id: locker, outcome }: Told): boolean {
		const { asked } = this;
		// Whose it is and of which bank the socket does not say.
		if (asked.member || asked.as || asked.bank || (asked.to && asked.to < texts.format.today())) return false;
		return (!asked.locker || String(locker) === asked.locker) && (!asked.outcome || outcome === asked.outcome);
	}
}

/** How an opening goes. */
export function openingOf(operation: string): Promise<Schemas['OpeningReply']> {
	return ask(api.GET('/api/v1/openings/{operation_id}', { params: { path: { operation_id: operation } } }));
}

/**
 * An opening as the list has it: who, by what right, of which order. The server gives that in lists only, so the
 * locker's list of that day is looked through.
 */
export async function listedOf(operation: string, locker: number, at: string): Promise<ListedOpening | undefined> {
	const day = texts.format.dayAt(Date.parse(at));
	let cursor: string | null | undefined;
	do {
		const query = { locker_id: locker, from: day, to: day, limit: 100, ...(cursor ? { cursor } : {}) };
		const page: Schemas['OpeningListReply'] = await ask(api.GET('/api/v1/openings', { params: { query } }));
		const found = page.openings.find(({ operation_id: id }) => id === operation);
		if (found) return found;
		cursor = page.next_cursor;
	} while (cursor);
	return undefined;
}
