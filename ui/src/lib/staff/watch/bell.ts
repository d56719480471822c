/** Which alarms are news: those that began since somebody listens, not those that stood before. */
export class Bell {
	#newest = 0;
	#wasShown = false;

	/** @param ids Alarms that are known when the listening begins. */
	constructor(ids: readonly number[] = []) {
		this.#newest = Math.max(0, ...ids);
	}

	/** Everything as it is: news only when it was shown before, as after a lost connection. */
	shown(ids: readonly number[]): boolean {
		const isNews = this.#isNews(ids) && this.#wasShown;
		this.#wasShown = true;
		return isNews;
	}

	/** What changed; the server tells changes only to those whom it has shown everything. */
	told(ids: readonly number[]): boolean {
		this.#wasShown = true;
		return this.#isNews(ids);
	}

	#isNews(ids: readonly number[]): boolean {
		const newest = Math.max(0, ...ids);
		if (newest <= this.#newest) return false;
		this.#newest = newest;
		return true;
	}
}
