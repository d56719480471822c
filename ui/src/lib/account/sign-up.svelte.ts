/**
 * A sign-up that is under way: four pages, one question each, kept in this page's memory only. The server gets
 * all of it at once and mails a code.
 */
import { api, ask } from '../api/client';
import { Refusal } from '../api/problem';
import { texts } from '../i18n/texts.svelte';
import { domainsIn } from './checks';
import { logIn } from './log-in.svelte';

class SignUp {
	studentId = $state('');
	name = $state('');
	phone = $state('');
	email = $state('');
	/** Of mails. */
	language = $state<'ko' | 'en'>(texts.language);
	/** Whether the first two pages were answered. */
	isKnown = $state(false);
	hasMail = $state(false);
	/** The version of the privacy notice that was agreed to. */
	consent = $state<string | undefined>();
	/** The sign-up that waits for its code. */
	id = $state<string | undefined>();
	/** How long a code is good, in ms. */
	goodForMs = $state(0);
	/** The addresses that the site takes, once it refused another one. */
	domains = $state<string[]>([]);

	/** Sends everything; the code is mailed. */
	async send(password: string): Promise<void> {
		try {
			const { sign_up_id, expires_in } = await ask(
				api.POST('/api/v1/auth/sign-up', {
					body: {
						student_id: this.studentId.trim(),
						name: this.name.trim(),
						phone_number: this.phone.trim(),
						email: this.email.trim(),
						password,
						language: this.language,
						consent: this.consent ?? ''
					}
				})
			);
			this.id = sign_up_id;
			this.goodForMs = expires_in * 1000;
		} catch (error) {
			if (error instanceof Refusal && error.code === 'invalid') this.domains = domainsIn(error.problem.detail);
			throw error;
		}
	}

	/** Has another code mailed; the former one is dead. */
	async sendAgain(): Promise<void> {
		const again = await ask(
			api.POST('/api/v1/auth/sign-up/resend', { body: { sign_up_id: this.id ?? '' } })
		);
		this.id = again.sign_up_id;
		this.goodForMs = again.expires_in * 1000;
	}

	/** Makes the account and logs in. */
	async confirm(code: string, back: string): Promise<void> {
		const tokens = await ask(
			api.POST('/api/v1/auth/sign-up/confirm', { body: { sign_up_id: this.id ?? '', code } })
		);
		this.forget();
		await logIn.arrive(tokens, back);
	}

	forget(): void {
		this.studentId = this.name = this.phone = this.email = '';
		this.isKnown = this.hasMail = false;
		this.consent = this.id = undefined;
		this.domains = [];
	}
}

export const signUp = new SignUp();
