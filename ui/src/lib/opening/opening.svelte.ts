/**
 * One wish to open a locker, from the tap to the closed door. A command that opens a door is never sent again:
 * when its answer is lost, the server is asked what became of it.
 */
import { isOpen, keyOf, settle } from '../api/once';
import { Refusal, Unreachable } from '../api/problem';
import { isOver, newer, wasSeenOpen, type Seen } from './steps';

/** An opening as the server answers it. */
export interface Look extends Seen {
	retry_after_ms?: number | null | undefined;
}

/** What became of a request that was sent with a key. */
export interface Kept {
	operation: string;
	/** When it was carried out, by the server's clock in ms. */
	at: number;
}

/** The server, as far as an opening needs it. */
export interface Doors {
	/** Asks to open; gives the operation. */
	open(locker: number, key: string, code: string | undefined): Promise<string>;
	/** What a key led to; nothing when it was not carried out. */
	lookUp(key: string): Promise<Kept | undefined>;
	/** How it goes, after waiting for the outcome for so many seconds. */
	look(operation: string, waitS: number): Promise<Look>;
	/** Hears steps of openings until the returned function is called. */
	hear(listener: (operation: string, seen: Seen) => void): () => void;
	/** Whether the live socket works. */
	isLive(): boolean;
	/** The server's clock, in ms. */
	now(): number;
}

/**
 * Where it stands: nothing was asked for; asked; the answer was lost and is looked for; it never arrived; it is
 * followed; the server refused; the operation is not known.
 */
export type Stand = 'ready' | 'asking' | 'doubtful' | 'unsent' | 'followed' | 'refused' | 'unknown';

/** An answer to an earlier tap that is older is no answer to this one. */
const FRESH_MS = 60_000;
/** How long one question waits for the outcome; less than what the client gives up after. */
const WAIT_S = 10;
/** How often the server is asked without a socket, and when only the closing door is awaited. */
const ASK_MS = 700;
const CLOSING_ASK_MS = 3000;
const CLOSING_LIVE_MS = 15_000;
/** After a lost answer the request may still be on its way: it is looked for this often before it counts as lost. */
const MISSES = 3;

/** What the server asks the person for before it opens. */
const CODE_WANTED = ['presence_needed', 'password_needed', 'presence_wrong', 'presence_used'];

/** Whether the question of what became of a request was refused; a server without time for it only did not answer. */
const isRefusedLook = (error: Refusal | Unreachable): error is Refusal => error instanceof Refusal && !error.isPassing;

export class Opening {
	stand = $state<Stand>('ready');
	operation = $state<string | undefined>();
	seen = $state.raw<Look | undefined>();
	/** Why the server refused. */
	refusal = $state.raw<Refusal | undefined>();
	/** From when on trying again makes sense, on `performance.now()`. */
	retryAt = $state<number | undefined>();
	/** How many openings of this locker were tried in a row. */
	attempt = $state(1);
	/** Whether the last question got no answer. */
	isCutOff = $state(false);
	/** Whether the six digits of the screen beside the bank are asked for. */
	wantsCode = $state(false);

	#over = false;
	/** Why this is followed, when it is not what was asked for; it may be somebody else's. */
	#standIn: Refusal | undefined;
	#deaf: (() => void) | undefined;
	/** Makes what an older operation still answers void. */
	#turn = 0;
	#wake: (() => void) | undefined;

	constructor(
		readonly locker: number,
		private readonly doors: Doors
	) {}

	get isBusy(): boolean {
		return this.stand === 'asking' || this.stand === 'doubtful';
	}

	/** Takes up an operation that was begun before: after a reload, or with the back button. */
	take(operation: string, attempt: number): void {
		this.attempt = attempt;
		this.#follow(operation);
	}

