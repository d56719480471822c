/** Pairing codes: eight letters and digits, without those that look alike on paper. */

const LENGTH = 8;

/** As staff are shown them. */
export const PAIRING_KEYS: readonly string[] = [...'23456789abcdefghjkmnpqrstuvwxyz'];

/** What was typed or pasted, as the server knows it. */
export function pairingCodeOf(typed: string): string {
	const plain = typed.normalize('NFKC').toLowerCase();
	return [...plain].filter((key) => PAIRING_KEYS.includes(key)).join('').slice(0, LENGTH);
}

export function isPairingCode(code: string): boolean {
	return code.length === LENGTH;
}
