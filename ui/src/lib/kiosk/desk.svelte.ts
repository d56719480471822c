/** What happens at this kiosk: who stands here, where they are, and when they are gone. */
import { api, ask } from '../api/client';
import { clock } from '../clock.svelte';
import { once } from '../api/once';
import { Refusal, Unreachable } from '../api/problem';
import { texts } from '../i18n/texts.svelte';
import { calling, type About } from './calling.svelte';
import { device } from './device.svelte';
import { after, HOME, isWhole, type Deed, type Flow } from './flow';
import { idleness, type Idleness } from './idle';
import { inside } from './inside.svelte';
import { itself } from './itself.svelte';
import { member } from './member.svelte';
import { isReloadDue } from './times';

const TICK_MS = 250;

class Desk {
	flow = $state.raw<Flow>(HOME);
	/** What the server said to id and code. */
	failure = $state.raw<Refusal | Unreachable | undefined>();
	/** Until when no other code is tried, on `performance.now()`. */
	waitsUntil = $state(0);
	isBusy = $state(false);
	/** The page is about to be loaded anew. */
	isLeaving = $state(false);
	/** Whether an opening is under way or its door was not seen closed. */
	isDoorOpen = $state(false);
	idle = $state.raw<Idleness>({ kind: 'calm' });
	/** What a reader, or a voice unit, says of this screen. */
	said = $state('');

	#touchedAt = performance.now();
	/** Somebody was signed in since the page was loaded, or could not be: it is loaded anew once they are gone. */
	#isUsed = false;

	/** Watches for whoever leaves: use it as the body of an `$effect`. */
	watch(): () => void {
		member.takeOver();
		member.onOver = () => void this.end();
		const timer = setInterval(() => this.#tick(), TICK_MS);
		return () => clearInterval(timer);
	}

	do(deed: Deed): void {
		const before = this.flow;
		this.flow = after(before, deed);
		// Who is held back is one account: nobody else waits for it.
		if (this.flow.id !== before.id) this.waitsUntil = 0;
		if (this.flow.screen !== before.screen) {
			this.failure = undefined;
			this.touch();
			// What fails now is tried again when it is needed.
			if (this.flow.screen === 'id') void inside.load().catch(() => undefined);
		}
	}

	/** Somebody is here. */
	touch(): void {
		this.#touchedAt = performance.now();
		this.idle = { kind: 'calm' };
	}

	/** To the help; about a locker and an opening, if there is one. */
	call(about: About = {}): void {
		calling.begin(about);
		this.do({ kind: 'help' });
	}

	/** Goes on from the screens on which something is typed. */
	async next(): Promise<void> {
		if (!isWhole(this.flow)) return;
		if (this.flow.screen === 'id') this.do({ kind: 'next' });
		else if (!this.isBusy && performance.now() >= this.waitsUntil) await this.#signIn();
	}

	async #signIn(): Promise<void> {
		const { id, code } = this.flow;
		this.isBusy = true;
		this.failure = undefined;
		try {
			await inside.load();
			await member.signIn(id, code);
			// They left while the server was thinking.
			if (this.flow.id !== id || this.flow.screen !== 'code') await this.#drop();
			else {
				this.#isUsed = true;
				this.do({ kind: 'signedIn' });
			}
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.do({ kind: 'refused' });
			this.failure = error;
			// A file that did not come stays away from this page; a new page gets it.
			this.#isUsed ||= inside.screens === undefined;
			if (error instanceof Refusal) this.waitsUntil = performance.now() + (error.retryAfterMs ?? 0);
		} finally {
			this.isBusy = false;
			this.touch();
		}
	}

	/** The kiosk ends it by its own right; whoever stands here now must not act as somebody else meanwhile. */
	async #drop(): Promise<void> {
		member.forget();
		await member.signOut();
	}

	/** A hold becomes a rental, once. */
	async confirm(locker: number): Promise<void> {
		await once(`confirm:${locker}`, (key) =>
			ask(
				api.POST('/api/v1/lockers/{locker_id}/confirm', {
					params: { path: { locker_id: locker }, header: { 'Idempotency-Key': key } }
				})
			)
		);
		await member.lockers.load();
	}

	/** A reservation gets its locker, once. */
	async checkIn(reservation: number): Promise<void> {
		await once(`check-in:${reservation}`, (key) =>
			ask(
				api.POST('/api/v1/reservations/{reservation_id}/check-in', {
					params: { path: { reservation_id: reservation }, header: { 'Idempotency-Key': key } }
				})
			)
		);
		await Promise.all([member.lockers.load(), member.reservations.load()]);
	}

	/** Whoever was here is gone: nothing of them stays in the page, in its memory or in its history. */
	async end(): Promise<void> {
		if (this.isLeaving) return;
		const wasIn = member.isIn;
		this.do({ kind: 'end' });
		this.isDoorOpen = false;
		this.isLeaving = wasIn;
		member.forget();
		calling.begin({});
		this.touch();
		if (wasIn) await member.signOut();
		await device.reset();
		this.#leave();
	}

	/** Loads the page anew; not while the server is away, or the screen would stay empty. */
	#leave(): void {
		this.isLeaving = false;
		if (!this.#isUsed || itself.stand !== 'here') return;
		this.isLeaving = true;
		location.replace('/kiosk');
	}

	#tick(): void {
		if (this.isLeaving) return;
		const quietMs = performance.now() - this.#touchedAt;
		this.idle = this.isBusy ? { kind: 'calm' } : idleness(this.flow.screen, this.isDoorOpen, quietMs);
		if (this.idle.kind !== 'over') return;
		if (this.flow.screen !== 'home') void this.end();
		else this.#rest();
	}

	/** Nobody is here. */
	#rest(): void {
		this.touch();
		void device.reset();
		if (itself.stand !== 'here') return;
		const isNight = isReloadDue(texts.format.time(clock.now()), performance.now());
		if (isNight) this.#isUsed = true;
		this.#leave();
	}
}

export const desk = new Desk();