	/** Looks for the answer of a tap that was lost with the page. Says whether there was one. */
	async recall(): Promise<boolean> {
		if (!isOpen(this.#action) || this.isBusy) return false;
		this.stand = 'doubtful';
		await this.#find(keyOf(this.#action));
		return true;
	}

	/** Opens; on somebody's tap only. */
	async open(code?: string): Promise<void> {
		if (this.isBusy) return;
		const attempt = this.seen && !wasSeenOpen(this.seen) ? this.attempt + 1 : 1;
		this.stand = 'asking';
		this.refusal = undefined;
		this.isCutOff = false;
		if (isOpen(this.#action) && (await this.#meetsEarlier())) return;
		const key = keyOf(this.#action);
		try {
			const operation = await this.doors.open(this.locker, key, code);
			settle(this.#action);
			this.attempt = attempt;
			this.#follow(operation);
		} catch (error) {
			if (error instanceof Refusal) this.#refused(error);
			else if (error instanceof Unreachable) await this.#doubt(key);
			else throw error;
		}
	}

	/** Nobody looks any more. */
	end(): void {
		this.#over = true;
		this.#turn += 1;
		this.#deaf?.();
		this.#wake?.();
	}

	get #action(): string {
		return `open:${this.locker}`;
	}

	/** Whether an earlier tap, whose answer was lost, was carried out just now. */
	async #meetsEarlier(): Promise<boolean> {
		try {
			const kept = await this.doors.lookUp(keyOf(this.#action));
			// Not carried out: the same key is used, so that a late arrival opens nothing twice.
			if (!kept) return false;
			settle(this.#action);
			if (this.doors.now() - kept.at > FRESH_MS) return false;
			this.#follow(kept.operation);
			return true;
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			if (isRefusedLook(error)) this.#show(error);
			else await this.#doubt(keyOf(this.#action));
			return true;
		}
	}

	#refused(refusal: Refusal): void {
		settle(this.#action);
		const other = refusal.text('operation_id');
		if (refusal.code === 'opening_under_way' && other) {
			this.#follow(other);
			this.#standIn = refusal;
			return;
		}
		this.#show(refusal);
	}

	#show(refusal: Refusal): void {
		this.refusal = refusal;
		this.wantsCode = CODE_WANTED.includes(refusal.code);
		if (refusal.retryAfterMs !== undefined) this.retryAt = performance.now() + refusal.retryAfterMs;
		this.stand = 'refused';
	}

	async #doubt(key: string): Promise<void> {
		this.stand = 'doubtful';
		this.isCutOff = true;
		await this.#find(key);
	}

	/** Asks until it is known whether the request was carried out. */
	async #find(key: string): Promise<void> {
		if (this.#over) return;
		this.#turn += 1;
		const turn = this.#turn;
		let misses = 0;
		for (let wait = 500; turn === this.#turn; wait = Math.min(wait * 2, 4000)) {
			try {
				const kept = await this.doors.lookUp(key);
				if (turn !== this.#turn) return;
				this.isCutOff = false;
				if (kept) {
					settle(this.#action);
					this.#follow(kept.operation);
					return;
				}
				misses += 1;
			} catch (error) {
				if (turn !== this.#turn) return;
				if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
				// Whoever may not look has learned nothing of the opening: its key stays, and the next tap looks first.
				if (isRefusedLook(error)) {
					this.#show(error);
					return;
				}
				this.isCutOff = true;
				wait = Math.max(wait, error instanceof Refusal ? (error.retryAfterMs ?? 0) : 0);
			}
			if (misses >= MISSES) {
				this.stand = 'unsent';
				return;
			}
			await this.#sleep(wait);
		}
	}

	#follow(operation: string): void {
		this.#turn += 1;
		this.operation = operation;
		this.seen = undefined;
		this.#standIn = undefined;
		this.retryAt = undefined;
		this.refusal = undefined;
		this.wantsCode = false;
		this.isCutOff = false;
		this.stand = 'followed';
		this.#deaf?.();
		if (this.#over) return;
		this.#deaf = this.doors.hear((of, seen) => {
			if (of === this.operation) this.seen = newer<Look>(this.seen, seen);
		});
		void this.#watch(operation, this.#turn);
	}

	async #watch(operation: string, turn: number): Promise<void> {
		for (let waitS = 0; turn === this.#turn; ) {
			try {
				const look = await this.doors.look(operation, waitS);
				if (turn !== this.#turn) return;
				this.#noteRetry(look);
				this.seen = newer<Look>(this.seen, look);
				this.isCutOff = false;
			} catch (error) {
				if (turn !== this.#turn) return;
				if (error instanceof Refusal && error.status === 404) {
					this.refusal = this.#standIn;
					this.stand = this.#standIn ? 'refused' : 'unknown';
					return;
				}
				if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
				this.isCutOff = true;
				await this.#sleep(CLOSING_ASK_MS);
				continue;
			}
			if (this.seen && isOver(this.seen, this.doors.now())) return;
			const isDecided = Boolean(this.seen?.outcome);
			// With the socket the steps come by themselves: one question waits for the outcome.
			waitS = isDecided || !this.doors.isLive() ? 0 : WAIT_S;
			if (isDecided) await this.#sleep(this.doors.isLive() ? CLOSING_LIVE_MS : CLOSING_ASK_MS);
			else if (waitS === 0) await this.#sleep(ASK_MS);
		}
	}

	#noteRetry(look: Look): void {
		if (typeof look.retry_after_ms === 'number') this.retryAt = performance.now() + look.retry_after_ms;
	}

	#sleep(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, ms);
			this.#wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
}
