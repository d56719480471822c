/**
 * The six digits of the screen beside a bank: as somebody types or pastes them, and as the QR code brings them.
 * They are good for a minute; so long they are kept for the way over the log-in, and no longer.
 */

const KEPT_MS = 60_000;
const NAME = 'lockerd.presence';

/** What was typed, without blanks and other things between the digits; at most six. */
export function digitsOf(typed: string): string {
	return typed.normalize('NFKC').replace(/\D/g, '').slice(0, 6);
}

/** Whether these are six digits. */
export function isWhole(code: string): boolean {
	return /^\d{6}$/.test(code);
}

/** The code in the fragment of an address: `#c=123456`. */
export function codeIn(fragment: string): string | undefined {
	const code = new URLSearchParams(fragment.replace(/^#/, '')).get('c') ?? '';
	return isWhole(code) ? code : undefined;
}

/** Keeps a code for the way over the log-in. `now` in ms, of any clock that goes on over a reload. */
export function keep(bank: number, code: string, now: number): void {
	try {
		sessionStorage.setItem(NAME, JSON.stringify({ bank, code, until: now + KEPT_MS }));
	} catch {
		// A browser that keeps nothing: the code is typed.
	}
}

/** The code that was kept for a bank, once. */
export function takeKept(bank: number, now: number): string | undefined {
	try {
		const kept = JSON.parse(sessionStorage.getItem(NAME) ?? 'null') as unknown;
		sessionStorage.removeItem(NAME);
		if (typeof kept !== 'object' || kept === null) return undefined;
		const { bank: of, code, until } = kept as { bank?: unknown; code?: unknown; until?: unknown };
		const isGood = of === bank && typeof until === 'number' && until >= now && until - now <= KEPT_MS;
		return isGood && typeof code === 'string' && isWhole(code) ? code : undefined;
	} catch {
		return undefined;
	}
}
