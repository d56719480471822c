/** Something that is being done: under way, refused, or done. */
import { Refusal, Unreachable } from '../api/problem';

export class Doing {
	busy = $state(false);
	failure = $state.raw<Refusal | Unreachable | undefined>();

	/** Does it once at a time. Says whether it was done. */
	async run(work: () => Promise<void>): Promise<boolean> {
		if (this.busy) return false;
		this.busy = true;
		this.failure = undefined;
		try {
			await work();
			return true;
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.failure = error;
			return false;
		} finally {
			this.busy = false;
		}
	}
}
