/**
 * Changes that must happen once, whatever happens to the answer. Each has a key, which the server
 * remembers: a repeat with the same key gets the first answer. The key outlives a reload of the page.
 */
import { Unreachable } from './problem';

/** How long somebody waits for a result that got lost, in ms. */
const PATIENCE_MS = 30_000;

/** A new key. Not `randomUUID`: on plain HTTP browsers have none. */
export function newKey(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The key under which an action is being done, kept for this tab. */
export function keyOf(action: string): string {
	const name = `lockerd.once.${action}`;
	try {
		const kept = sessionStorage.getItem(name);
		if (kept) return kept;
		const made = newKey();
		sessionStorage.setItem(name, made);
		return made;
	} catch {
		return newKey();
	}
}

/** Whether an action was begun in this tab and its answer never came. */
export function isOpen(action: string): boolean {
	try {
		return sessionStorage.getItem(`lockerd.once.${action}`) !== null;
	} catch {
		return false;
	}
}

/** The answer came: the next time is another action. */
export function settle(action: string): void {
	try {
		sessionStorage.removeItem(`lockerd.once.${action}`);
	} catch {
		// Nothing was kept.
	}
}

/**
 * Does something once. An answer that got lost is asked for with the same key until it comes.
 * @param action Names it for this tab, like `confirm:101`.
 * @param send Sends the request with the key.
 * @param onDoubt Told once when the first answer was lost.
 * @throws Refusal when the server refused; Unreachable when nobody answers in time.
 */
export async function once<T>(
	action: string,
	send: (key: string) => Promise<T>,
	onDoubt: () => void = () => {}
): Promise<T> {
	const key = keyOf(action);
	const until = performance.now() + PATIENCE_MS;
	for (let wait = 500; ; wait = Math.min(wait * 2, 5000)) {
		try {
			const answer = await send(key);
			settle(action);
			return answer;
		} catch (error) {
			if (!(error instanceof Unreachable)) {
				settle(action);
				throw error;
			}
			onDoubt();
			if (performance.now() + wait > until) throw error;
			await new Promise((resolve) => setTimeout(resolve, wait));
		}
	}
}
