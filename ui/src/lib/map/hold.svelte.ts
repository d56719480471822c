/**
 * Taking a locker in a rush: hold it, see the time run, confirm it. What the server answered is told as it was; a
 * lost answer is asked for with the same key, so that pressing, reloading and waiting lead to one rental.
 */
import { api, ask, type Schemas } from '../api/client';
import { isOpen, once } from '../api/once';
import { Refusal, Unreachable } from '../api/problem';

export type Confirmed = Schemas['ConfirmReply'];

/** Why somebody did not get a locker, as far as there is more to say than the text of its code. */
export type Missed =
	/** Somebody else was first. */
	| { kind: 'lost'; locker: number }
	/** One has another locker. */
	| { kind: 'has'; locker: number }
	/** One holds another locker. */
	| { kind: 'holds'; locker: number }
	/** No locker is free; `coming`: some are held and may come back. */
	| { kind: 'none'; coming: boolean }
	/** Those who wait come first. */
	| { kind: 'line' }
	/** The window is not open; the server's word of it. */
	| { kind: 'window'; window: unknown }
	| { kind: 'other'; failure: Refusal | Unreachable };

/** What a failed wish for a locker means. `held`: how many lockers of the bank others hold just now. */
export function missed(failure: Refusal | Unreachable, wanted: number | undefined, held: number): Missed {
	if (!(failure instanceof Refusal)) return { kind: 'other', failure };
	const locker = failure.number('locker_id');
	switch (failure.code) {
		case 'locker_taken':
			return wanted === undefined ? { kind: 'other', failure } : { kind: 'lost', locker: wanted };
		case 'already_renting':
			return locker === undefined ? { kind: 'other', failure } : { kind: 'has', locker };
		case 'already_holding':
			return locker === undefined ? { kind: 'other', failure } : { kind: 'holds', locker };
		case 'no_free_locker':
			return { kind: 'none', coming: held > 0 };
		case 'others_wait':
			return { kind: 'line' };
		case 'outside_window':
			return { kind: 'window', window: failure.problem['window'] };
		default:
			return { kind: 'other', failure };
	}
}

/** How the server is asked; tests ask something else. */
export interface Counter {
	hold(locker: number, key: string): Promise<Schemas['HoldReply']>;
	holdAny(bank: number, key: string): Promise<Schemas['HoldReply']>;
}

export const counter: Counter = {
	hold: (locker_id, key) =>
		ask(
			api.POST('/api/v1/lockers/{locker_id}/hold', {
				params: { path: { locker_id }, header: { 'Idempotency-Key': key } }
			})
		),
	holdAny: (bank_id, key) =>
		ask(
			api.POST('/api/v1/banks/{bank_id}/hold', {
				params: { path: { bank_id }, header: { 'Idempotency-Key': key } }
			})
		)
};

/** Overloaded, the server says when to come again; so often the page does so by itself. */
const TRIES = 4;
/** Of some free lockers so many are tried. */
const ANY_TRIES = 3;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One wish for a locker at a time. */
export class Wish {
	/** The locker that is asked for, or any. */
	busy = $state.raw<number | 'any' | undefined>();
	/** On `performance.now()`: when an overloaded server is asked again. */
	againAt = $state<number | undefined>();

	constructor(
		private readonly at: Counter = counter,
		private readonly wait: (ms: number) => Promise<void> = pause
	) {}

	/** Holds one locker. */
	async one(locker: number): Promise<Schemas['HoldReply']> {
		return this.#while(locker, () => once(`hold:${locker}`, (key) => this.at.hold(locker, key)));
	}

	/** Holds whatever is free in a bank. */
	async any(bank: number): Promise<Schemas['HoldReply']> {
		return this.#while('any', () => once(`hold-any:${bank}`, (key) => this.at.holdAny(bank, key)));
	}

	/** Holds one of some lockers: the server cannot choose by a filter. */
	async anyOf(lockers: readonly number[]): Promise<Schemas['HoldReply']> {
		let last: unknown;
		for (const locker of lockers.slice(0, ANY_TRIES)) {
			try {
				return await this.#while('any', () => once(`hold:${locker}`, (key) => this.at.hold(locker, key)));
			} catch (error) {
				last = error;
				if (!(error instanceof Refusal) || error.code !== 'locker_taken') throw error;
			}
		}
		throw last;
	}

