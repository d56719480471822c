/**
 * Setting an authenticator app up. The secret is in this page's memory only, from the moment it is shown until the
 * first code was right or somebody went away.
 */
import { api, ask, type Schemas } from '../api/client';
import { Refusal, Unreachable } from '../api/problem';
import { session } from '../session.svelte';

/** What shows once more who somebody is: the password or a code. */
export type Proof = { password: string } | { code: string };

class Enrolment {
	/** What the app needs. */
	secret = $state.raw<Schemas['EnrolReply'] | undefined>();
	/** Recovery codes that were not put away yet. */
	codes = $state.raw<string[] | undefined>();
	/** Whether the codes came with a new app, or alone. */
	isNewApp = $state(false);

	/** Asks for a secret; `password_needed` when the log-in is too old to do so without a proof. */
	async begin(proof?: Proof): Promise<void> {
		this.secret = await ask(api.POST('/api/v1/auth/totp', proof ? { body: proof } : {}));
	}

	/** The first code of the new app. */
	async confirm(code: string): Promise<void> {
		const { recovery_codes } = await ask(api.POST('/api/v1/auth/totp/confirm', { body: { code } }));
		this.secret = undefined;
		this.codes = recovery_codes;
		this.isNewApp = true;
		try {
			// The token so far does not say that a second factor was shown.
			await session.renew((await session.token()) ?? '');
			await session.look();
		} catch (error) {
			// The app is in force all the same; the token is renewed later.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}

	/** A new set of recovery codes. */
	async renew(proof?: Proof): Promise<void> {
		const { recovery_codes } = await ask(
			api.POST('/api/v1/auth/totp/recovery-codes', proof ? { body: proof } : {})
		);
		this.codes = recovery_codes;
		this.isNewApp = false;
	}

	/** Takes the app away. */
	async remove(proof: Proof): Promise<void> {
		await ask(api.DELETE('/api/v1/auth/totp', { body: proof }));
	}

	forget(): void {
		this.secret = undefined;
		this.codes = undefined;
	}
}

export const enrolment = new Enrolment();

// Nobody else sees what was shown to whoever was logged in.
session.onLeave(() => enrolment.forget());
