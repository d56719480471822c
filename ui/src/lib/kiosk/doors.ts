/** Openings by somebody who is signed in at a kiosk. */
import { Refusal, Unreachable } from '../api/problem';
import { doors as overSocket } from '../opening/doors';
import { Opening, type Doors } from '../opening/opening.svelte';

const doors: Doors = {
	...overSocket,
	async lookUp(key) {
		try {
			return await overSocket.lookUp(key);
		} catch (error) {
			// Not to be learned here: then it stays in doubt. Nothing is claimed, and nothing is sent again.
			if (error instanceof Refusal && error.code === 'not_at_kiosk') throw new Unreachable(error);
			throw error;
		}
	},
	// The live socket is not for kiosks: the server is asked how it goes.
	hear: () => () => {},
	isLive: () => false
};

export const openingAt = (locker: number): Opening => new Opening(locker, doors);
