/** The alarms that people still have to see, as the socket tells them: for the rail's count and the board. */
import { live } from '../live';
import type { Item } from '../live/protocol';
import { session } from '../session.svelte';

/** What the topic `alarms` says of one (docs/ref/live.md). */
export interface LiveAlarm {
	alarm_id: number;
	kind: string;
	severity: string;
	state: string;
	locker_id: number | null;
	bus: string | null;
	board: number | null;
	raised_at: string;
	last_seen_at: string;
	count: number;
	escalated_at: string | null;
	cleared_at: string | null;
	/** Told by the bank that the item came with; of boards and ports there is none. */
	bank_id: number | null;
}

class LiveAlarms {
	#known = $state.raw(new Map<number, LiveAlarm>());
	#heard: (() => void) | undefined;

	/** Oldest first. */
	readonly all = $derived([...this.#known.values()].sort((one, other) => one.alarm_id - other.alarm_id));
	/** Those that nobody took notice of yet. */
	readonly open = $derived(this.all.filter(({ state }) => state === 'live' || state === 'cleared'));

	/** Listens from now on; further calls change nothing. */
	listen(): void {
		if (this.#heard) return;
		const keep = (known: Map<number, LiveAlarm>, items: Item[], bank: number | null): void => {
			for (const item of items) {
				const alarm = { ...item, bank_id: bank } as unknown as LiveAlarm;
				if (alarm.state === 'over') known.delete(alarm.alarm_id);
				else known.set(alarm.alarm_id, alarm);
			}
		};
		this.#heard = live.hear('alarms', {
			snapshot: (_, groups) => {
				const known = new Map<number, LiveAlarm>();
				for (const { bank, items } of groups) keep(known, items, bank);
				this.#known = known;
			},
			delta: (items, bank) => {
				const known = new Map(this.#known);
				keep(known, items, bank);
				this.#known = known;
			}
		});
		session.onLeave(() => {
			this.#heard?.();
			this.#heard = undefined;
			this.#known = new Map();
		});
	}
}

export const liveAlarms = new LiveAlarms();
