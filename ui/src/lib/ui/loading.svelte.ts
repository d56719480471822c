/**
 * Something that a page shows once the server gave it: loading, slow, failed, there. What was there stays while
 * it is asked for anew, and is marked by its age.
 */
import { Refusal, Unreachable } from '../api/problem';
import { clock } from '../clock.svelte';

/** After so long a skeleton is shown; before it nothing moves. */
const SKELETON_MS = 300;
/** After so long the page says that it takes longer than usual. */
const SLOW_MS = 3000;

export class Loading<T> {
	/** What is known; nothing before the first answer. */
	value = $state.raw<T | undefined>();
	/** Why the last try failed. */
	failure = $state.raw<Refusal | Unreachable | undefined>();
	/** When it was got, by the server's clock. */
	at = $state(0);
	phase = $state<'quiet' | 'skeleton' | 'slow' | 'done'>('quiet');
	/** Whether an answer is waited for. */
	isAsking = $state(false);

	#asked = 0;

	constructor(private readonly ask: () => Promise<T>) {}

	/** Asks; a newer asking makes an older one void. */
	async load(): Promise<void> {
		this.#asked += 1;
		const mine = this.#asked;
		const isMine = (): boolean => mine === this.#asked;
		this.isAsking = true;
		const timers = [
			setTimeout(() => isMine() && this.value === undefined && (this.phase = 'skeleton'), SKELETON_MS),
			setTimeout(() => isMine() && this.value === undefined && (this.phase = 'slow'), SLOW_MS)
		];
		try {
			const value = await this.ask();
			if (!isMine()) return;
			this.value = value;
			this.failure = undefined;
			this.at = clock.now();
		} catch (error) {
			if (!isMine()) return;
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.failure = error;
		} finally {
			timers.forEach(clearTimeout);
			if (isMine()) {
				this.phase = 'done';
				this.isAsking = false;
			}
		}
	}

	/** Puts in place what an action answered. */
	set(value: T): void {
		this.#asked += 1;
		this.isAsking = false;
		this.value = value;
		this.failure = undefined;
		this.at = clock.now();
		this.phase = 'done';
	}

	/** Forgets it, and what is still being asked for. */
	clear(): void {
		this.#asked += 1;
		this.isAsking = false;
		this.value = undefined;
		this.failure = undefined;
		this.at = 0;
		this.phase = 'quiet';
	}
}
