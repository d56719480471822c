/** A forgotten password that is being set anew; kept in this page's memory only. */
import { api, ask } from '../api/client';

class Reset {
	/** The account as it was typed. */
	account = $state('');
	/** The reset that waits for its code. */
	id = $state<string | undefined>();
	/** How long a code is good, in ms. */
	goodForMs = $state(0);

	/** Has a code mailed; the answer is the same whether there is such an account or not. */
	async ask(account: string): Promise<void> {
		this.account = account.trim();
		const { reset_id, expires_in } = await ask(
			api.POST('/api/v1/auth/password/forgot', { body: { id: this.account } })
		);
		this.id = reset_id;
		this.goodForMs = expires_in * 1000;
	}

	/** Sets the new password. */
	async set(code: string, password: string, consent: string | undefined): Promise<void> {
		await ask(
			api.POST('/api/v1/auth/password/reset', {
				body: { reset_id: this.id ?? '', code, password, ...(consent ? { consent } : {}) }
			})
		);
		this.id = undefined;
	}
}

export const reset = new Reset();
