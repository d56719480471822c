/** A change of the mail address that is under way; kept in this page's memory only. */
import { api, ask } from '../api/client';
import { Refusal, Unreachable } from '../api/problem';
import { session } from '../session.svelte';

class EmailChange {
	/** The address to be. */
	email = $state('');
	/** The change that waits for its code. */
	id = $state<string | undefined>();
	/** How long the code is good, in ms. */
	goodForMs = $state(0);
	/** The address that was just changed to. */
	done = $state<string | undefined>();

	/** Has a code mailed to the new address. */
	async begin(email: string, password: string): Promise<void> {
		this.done = undefined;
		this.email = email.trim();
		const { change_id, expires_in } = await ask(
			api.POST('/api/v1/auth/email', { body: { email: this.email, password } })
		);
		this.id = change_id;
		this.goodForMs = expires_in * 1000;
	}

	/** Ends it with the code; the old address is told. */
	async confirm(code: string): Promise<void> {
		await ask(api.POST('/api/v1/auth/email/confirm', { body: { change_id: this.id ?? '', code } }));
		this.done = this.email;
		this.id = undefined;
		this.email = '';
		try {
			await session.look();
		} catch (error) {
			// It is changed all the same.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}

	forget(): void {
		this.email = '';
		this.id = this.done = undefined;
	}
}

export const emailChange = new EmailChange();

session.onLeave(() => emailChange.forget());
