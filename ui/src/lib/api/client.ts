/** The REST API, typed by its own document (`schema.d.ts` is made from it). */
import createClient, { type Middleware } from 'openapi-fetch';
import { clock } from '../clock.svelte';
import { Refusal, Unreachable, refusal } from './problem';
import type { components, paths } from './schema';

export type Schemas = components['schemas'];

/** An answer that takes longer is given up. */
const TIMEOUT_MS = 20_000;

/** What the client asks whoever is logged in. */
export interface Bearer {
	/** The access token, renewed when it is about to end. */
	token(): Promise<string | undefined>;
	/** The server said that this token is no good: a new one, if there is any. */
	renew(refused: string): Promise<string | undefined>;
}

let bearer: Bearer | undefined;

/** Says who is logged in; the session does at the start. */
export function bearBy(who: Bearer): void {
	bearer = who;
}

/** Addresses that make or end a log-in: they are sent without a token. */
const isLogIn = (path: string): boolean => /^\/api\/v1\/(auth\/(login|refresh|sign-up)|kiosk\/pair|site$)/.test(path);

const authorize: Middleware = {
	async onRequest({ request, schemaPath }) {
		request.headers.set('X-Lockerd', '1');
		if (isLogIn(schemaPath)) return;
		const token = await bearer?.token();
		if (token) request.headers.set('Authorization', `Bearer ${token}`);
	}
};

async function carry(request: Request): Promise<Response> {
	const again = request.headers.has('Authorization') ? request.clone() : undefined;
	const response = await within(request);
	if (response.status !== 401 || !again || (await isWrongPassword(response))) return response;
	// The token may have ended on the way; one more try with a new one.
	const used = again.headers.get('Authorization')?.slice('Bearer '.length) ?? '';
	const token = await bearer?.renew(used);
	if (!token) return response;
	again.headers.set('Authorization', `Bearer ${token}`);
	return within(again);
}

/** A password that was asked for once more was wrong: sent again it would count as a second miss. */
async function isWrongPassword(response: Response): Promise<boolean> {
	const problem: unknown = await response
		.clone()
		.json()
		.catch(() => undefined);
	return (problem as { code?: unknown } | undefined)?.code === 'bad_credentials';
}

async function within(request: Request): Promise<Response> {
	const controller = new AbortController();
	const timer = setTimeout(() => controller.abort(), TIMEOUT_MS);
	try {
		return await fetch(request, { signal: controller.signal });
	} catch (cause) {
		throw new Unreachable(cause);
	} finally {
		clearTimeout(timer);
	}
}

const client = createClient<paths>({ baseUrl: '', fetch: carry });
client.use(authorize);

export const api = client;

interface Answer<T> {
	data?: T;
	error?: unknown;
	response: Response;
}

const isLost = ({ status }: Response, body: unknown): boolean =>
	status >= 502 && status <= 504 && !(typeof body === 'object' && body !== null && 'code' in body);

/**
 * The data of an answer.
 * @throws Refusal when the server refused; Unreachable when nobody knows.
 */
export async function ask<T>(asked: Promise<Answer<T>>): Promise<T> {
	const began = performance.now();
	let answer: Answer<T>;
	try {
		answer = await asked;
	} catch (error) {
		if (error instanceof Refusal || error instanceof Unreachable) throw error;
		// What is no JSON came from something between here and the server.
		throw new Unreachable(error);
	}
	const { data, error, response } = answer;
	// A proxy that lost the server behind it does not know what became of the request either.
	if (isLost(response, error)) throw new Unreachable(error);
	if (!response.ok) throw refusal(response, error);
	const said = (data as { server_time?: unknown } | undefined)?.server_time;
	// What has a tag may come from the browser's store, and its time from long ago.
	if (typeof said === 'string' && !response.headers.has('etag')) clock.learn(said, performance.now() - began);
	return data as T;
}
