/** Openings by somebody who is signed in at a kiosk. */
import { doors as overSocket } from '../opening/doors';
import { Opening, type Doors } from '../opening/opening.svelte';

const doors: Doors = {
	...overSocket,
	// The live socket is not for kiosks: the server is asked how it goes.
	hear: () => () => {},
	isLive: () => false
};

export const openingAt = (locker: number): Opening => new Opening(locker, doors);
