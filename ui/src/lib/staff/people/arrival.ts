/** What the page that somebody is sent to says first: "saved", and the like. */
class Arrival {
	#said = '';

	leave(text: string): void {
		this.#said = text;
	}

	/** Said once. */
	take(): string {
		const said = this.#said;
		this.#said = '';
		return said;
	}
}

export const arrival = new Arrival();
