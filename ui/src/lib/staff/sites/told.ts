/** What was done on one page and is said on the next: a new term, a new kiosk. Said once. */
class Told {
	#text: (() => string) | undefined;

	/** Keeps it for the next page. */
	keep(text: () => string): void {
		this.#text = text;
	}

	/** Takes what was kept, if anything was. */
	take(): (() => string) | undefined {
		const text = this.#text;
		this.#text = undefined;
		return text;
	}
}

export const told = new Told();
