/** The one watch of this document: it outlives the frame, so that going away and coming back uncovers nothing. */
import { Idle, type Kept } from './idle';

function storage(): Kept | undefined {
	try {
		return localStorage;
	} catch {
		return undefined;
	}
}

// The device's own clock, and only here: a page's count stands still while the device sleeps, and the server's clock
// may be set. Nothing but the cover hangs on it.
export const idle = new Idle(() => Date.now(), storage());
