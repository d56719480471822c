/** A bank as its staff see it: wires, overdue cases, alarms and doors over the map that everybody has. */
import { liveAlarms, type LiveAlarm } from '../alarms.svelte';
import type { Cell, Look } from '../../map/cells.svelte';
import { Loading } from '../../ui/loading.svelte';
import { isInside, openCases, setupsOf, type Case, type Setup } from './desk';
import { doors } from './doors.svelte';
import { lines } from './lines.svelte';
import { alarmsOf, boardKey, lookFor, marksOf, type Mark } from './standing';

/** Cases come by the calendar and by what staff do: both are rare. */
const CASES_MS = 60_000;

export class BankDesk {
	readonly setups: Loading<ReadonlyMap<number, Setup>>;
	readonly cases: Loading<ReadonlyMap<number, Case>>;

	constructor(readonly bank: number) {
		this.setups = new Loading(async () => new Map((await setupsOf(bank)).map((it) => [it.locker_id, it])));
		this.cases = new Loading(async () => new Map((await openCases(bank)).map((it) => [it.locker_id, it])));
	}

	readonly boards = $derived.by(() => {
		const setups = this.setups.value;
		if (!setups) return undefined;
		return [...new Set([...setups.values()].flatMap(({ wire }) => (wire ? [boardKey(wire)] : [])))];
	});
	readonly alarms = $derived.by<LiveAlarm[]>(() => alarmsOf(liveAlarms.open, this.bank, this.boards ?? []));
	readonly #alarmed = $derived(new Set(this.alarms.map(({ locker_id }) => locker_id)));

	/** Asks now and then until the returned function is called. */
	follow(): () => void {
		void this.look();
		const timer = setInterval(() => {
			if (document.visibilityState === 'visible') void this.cases.load();
		}, CASES_MS);
		return () => clearInterval(timer);
	}

	async look(): Promise<void> {
		await Promise.all([this.setups.load(), this.cases.load()]);
	}

	lookOf(cell: Cell): Look {
		const late = this.cases.value?.get(cell.id);
		return lookFor(cell.look, late !== undefined && isInside(late));
	}

	isSilent(locker: number): boolean {
		const wire = this.setups.value?.get(locker)?.wire;
		return wire ? lines.boards.get(boardKey(wire))?.status === 'silent' : false;
	}

	marksOf(locker: number): Mark[] {
		return marksOf({
			door: doors.known.get(locker)?.door,
			wire: this.setups.value?.get(locker)?.wire ?? undefined,
			hasAlarm: this.#alarmed.has(locker),
			isSilent: this.isSilent(locker)
		});
	}
}
