/**
 * What is mine: the locker that I hold or rent with its door, reservations, alarms. The socket says that
 * something changed and how the door stands; REST has the whole of it.
 */
import { untrack } from 'svelte';
import { api, ask, type Schemas } from './api/client';
import { live } from './live';
import type { Item } from './live/protocol';
import { session } from './session.svelte';
import { Loading } from './ui/loading.svelte';

export type MyLocker = Schemas['MyLockerDetail'];
export type MyReservation = Schemas['MyReservationReply'];
export type MyAlarm = Schemas['MyAlarmReply'];

/** Changes that come together are asked for once, in ms. */
const GATHER_MS = 30;

class Mine {
	readonly lockers = new Loading(() => ask(api.GET('/api/v1/lockers/me')));
	readonly reservations = new Loading(() => ask(api.GET('/api/v1/reservations/me')));
	readonly alarms = new Loading(() => ask(api.GET('/api/v1/me/alarms')));

	/** When the hold ends, on `performance.now()`; so that no phone's clock matters. */
	holdEnds = $state<number | undefined>();

	#listeners = 0;
	#deaf: (() => void) | undefined;
	#gathering: ReturnType<typeof setTimeout> | undefined;

	constructor() {
		session.onLeave(() => {
			// Also what is still on its way: it would be shown to whoever logs in next.
			for (const part of [this.lockers, this.reservations, this.alarms]) part.clear();
			this.holdEnds = undefined;
		});
	}

	/** Asks for everything anew. */
	async look(): Promise<void> {
		await Promise.all([this.#lookAtLockers(), this.reservations.load(), this.alarms.load()]);
	}

	/** The time of a hold runs from its own answer on, however long the others take. */
	async #lookAtLockers(): Promise<void> {
		const before = this.lockers.at;
		await this.lockers.load();
		if (this.lockers.at !== before) this.#noteHold();
	}

	/** Stays up to date while a page shows it: use it as the body of an `$effect`. */
	follow(): () => void {
		this.#listeners += 1;
		if (this.#listeners === 1) {
			// What asking reads is not what the effect around it depends on: it would ask for ever.
			untrack(() => void this.look());
			this.#deaf = live.hear('mine', {
				snapshot: (items) => this.#heard(items),
				delta: (items) => this.#heard(items)
			});
		}
		return () => {
			this.#listeners -= 1;
			if (this.#listeners > 0) return;
			this.#deaf?.();
			clearTimeout(this.#gathering);
		};
	}

	#heard(items: Item[]): void {
		const doors = new Map(items.map((item) => [item['locker_id'], item['door']]));
		const known = this.lockers.value;
		if (known) {
			const seen = (locker: MyLocker): MyLocker => {
				const door = doors.get(locker.locker_id);
				return typeof door === 'string' ? { ...locker, door } : locker;
			};
			const { locker, others, returning } = known;
			this.lockers.value = {
				...known,
				...(locker ? { locker: seen(locker) } : {}),
				others: others.map(seen),
				returning: returning.map(seen)
			};
		}
		clearTimeout(this.#gathering);
		this.#gathering = setTimeout(() => void this.look(), GATHER_MS);
	}

	#noteHold(): void {
		const { locker, others = [] } = this.lockers.value ?? {};
		// Whoever rents a locker today may hold one for the days to come: that one stands among the others.
		const held = [locker, ...others].find((it) => it?.state === 'held');
		const left = held?.hold_expires_in_ms;
		this.holdEnds = typeof left === 'number' ? performance.now() + left : undefined;
	}
}

export const mine = new Mine();
