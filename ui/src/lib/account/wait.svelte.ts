/** A time to wait before the next try, counted down by the browser's own count and not by its clock. */
export class Wait {
	/** Whole seconds that are left. */
	seconds = $state(0);
	/** Whether there was one since the last `clear`. */
	was = $state(false);

	#until = 0;
	#timer: ReturnType<typeof setTimeout> | undefined;

	get isOn(): boolean {
		return this.seconds > 0;
	}

	start(ms: number): void {
		this.#until = performance.now() + ms;
		this.was = true;
		this.#look();
	}

	clear(): void {
		clearTimeout(this.#timer);
		this.seconds = 0;
		this.was = false;
	}

	#look(): void {
		clearTimeout(this.#timer);
		const left = this.#until - performance.now();
		this.seconds = Math.max(0, Math.ceil(left / 1000));
		// Until the whole second before: a page that slept looks at the time again, it does not count.
		if (left > 0) this.#timer = setTimeout(() => this.#look(), left - (this.seconds - 1) * 1000);
	}
}
