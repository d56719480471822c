/**
 * What became of an order whose answer got lost. It is looked for, never sent again: it may still be on its way, and
 * doors that opened once must not open twice.
 */
import { Refusal, Unreachable } from '../../api/problem';

/** So often it is looked for before it counts as never arrived. */
export const LOOKS = 4;

/** It was accepted under a name; it never arrived; nobody knows. */
export type Fate = { name: string } | 'unsent' | 'unknown';

/**
 * @param look Asks what the key of the order led to; throws `operation_not_found` when it was not carried out.
 * @param wait Waits between two looks.
 */
export async function fateOf(look: () => Promise<unknown>, wait: () => Promise<void>): Promise<Fate> {
	let isKnownAbsent = false;
	for (let looks = 0; looks < LOOKS; looks += 1) {
		if (looks > 0) await wait();
		try {
			const name = ((await look()) as { mass_opening_id?: unknown } | null)?.mass_opening_id;
			return typeof name === 'string' ? { name } : 'unknown';
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			if (error instanceof Refusal && error.code !== 'operation_not_found') return 'unknown';
			// Only the last look counts: what was not there yet may have arrived since.
			isKnownAbsent = error instanceof Refusal;
		}
	}
	return isKnownAbsent ? 'unsent' : 'unknown';
}
