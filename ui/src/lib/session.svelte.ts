/**
 * Who is logged in on this page. The access token lives in memory only; the refresh token is in a cookie
 * that no script can read. Tabs share that cookie, so renewing goes one at a time, and a log-out in one
 * tab is told to the others.
 */
import { api, ask, bearBy, type Schemas } from './api/client';
import { Refusal } from './api/problem';
import { read, write } from './i18n/language';

export type Member = Schemas['MeReply'];
type Tokens = Schemas['TokensReply'];

/** Why somebody is not logged in any more. */
export type Farewell = 'log_out' | 'ended';

/** Remembers that this browser may have a refresh token; without it none is asked for. */
const HINT = 'lockerd.in';
/** So often a renewal is tried that another tab, or this page before its reload, was quicker with. */
const TRIES = 4;
/** Time for the quicker one's cookie to arrive, in ms. */
const ARRIVAL_MS = 250;
/** A token is renewed when it has less than this left, in ms. */
const RENEW_MS = 60_000;

type Said = { kind: 'log_in'; member: number } | { kind: 'log_out' };

class Session {
	#token: string | undefined;
	/** On `performance.now()`. */
	#ends = 0;
	#renewing: Promise<string | undefined> | undefined;
	/** Counts log-ins and log-outs: what was asked for before one is void after it. */
	#era = 0;
	#channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('lockerd');
	#leaving: ((why: Farewell) => void)[] = [];

	/** Whoever is logged in. */
	member = $state.raw<Member | undefined>();
	/** Why nobody is, if somebody was. */
	farewell = $state<Farewell | undefined>();

	constructor() {
		bearBy({ token: () => this.token(), renew: (refused) => this.renew(refused) });
		this.#channel?.addEventListener('message', ({ data }: MessageEvent<Said>) => {
			if (data.kind === 'log_out') this.#leave('log_out');
			// Another member logged in: this page shows somebody else's things.
			else if (this.member && data.member !== this.member.member_id) location.reload();
		});
	}

	get isIn(): boolean {
		return this.member !== undefined;
	}

	/** Whether this browser may have a log-in of an earlier visit that was not taken up yet. */
	get mayResume(): boolean {
		return !this.isIn && read(HINT) !== null;
	}

	get isStaff(): boolean {
		return this.member?.role === 'staff' || this.member?.role === 'admin';
	}

	/** Takes up the log-in of an earlier visit, if there is one that is still good. */
	async resume(): Promise<void> {
		if (read(HINT) !== null) await this.renew('');
		if (this.#token) await this.look();
	}

	/** Asks anew who is logged in: name, address and role may have changed. */
	async look(): Promise<void> {
		this.member = await ask(api.GET('/api/v1/auth/me'));
	}

	/** Goes on with the tokens of a log-in that was just made. */
	async begin(tokens: Tokens): Promise<void> {
		this.#era += 1;
		this.#keep(tokens);
		this.farewell = undefined;
		await this.look();
		this.#channel?.postMessage({ kind: 'log_in', member: tokens.member_id } satisfies Said);
	}

	/** Logs out here and in every tab of this browser. */
	async end(): Promise<void> {
		await ask(api.POST('/api/v1/auth/logout'));
		this.gone();
	}

	/** What was done here ended the log-in: the account was deleted, or its password set anew. */
	gone(): void {
		this.#leave('log_out');
		this.#channel?.postMessage({ kind: 'log_out' } satisfies Said);
	}

	/** The log-in has ended somewhere else. */
	ended(): void {
		this.#leave('ended');
	}

	/** Called when somebody is not logged in any more, until the returned function is called. */
	onLeave(listener: (why: Farewell) => void): () => void {
		this.#leaving.push(listener);
		return () => {
			this.#leaving = this.#leaving.filter((other) => other !== listener);
		};
	}

	/** A token that is good for a while yet. */
	async token(): Promise<string | undefined> {
		const token = this.#token;
		if (token === undefined || performance.now() <= this.#ends - RENEW_MS) return token;
		try {
			return await this.renew(token);
		} catch (error) {
			// It is good for some seconds yet: a server that cannot renew it may well open a door.
			if (this.#token === token && performance.now() < this.#ends) return token;
			throw error;
		}
	}

	/** A token other than the one that was refused; all who ask at once get the same. */
	renew(refused: string): Promise<string | undefined> {
		if (this.#token && this.#token !== refused && performance.now() < this.#ends) return Promise.resolve(this.#token);
		this.#renewing ??= this.#oneTabAtATime().finally(() => (this.#renewing = undefined));
		return this.#renewing;
	}

	async #oneTabAtATime(): Promise<string | undefined> {
		// Locks are missing on plain HTTP; there the server forgives two tabs that renew at once.
		if (!navigator.locks) return this.#renew();
		return navigator.locks.request('lockerd.refresh', () => this.#renew());
	}

	async #renew(): Promise<string | undefined> {
		const era = this.#era;
		for (let tries = 0; tries < TRIES; tries += 1) {
			try {
				const tokens = await ask(api.POST('/api/v1/auth/refresh', { params: { header: { 'X-Lockerd': '1' } } }));
				// Whoever asked has left meanwhile, or is somebody else by now.
				if (era !== this.#era) return this.#token;
				this.#keep(tokens);
				return this.#token;
			} catch (error) {
				if (era !== this.#era) return this.#token;
				if (error instanceof Refusal && error.code === 'refresh_superseded') {
					await new Promise((resolve) => setTimeout(resolve, ARRIVAL_MS));
					continue;
				}
				if (error instanceof Refusal && (error.status === 401 || error.status === 403)) {
					this.#leave('ended');
					return undefined;
				}
				// No answer: whoever was logged in still is.
				throw error;
			}
		}
		return this.#token;
	}

	#keep(tokens: Tokens): void {
		this.#token = tokens.access_token;
		this.#ends = performance.now() + tokens.expires_in * 1000;
		write(HINT, '1');
	}

	#leave(why: Farewell): void {
		const was = this.member;
		this.#era += 1;
		this.#token = undefined;
		this.member = undefined;
		write(HINT, null);
		if (!was) return;
		this.farewell = why;
		for (const listener of this.#leaving) listener(why);
	}
}

export const session = new Session();
