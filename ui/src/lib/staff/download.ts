/** Files that the server makes and the browser keeps: the token goes in the head, so a plain link would not do. */
import { Unreachable, refusal } from '../api/problem';
import { session } from '../session.svelte';

/** Large lists take their time. */
const TIMEOUT_MS = 120_000;

/**
 * Gets a file and hands it to the browser under the name that the server gave, else under `name`.
 * @throws Refusal when the server refused; Unreachable when no answer came.
 */
export async function download(path: string, query: Record<string, string>, name: string): Promise<void> {
	const asked = new URLSearchParams(query).toString();
	let response: Response;
	try {
		response = await fetch(asked ? `${path}?${asked}` : path, {
			headers: { Authorization: `Bearer ${(await session.token()) ?? ''}`, 'X-Lockerd': '1' },
			signal: AbortSignal.timeout(TIMEOUT_MS)
		});
	} catch (cause) {
		throw new Unreachable(cause);
	}
	if (!response.ok) throw refusal(response, await response.json().catch(() => undefined));
	const file = await response.blob().catch((cause: unknown) => {
		// It broke off on the way.
		throw new Unreachable(cause);
	});
	const link = document.createElement('a');
	link.href = URL.createObjectURL(file);
	link.download = nameOf(response.headers.get('content-disposition')) ?? name;
	link.click();
	// Some browsers read the address a moment after the click.
	setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The name in a `Content-Disposition` (RFC 6266). */
export function nameOf(disposition: string | null): string | undefined {
	return /filename="?([^";]+)"?/.exec(disposition ?? '')?.[1];
}
