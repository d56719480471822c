/** The API as tests use it beside the browser: to set up what a page shows, and to be the other people. */

/** The server said no. */
export class Refused extends Error {
	constructor(
		message: string,
		readonly status: number,
		/** Which refusal it is, in the words of `docs/ref/problems.md`. */
		readonly code: string
	) {
		super(message);
	}
}

export class Caller {
	private constructor(
		private readonly url: string,
		private readonly token: string
	) {}

	/** Logs in with id and password. */
	static async logIn(url: string, account: { id: string; password: string } | undefined): Promise<Caller> {
		const tokens = await request<{ access_token: string }>(url, 'POST', '/auth/login', {
			id: account?.id,
			password: account?.password
		});
		return new Caller(url, tokens.access_token);
	}

	/** With a token that is known. */
	static with(url: string, token: string): Caller {
		return new Caller(url, token);
	}

	/** The answer's body; throws `Refused` when the server refused. */
	ask<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
		return request<T>(this.url, method, path, body, this.token);
	}
}

async function request<T>(url: string, method: string, path: string, body?: unknown, token?: string): Promise<T> {
	const isText = typeof body === 'string';
	const headers: Record<string, string> = { 'X-Lockerd': '1', Origin: url };
	if (token) headers['Authorization'] = `Bearer ${token}`;
	if (body !== undefined) headers['Content-Type'] = isText ? 'text/csv' : 'application/json';
	const answer = await fetch(`${url}/api/v1${path}`, {
		method,
		headers,
		...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) })
	});
	const text = await answer.text();
	if (!answer.ok) throw new Refused(`${method} ${path}: ${answer.status} ${text}`, answer.status, codeOf(text));
	return (text === '' ? undefined : JSON.parse(text)) as T;
}

function codeOf(text: string): string {
	try {
		return (JSON.parse(text) as { code?: string }).code ?? '';
	} catch {
		return '';
	}
}
