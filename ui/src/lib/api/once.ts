/**
 * Changes that must happen once, whatever happens to the answer. Each has a key, which the server
 * remembers: a repeat with the same key gets the first answer. The key outlives a reload of the page.
 */
import { Refusal, Unreachable } from './problem';

/** How long somebody waits for a result that got lost, in ms. */
const PATIENCE_MS = 30_000;
/**
 * So long a key stands for the same wish, in ms. Later it is another one, though nobody ever learned what became
 * of the first: an old answer would be taken for what happened just now.
 */
const KEPT_MS = 300_000;

/** A new key. Not `randomUUID`: on plain HTTP browsers have none. */
export function newKey(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The key under which an action is being done, kept for this tab. */
export function keyOf(action: string): string {
	const kept = find(action);
	if (kept !== undefined) return kept;
	const made = newKey();
	try {
		sessionStorage.setItem(nameOf(action), `${made} ${now()}`);
	} catch {
		// A browser that keeps nothing: a reload asks as if for the first time.
	}
	return made;
}

/** Whether an action was begun in this tab a moment ago and its answer never came. */
export function isOpen(action: string): boolean {
	return find(action) !== undefined;
}

/**
 * The device's own time, in ms. It may be wrong, but it is wrong alike before and after a reload, and the server's
 * is not known yet when a page begins.
 */
const now = (): number => performance.timeOrigin + performance.now();

const nameOf = (action: string): string => `lockerd.once.${action}`;

/** The key of an action that was begun a moment ago. */
function find(action: string): string | undefined {
	try {
		const [key, at] = (sessionStorage.getItem(nameOf(action)) ?? '').split(' ');
		if (!key) return undefined;
		if (Math.abs(now() - Number(at)) <= KEPT_MS) return key;
		// The name of an action may hold what somebody wrote.
		sessionStorage.removeItem(nameOf(action));
		return undefined;
	} catch {
		return undefined;
	}
}

/** The answer came: the next time is another action. */
export function settle(action: string): void {
	try {
		sessionStorage.removeItem(nameOf(action));
	} catch {
		// Nothing was kept.
	}
}

/**
 * Does something once. An answer that got lost is asked for with the same key until it comes.
 * @param action Names it for this tab, like `confirm:101`.
 * @param send Sends the request with the key.
 * @param onDoubt Told when an answer was lost.
 * @throws Refusal when the server refused; Unreachable when nobody answers in time.
 */
export async function once<T>(
	action: string,
	send: (key: string) => Promise<T>,
	onDoubt: () => void = () => {}
): Promise<T> {
	const key = keyOf(action);
	const until = performance.now() + PATIENCE_MS;
	let isInDoubt = false;
	for (let wait = 500; ; wait = Math.min(wait * 2, 5000)) {
		try {
			const answer = await send(key);
			settle(action);
			return answer;
		} catch (error) {
			const refusal = error instanceof Refusal ? error : undefined;
			// A server that is too busy now did not refuse what it may have done a moment ago.
			if (!(error instanceof Unreachable || (isInDoubt && refusal?.isPassing))) {
				settle(action);
				throw error;
			}
			isInDoubt = true;
			onDoubt();
			const pause = Math.max(wait, refusal?.retryAfterMs ?? 0);
			if (performance.now() + pause > until) throw refusal ? new Unreachable(refusal) : error;
			await new Promise((resolve) => setTimeout(resolve, pause));
		}
	}
}
