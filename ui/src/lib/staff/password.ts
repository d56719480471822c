/**
 * Whether a password is that of whoever is logged in. It is tried by a log-in of its own, which leaves this
 * browser's alone (no cookie goes or comes) and is ended at once: the log-in that is covered goes on as it was.
 */
import { Refusal, Unreachable, refusal } from '../api/problem';

/** An answer that takes longer is given up. */
const TIMEOUT_MS = 20_000;

async function send(path: string, body: unknown, token?: string): Promise<Response> {
	try {
		return await fetch(path, {
			method: 'POST',
			credentials: 'omit',
			headers: {
				'Content-Type': 'application/json',
				...(token === undefined ? {} : { Authorization: `Bearer ${token}` })
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
			signal: AbortSignal.timeout(TIMEOUT_MS)
		});
	} catch (cause) {
		throw new Unreachable(cause);
	}
}

/** @throws Refusal when it is not, or was tried too often; Unreachable when no answer came. */
export async function provePassword(id: string, password: string): Promise<void> {
	const response = await send('/api/v1/auth/login', { id, password });
	const answer: unknown = await response.json().catch(() => undefined);
	if (!response.ok) {
		const problem = refusal(response, answer);
		// The app of an account with a second factor is asked for after the password only: it was right.
		if (problem instanceof Refusal && problem.code === 'second_factor_needed') return;
		throw problem;
	}
	const token = (answer as { access_token?: unknown } | undefined)?.access_token;
	if (typeof token === 'string') await send('/api/v1/auth/logout', undefined, token).catch(() => undefined);
}
