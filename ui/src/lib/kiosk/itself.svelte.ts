/**
 * The kiosk itself: whether it is paired and reaches its server, the codes that it shows, how many lockers are
 * free. Its credential is in a cookie that no script can read.
 */
import { untrack } from 'svelte';
import { version } from '$app/environment';
import { api, ask, type Schemas } from '../api/client';
import { Refusal, Unreachable } from '../api/problem';
import { clock } from '../clock.svelte';
import { site } from '../site.svelte';
import { soon } from './patience';
import { BEAT_MS, goodCodes, nextTurnMs, SEEK_MS } from './times';

export type Bank = Schemas['KioskBankReply'];

/** Nothing known yet; not paired, or not any more; no server; all is well. */
export type Stand = 'starting' | 'unpaired' | 'lost' | 'here';

class Itself {
	stand = $state<Stand>('starting');
	/** Name and banks, as last heard. */
	known = $state.raw<Schemas['ThisKioskReply'] | undefined>();
	/** Why there are no codes although the server answers. */
	refusal = $state.raw<Refusal | undefined>();
	#codes = $state.raw<Schemas['PresenceReply'][]>([]);

	#timer: ReturnType<typeof setTimeout> | undefined;
	#beatAt = Number.NEGATIVE_INFINITY;
	#runs = 0;

	/** Codes that are good now; none without a server, whatever was heard before. */
	readonly codes = $derived(this.stand === 'here' ? goodCodes(this.#codes, clock.second) : []);

	bank(id: number | undefined): Bank | undefined {
		return this.known?.banks.find((bank) => bank.bank_id === id);
	}

	/** Lives as long as a page shows it: use it as the body of an `$effect`. */
	live(): () => void {
		this.#runs += 1;
		const run = this.#runs;
		// What a turn reads is not what the effect around it depends on: it would begin for ever.
		untrack(() => void this.#turn(run));
		return () => {
			this.#runs += 1;
			clearTimeout(this.#timer);
		};
	}

	/** It was paired just now: looks at once. */
	again(): void {
		clearTimeout(this.#timer);
		this.#runs += 1;
		this.stand = 'starting';
		void this.#turn(this.#runs);
	}

	async #turn(run: number): Promise<void> {
		try {
			if (performance.now() - this.#beatAt >= BEAT_MS || this.stand !== 'here') await this.#beat();
			await this.#renewCodes();
			if (!site.value) void site.load();
			this.stand = 'here';
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.#failed(error);
		}
		if (run !== this.#runs) return;
		let wait = this.stand === 'lost' ? SEEK_MS : BEAT_MS;
		if (this.stand === 'here') wait = nextTurnMs(this.#codes, clock.now(), performance.now() - this.#beatAt);
		// Codes that were refused are not asked for again and again.
		this.#timer = setTimeout(() => void this.#turn(run), this.refusal ? Math.max(wait, SEEK_MS) : wait);
	}

	async #beat(): Promise<void> {
		await soon(ask(api.POST('/api/v1/kiosk/heartbeat', { body: { version: `web ${version}`.slice(0, 100) } })));
		this.known = await soon(ask(api.GET('/api/v1/kiosk')));
		this.#beatAt = performance.now();
	}

	async #renewCodes(): Promise<void> {
		const banks = this.known?.banks.length ?? 0;
		if (banks > 0 && goodCodes(this.#codes, clock.now()).length === banks) return;
		try {
			const { banks: codes } = await soon(ask(api.GET('/api/v1/kiosk/presence')));
			this.#codes = codes;
			this.refusal = undefined;
		} catch (error) {
			if (!(error instanceof Refusal) || error.status === 401) throw error;
			// The server is there, but has no codes: its clock is not trusted, say.
			this.#codes = [];
			this.refusal = error;
		}
	}

	#failed(error: Refusal | Unreachable): void {
		const isUnknown = error instanceof Refusal && error.code === 'kiosk_unknown';
		this.stand = isUnknown ? 'unpaired' : 'lost';
		this.#codes = [];
		if (isUnknown) this.known = undefined;
	}
}

export const itself = new Itself();
