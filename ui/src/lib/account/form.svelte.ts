/**
 * A form: what is wrong with which field, what the server refused, whether it is being sent. The same words
 * stand in the summary on top and at the field.
 */
import { Refusal, Unreachable } from '../api/problem';
import { Wait } from './wait.svelte';

/** What is wrong with a field; asked for anew when the language changes. */
export interface Mistake<Name extends string> {
	field: Name;
	say: () => string;
}

/** To which field a refusal belongs, by its code; with words of its own where the usual ones do not fit. */
export type Places<Name extends string> = Record<string, Mistake<Name> | ((refusal: Refusal) => Mistake<Name> | undefined)>;

/** Refusals that end by themselves: the button waits as long. */
const WAITS = ['too_many_attempts', 'too_many_requests', 'overloaded'];

export class Form<Name extends string> {
	mistakes = $state.raw<Mistake<Name>[]>([]);
	/** What went wrong with the whole. */
	failure = $state.raw<Refusal | Unreachable | undefined>();
	busy = $state(false);
	readonly wait = new Wait();

	/** For `ErrorSummary`. */
	readonly summary = $derived(this.mistakes.map(({ field, say }) => ({ field, text: say() })));

	/** What is wrong with a field. */
	error(field: Name): string | undefined {
		return this.mistakes.find((mistake) => mistake.field === field)?.say();
	}

	/**
	 * Checks, sends, and says what was wrong.
	 * @param wrong What can be seen to be wrong before anything is sent.
	 * @param work Sends it.
	 * @param places Where refusals belong that are about one field.
	 * @returns Whether it was done.
	 */
	async send(wrong: Mistake<Name>[], work: () => Promise<void>, places: Places<Name> = {}): Promise<boolean> {
		if (this.busy || this.wait.isOn) return false;
		this.mistakes = wrong;
		this.failure = undefined;
		this.wait.clear();
		if (wrong.length > 0) return false;
		this.busy = true;
		try {
			await work();
			return true;
		} catch (error) {
			this.#blame(error, places);
			return false;
		} finally {
			this.busy = false;
		}
	}

	#blame(error: unknown, places: Places<Name>): void {
		if (error instanceof Refusal) {
			const place = places[error.code];
			const mistake = typeof place === 'function' ? place(error) : place;
			if (mistake) this.mistakes = [mistake];
			else this.failure = error;
			if (WAITS.includes(error.code) && error.retryAfterMs) this.wait.start(error.retryAfterMs);
		} else if (error instanceof Unreachable) {
			this.failure = error;
		} else {
			throw error;
		}
	}
}

/** The mistakes among what was looked at. */
export function mistakesIn<Name extends string>(...looked: [boolean, Name, () => string][]): Mistake<Name>[] {
	return looked.filter(([isWrong]) => isWrong).map(([, field, say]) => ({ field, say }));
}
