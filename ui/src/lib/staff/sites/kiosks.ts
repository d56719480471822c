/** Kiosks as staff see them: what a row says of how one is. */
import type { Schemas } from '../../api/client';

export type Kiosk = Schemas['KioskRow'];

/** A pairing code, as long as the page shows it. */
export interface Code {
	kiosk_id: number;
	code: string;
	/** On `performance.now()`. */
	ends: number;
}

export type KioskState = 'waiting' | 'unpaired' | 'silent' | 'never' | 'well';

/** How a kiosk is. One that is paired and was never heard of says so instead of an age. */
export function stateOf(kiosk: Pick<Kiosk, 'paired_at' | 'pairing_code_until' | 'silent' | 'last_seen_at'>, now: number): KioskState {
	if (kiosk.paired_at == null) {
		const waits = kiosk.pairing_code_until != null && Date.parse(kiosk.pairing_code_until) > now;
		return waits ? 'waiting' : 'unpaired';
	}
	if (kiosk.last_seen_at == null) return 'never';
	return kiosk.silent ? 'silent' : 'well';
}

/** A pairing code in groups, as it is read aloud. */
export function grouped(code: string): string {
	return /^\w{5,}$/.test(code) ? (code.match(code.length % 3 === 0 ? /.{3}/g : /.{1,4}/g) ?? [code]).join(' ') : code;
}
