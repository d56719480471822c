/**
 * Whoever is signed in at this kiosk, for a moment: a token in memory, without a way to renew it. Not the
 * log-in of a browser (`session`): that one is kept in a cookie and belongs to a person's own device.
 */
import { untrack } from 'svelte';
import { api, ask, bearBy, type Schemas } from '../api/client';
import { Refusal, Unreachable } from '../api/problem';
// The session makes itself the bearer when it is loaded: it must be here before this one takes over.
import '../session.svelte';
import { Loading } from '../ui/loading.svelte';
import { soon } from './patience';

export type MyLocker = Schemas['MyLockerDetail'];

/** How soon a door that moved is seen on the screen. The live socket is not for kiosks. */
const LOOK_MS = 3000;

class Member {
	#token: string | undefined;
	isIn = $state(false);
	readonly lockers = new Loading(() => ask(api.GET('/api/v1/lockers/me')));
	readonly reservations = new Loading(() => ask(api.GET('/api/v1/reservations/me')));
	readonly alarms = new Loading(() => ask(api.GET('/api/v1/me/alarms')));

	/** Told when the server does not know the sign-in any more. */
	onOver: () => void = () => {};

	/** All that they hold, rent or gave back; the one in use first. */
	readonly all = $derived.by<MyLocker[]>(() => {
		const known = this.lockers.value;
		if (!known) return [];
		return [...(known.locker ? [known.locker] : []), ...known.others, ...known.returning];
	});

	of(locker: number | undefined): MyLocker | undefined {
		return this.all.find((it) => it.locker_id === locker);
	}

	/** Requests of this page are this member's from now on. */
	takeOver(): void {
		bearBy({
			token: () => Promise.resolve(this.#token),
			renew: (refused) => {
				if (this.#token !== undefined && refused === this.#token) this.onOver();
				return Promise.resolve(undefined);
			}
		});
	}

	/** @throws Refusal with `tries_left` when id or code is wrong; Unreachable. */
	async signIn(id: string, code: string): Promise<void> {
		const { access_token } = await soon(ask(api.POST('/api/v1/kiosk/sign-in', { body: { id, code } })), 10_000);
		this.#token = access_token;
		this.isIn = true;
	}

	/** Ends it at the server, as far as that can be reached. */
	async signOut(): Promise<void> {
		try {
			await soon(ask(api.POST('/api/v1/kiosk/sign-out')), 3000);
		} catch (error) {
			// It ends there by itself; here it is over now.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}

	/** Nothing of them stays on this device. */
	forget(): void {
		this.#token = undefined;
		this.isIn = false;
		for (const part of [this.lockers, this.reservations, this.alarms]) part.clear();
		try {
			// Keys of requests whose answers were lost name lockers.
			const names = Array.from({ length: sessionStorage.length }, (_, at) => sessionStorage.key(at));
			for (const name of names) if (name?.startsWith('lockerd.once.')) sessionStorage.removeItem(name);
		} catch {
			// Nothing was kept.
		}
	}

	/** Looks at their lockers and doors again and again: use it as the body of an `$effect`. */
	follow(): () => void {
		let timer: ReturnType<typeof setTimeout> | undefined;
		let isOver = false;
		const look = async (): Promise<void> => {
			// One after the other: a slow server would be asked anew before it ever answered.
			await this.lockers.load();
			if (!isOver) timer = setTimeout(() => void look(), LOOK_MS);
		};
		untrack(() => void look());
		return () => {
			isOver = true;
			clearTimeout(timer);
		};
	}
}

export const member = new Member();
