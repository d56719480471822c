/**
 * When staff last touched a page of this browser, and whether that is so long ago that its content is covered.
 * Kept where every tab sees it and where a reload does not lose it.
 */

/** After so long without a touch. */
export const IDLE_MS = 15 * 60_000;
/** A touch is written down at most so often. */
const NOTE_MS = 10_000;
const NAME = 'lockerd.touched';

export interface Kept {
	getItem(name: string): string | null;
	setItem(name: string, value: string): void;
	removeItem(name: string): void;
}

export class Idle {
	/** Where nothing can be kept, this page remembers for itself. */
	#touched: number | undefined;
	#noted = Number.NEGATIVE_INFINITY;
	#isLocked = false;

	constructor(
		/** A clock in ms that goes on while the device sleeps. */
		private readonly now: () => number,
		private readonly kept: Kept | undefined
	) {}

	/**
	 * Somebody came to staff's pages.
	 * @param byHand They came from another page of this document, so they are there.
	 */
	arrive(byHand: boolean): boolean {
		if (this.#last() === undefined || (byHand && !this.#isLocked)) this.#note();
		return this.look();
	}

	/** Somebody touched the page. Does not unlock. */
	touch(): void {
		// What was too late already is not mended by a touch: nobody has looked meanwhile.
		if (this.look()) return;
		this.#touched = this.now();
		if (this.now() - this.#noted > NOTE_MS) this.#note();
	}

	/** Whether the content is to be covered. Stays so until `unlock`. */
	look(): boolean {
		this.#isLocked ||= this.now() - (this.#last() ?? this.now()) >= IDLE_MS;
		return this.#isLocked;
	}

	/** How long until it may have to be covered, in ms. */
	get leftMs(): number {
		return Math.max(0, IDLE_MS - (this.now() - (this.#last() ?? this.now())));
	}

	/** The password was right. */
	unlock(): void {
		this.#isLocked = false;
		this.#note();
	}

	/** Nobody is logged in any more: there is nothing to cover, and whoever comes next begins anew. */
	forget(): void {
		this.#isLocked = false;
		this.#touched = undefined;
		this.#noted = Number.NEGATIVE_INFINITY;
		try {
			this.kept?.removeItem(NAME);
		} catch {
			// Nothing was kept.
		}
	}

	/** The newest touch of any tab. */
	#last(): number | undefined {
		let other: number | undefined;
		try {
			const text = this.kept?.getItem(NAME) ?? null;
			other = text === null ? undefined : Number(text);
		} catch {
			// A browser that keeps nothing.
		}
		// A time to come is no touch: it would keep the page open for ever.
		if (other !== undefined && !(other <= this.now() + NOTE_MS)) other = undefined;
		if (this.#touched === undefined) return other;
		return other === undefined ? this.#touched : Math.max(this.#touched, other);
	}

	#note(): void {
		this.#touched = this.now();
		this.#noted = this.#touched;
		try {
			this.kept?.setItem(NAME, String(Math.round(this.#touched)));
		} catch {
			// A browser that keeps nothing: each page for itself.
		}
	}
}