	async #while<T>(what: number | 'any', work: () => Promise<T>): Promise<T> {
		this.busy = what;
		try {
			for (let tries = 1; ; tries += 1) {
				try {
					return await work();
				} catch (error) {
					const after = error instanceof Refusal && error.code === 'overloaded' ? error.retryAfterMs : undefined;
					if (after === undefined || tries === TRIES) throw error;
					this.againAt = performance.now() + after;
					await this.wait(after);
					this.againAt = undefined;
				}
			}
		} finally {
			this.busy = undefined;
			this.againAt = undefined;
		}
	}
}

/** What a hold page shows. */
export type Stage = 'asking' | 'held' | 'confirming' | 'doubt' | 'unsure' | 'done' | 'expired' | 'nothing';

/** All that the stage depends on. */
export interface Seen {
	/** Whether the answer about one's own lockers is there. */
	isKnown: boolean;
	/** The locker that one holds by that answer. */
	held: number | undefined;
	/** The locker that one rents by that answer. */
	rented: number | undefined;
	/** The locker that this page was about. */
	was: number | undefined;
	/** How much of the hold is left, in ms. */
	leftMs: number | undefined;
	/** Where the confirmation stands. */
	confirming: 'no' | 'asked' | 'doubt' | 'unsure' | 'yes';
}

/** What to show; a confirmation under way outlives the hold, because only its answer says how it ended. */
export function stageOf({ isKnown, held, rented, was, leftMs, confirming }: Seen): Stage {
	if (confirming === 'yes') return 'done';
	if (confirming === 'asked') return 'confirming';
	if (confirming !== 'no') return confirming;
	if (held !== undefined) return leftMs !== undefined && leftMs <= 0 ? 'expired' : 'held';
	if (rented !== undefined && (was === undefined || was === rented)) return 'done';
	if (was !== undefined) return 'expired';
	return isKnown ? 'nothing' : 'asking';
}

/** Turns a hold into a rental, once. */
export class Confirmation {
	state = $state<Seen['confirming']>('no');
	reply = $state.raw<Confirmed | undefined>();

	constructor(
		private readonly send: (locker: number, key: string) => Promise<Confirmed> = (locker_id, key) =>
			ask(
				api.POST('/api/v1/lockers/{locker_id}/confirm', {
					params: { path: { locker_id }, header: { 'Idempotency-Key': key } }
				})
			)
	) {}

	/** Whether it was asked for in this tab and the answer never came: a reload in between. */
	static isOpen(locker: number): boolean {
		return isOpen(`confirm:${locker}`);
	}

	/**
	 * Asks; a lost answer is waited for.
	 * @throws Refusal when the server refused.
	 */
	async ask(locker: number, inDoubt = false): Promise<void> {
		if (this.state === 'asked' || this.state === 'doubt') return;
		this.state = inDoubt ? 'doubt' : 'asked';
		try {
			this.reply = await once(
				`confirm:${locker}`,
				(key) => this.send(locker, key),
				() => (this.state = 'doubt')
			);
			this.state = 'yes';
		} catch (error) {
			// Nobody answers for long: the key stays, the next try asks for the same.
			this.state = error instanceof Unreachable ? 'unsure' : 'no';
			if (!(error instanceof Unreachable)) throw error;
		}
	}
}

/** The seconds of a hold, counted on the browser's own count since the page began. */
export class HoldClock {
	/** Milliseconds left, looked at anew each second of the hold; nothing without a hold. */
	leftMs = $state<number | undefined>();
	/** How long it was when it was first seen, for the ring. */
	wholeMs = $state(0);

	#ends: number | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;

	constructor(private readonly now: () => number = () => performance.now()) {}

	/** Counts to an end, on `performance.now()`; nothing ends the counting. */
	follow(ends: number | undefined): void {
		clearTimeout(this.#timer);
		// An end that moved by the time of an answer's way is the same hold.
		const isOther = ends === undefined || this.#ends === undefined || ends > this.#ends + 2000;
		this.#ends = ends;
		if (isOther) this.wholeMs = ends === undefined ? 0 : Math.max(0, ends - this.now());
		this.#beat();
	}

	/** Ends the counting. */
	stop(): void {
		clearTimeout(this.#timer);
	}

	#beat(): void {
		this.leftMs = this.#ends === undefined ? undefined : Math.max(0, this.#ends - this.now());
		if (!this.leftMs) return;
		// To the next whole second, so that no digit is skipped.
		this.#timer = setTimeout(() => this.#beat(), this.leftMs % 1000 || 1000);
	}
}
