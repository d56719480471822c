/** The pairing code that was given last: shown once, kept in memory for the page of kiosks alone. */
import type { Schemas } from '../../api/client';
import { session } from '../../session.svelte';
import type { Code } from './kiosks';

class Pairing {
	code = $state.raw<Code | undefined>();

	constructor() {
		session.onLeave(() => this.clear());
	}

	give({ kiosk_id, pairing_code, expires_in }: Schemas['PairingCodeReply']): void {
		this.code = { kiosk_id, code: pairing_code, ends: performance.now() + expires_in * 1000 };
	}

	clear(): void {
		this.code = undefined;
	}
}

export const pairing = new Pairing();
