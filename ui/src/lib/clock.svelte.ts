/**
 * The server's clock, as far as this page knows it. Countdowns and ages are reckoned by it and by the
 * browser's count since the page began, never by the clock of the phone, which may be minutes wrong.
 */
class Clock {
	/** Server time less `performance.now()`, in ms. The phone's own clock until the server was heard. */
	#offset = Date.now() - performance.now();
	/** How far the offset may be wrong, in ms: half of the way there and back. */
	#doubt = Number.POSITIVE_INFINITY;
	#second = $state(0);
	#timer: ReturnType<typeof setTimeout> | undefined;

	/** Milliseconds since 1970 by the server's clock. */
	now(): number {
		return performance.now() + this.#offset;
	}

	/** Like `now`, for markup: looked at anew each second. */
	get second(): number {
		void this.#second;
		this.#start();
		return this.now();
	}

	/**
	 * Hears the server's clock.
	 * @param serverTime RFC 3339, as it was when the server answered.
	 * @param tookMs How long the answer took since it was asked for.
	 */
	learn(serverTime: string, tookMs: number): void {
		const at = Date.parse(serverTime);
		const doubt = tookMs / 2;
		const offset = at + doubt - performance.now();
		// A closer look wins; so does one that shows that the clock was set meanwhile.
		const isOther = Math.abs(offset - this.#offset) > doubt + this.#doubt;
		if (Number.isNaN(at) || (doubt > this.#doubt && !isOther)) return;
		this.#offset = offset;
		this.#doubt = doubt;
		this.#second += 1;
	}

	#start(): void {
		if (this.#timer !== undefined) return;
		const beat = (): void => {
			this.#second += 1;
			this.#timer = setTimeout(beat, 1000 - (this.now() % 1000) + 1);
		};
		this.#timer = setTimeout(beat, 1000 - (this.now() % 1000) + 1);
	}
}

export const clock = new Clock();
