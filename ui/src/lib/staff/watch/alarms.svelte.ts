/** The page of alarms: its list as the filters say, what began since, and rows kept true in their place. */
import { api, ask, type Schemas } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';
import { texts } from '../../i18n/texts.svelte';
import { liveAlarms } from '../alarms.svelte';
import { pageAt, Paged } from '../paged.svelte';
import { behind, freshOf, STATES, type Sieve, type Tab } from './alarm-list';
import { beginOf, endOf } from '../days';

export type Alarm = Schemas['AlarmReply'];
export type AlarmDetail = Schemas['AlarmDetailReply'];

export interface Asked extends Sieve {
	tab: Tab;
	from: string;
	to: string;
}

/** What the server is asked for, without the state. */
export function queryOf({ kind, severity, bank, locker, from, to }: Omit<Asked, 'tab'>): Record<string, string> {
	const query: Record<string, string> = {};
	if (kind) query['kind'] = kind;
	if (severity) query['severity'] = severity;
	if (bank) query['bank_id'] = bank;
	if (locker) query['locker_id'] = locker;
	if (from) query['since'] = beginOf(from, texts.zone);
	if (to) query['until'] = endOf(to, texts.zone);
	return query;
}

export class AlarmList extends Paged<Alarm> {
	/** The newest alarm that was known when the list was asked for. */
	#newest = 0;
	/** Those that the socket told of: one that it tells of no more is over. */
	#heard = new Set<number>();
	#asking = new Set<number>();

	constructor(private readonly asked: Asked) {
		const query = { ...queryOf(asked), state: STATES[asked.tab] };
		super(async (cursor) => {
			const { alarms, next_cursor: next } = await ask(
				api.GET('/api/v1/alarms', { params: { query: { ...query, ...pageAt(cursor) } } })
			);
			return { rows: alarms, next };
		});
	}

	override async load(): Promise<void> {
		const newestOf = (alarms: readonly { alarm_id: number }[]): number => Math.max(0, ...alarms.map(({ alarm_id: id }) => id));
		// What begins while the answer is on its way may not stand in it: it is new.
		const before = newestOf(liveAlarms.all);
		await super.load();
		this.#newest = before || newestOf([...liveAlarms.all, ...(this.value?.rows ?? [])]);
	}

	/** Alarms that began since: said above the list, which does not move. */
	readonly fresh = $derived.by(() => {
		// Nothing is new of days that are over, nor among what somebody acknowledged.
		if (!this.value || this.asked.tab !== 'open' || this.asked.to) return [];
		return freshOf(liveAlarms.open, this.value.rows, this.#newest, this.asked);
	});

	/** Asks anew for rows of which the socket says otherwise; they stay where they are. */
	async keepTrue(): Promise<void> {
		for (const { alarm_id: id } of liveAlarms.all) this.#heard.add(id);
		const old = behind(this.value?.rows ?? [], liveAlarms.all, this.#heard);
		await Promise.all(old.map(({ alarm_id: id }) => this.#askFor(id)));
	}

	/** Puts in place what is known of one. */
	put(alarm: Alarm): void {
		this.change((rows) => rows.map((row) => (row.alarm_id === alarm.alarm_id ? alarm : row)));
	}

	async #askFor(id: number): Promise<void> {
		if (this.#asking.has(id)) return;
		this.#asking.add(id);
		try {
			this.put(await alarmOf(id));
		} catch (error) {
			// The row stays as it was; the next word of the socket asks again.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		} finally {
			this.#asking.delete(id);
		}
	}
}

/** One alarm with what became of it. */
export function alarmOf(id: number): Promise<AlarmDetail> {
	return ask(api.GET('/api/v1/alarms/{alarm_id}', { params: { path: { alarm_id: id } } }));
}
