/**
 * A log-in that is under way. It may take two pages: the password was right, the code of the app is missing.
 * Nothing of it is kept beyond this page's memory.
 */
import { goto } from '$app/navigation';
import { api, ask, type Schemas } from '../api/client';
import { Refusal } from '../api/problem';
import { session } from '../session.svelte';

type Tokens = Schemas['TokensReply'];

class LogIn {
	/** What was typed as id, so that nobody types it twice. */
	id = $state('');
	/** Good for the second page; nothing when there is no log-in under way. */
	ticket = $state<string | undefined>();

	/** By id and password. */
	async byPassword(id: string, password: string, back: string): Promise<void> {
		this.id = id.trim();
		await this.#go({ id: this.id, password }, back);
	}

	/** By what the roster knows. */
	async byRoster(who: { student_id: string; name: string; phone_number: string }, back: string): Promise<void> {
		await this.#go(who, back);
	}

	/** The second page. */
	async byCode(code: string, back: string): Promise<void> {
		const tokens = await ask(
			api.POST('/api/v1/auth/login/second-factor', { body: { ticket: this.ticket ?? '', code } })
		);
		await this.arrive(tokens, back);
	}

	/** Goes where somebody who has just logged in wanted to go, or first of all where they must. */
	async arrive(tokens: Tokens, back: string): Promise<void> {
		await session.begin(tokens);
		this.ticket = undefined;
		const demanded = session.member?.second_factor_missing === true;
		// Staff come to work, unless they came from a page of their own.
		const wanted = back === '/' && session.isStaff ? '/staff' : back;
		await goto(demanded ? '/me/totp' : wanted, { replaceState: true });
	}

	async #go(body: Schemas['LogInRequest'], back: string): Promise<void> {
		let tokens: Tokens;
		try {
			tokens = await ask(api.POST('/api/v1/auth/login', { body }));
		} catch (error) {
			if (!(error instanceof Refusal) || error.code !== 'second_factor_needed') throw error;
			this.ticket = error.text('ticket');
			await goto(back === '/' ? '/login/code' : `/login/code?back=${encodeURIComponent(back)}`);
			return;
		}
		await this.arrive(tokens, back);
	}
}

export const logIn = new LogIn();
