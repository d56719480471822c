/** An authenticator app: codes of six digits, a new one every 30 seconds (RFC 6238 with SHA-1). */
import { createHmac } from 'node:crypto';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const STEP_S = 30;

function bytesOf(base32: string): Buffer {
	const bits = [...base32.replace(/[\s=]/g, '')].map((letter) => LETTERS.indexOf(letter).toString(2).padStart(5, '0'));
	const whole = bits.join('').match(/.{8}/g) ?? [];
	return Buffer.from(whole.map((byte) => parseInt(byte, 2)));
}

/** The code at a time in seconds; `later` steps after it, as each code is taken only once. */
export function totp(secret: string, atS: number, later = 0): string {
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(Math.floor(atS / STEP_S) + later));
	const digest = createHmac('sha1', bytesOf(secret)).update(counter).digest();
	const offset = (digest.at(-1) ?? 0) & 0xf;
	const number = digest.readUInt32BE(offset) & 0x7fff_ffff;
	return String(number % 1_000_000).padStart(6, '0');
}
