/** What staff do at their desk while a browser test runs, over the API. */
import type { Site, Visitor } from './site';

interface Account {
	id: string;
	password: string;
}

export class Desk {
	private constructor(
		private readonly url: string,
		private readonly token: string,
		private readonly student: Account
	) {}

	static async of(site: Site): Promise<Desk> {
		const { admin, student } = site.told.accounts;
		if (!admin || !student) throw new Error('the demonstration has no sample accounts');
		return new Desk(site.url, await logIn(site.url, admin), student);
	}

	/** A fresh code for a kiosk of these banks, which is made when there is none of that name. */
	async pairingCode(name: string, banks: number[]): Promise<string> {
		const made = await this.#kiosk(name);
		const path = made === undefined ? '/kiosks' : `/kiosks/${made.kiosk_id}/pairing-code`;
		const body = made === undefined ? { name, bank_ids: banks } : undefined;
		const { pairing_code } = await this.#call<{ pairing_code: string }>('POST', path, body);
		return pairing_code;
	}

	/** Makes a visitor's browser a kiosk. */
	async pair({ context }: Visitor, name: string, banks: number[]): Promise<void> {
		const code = await this.pairingCode(name, banks);
		const answer = await context.request.post('/api/v1/kiosk/pair', {
			data: { code },
			headers: { 'X-Lockerd': '1', Origin: this.url }
		});
		if (!answer.ok()) throw new Error(`not paired: ${await answer.text()}`);
	}

	/** Whether a member is signed in at a kiosk. */
	async isAnybodyAt(name: string): Promise<boolean> {
		return Boolean((await this.#kiosk(name))?.signed_in);
	}

	/** The sample student with this locker, which they may have by now; another one that they rent is given back. */
	async renter(locker: number): Promise<{ id: string; member: number }> {
		const token = await logIn(this.url, this.student);
		const { locker: rented } = await this.#call<{ locker?: { locker_id: number } | null }>(
			'GET',
			'/lockers/me',
			undefined,
			token
		);
		if (rented?.locker_id !== locker) {
			if (rented) await this.#call('POST', `/lockers/${rented.locker_id}/release`, { emptied: true }, token);
			await this.#call('POST', `/lockers/${locker}/hold`, undefined, token);
			await this.#call('POST', `/lockers/${locker}/confirm`, undefined, token);
		}
		const me = await this.#call<{ member_id: number }>('GET', '/auth/me', undefined, token);
		return { id: this.student.id, member: me.member_id };
	}

	/** A code for one sign-in without an app. */
	async oneTimeCode(member: number): Promise<string> {
		const path = `/members/${member}/one-time-code`;
		const { code } = await this.#call<{ code: string }>('POST', path, { reason: '휴대전화가 없음' });
		return code;
	}

	async #kiosk(name: string): Promise<{ kiosk_id: number; signed_in?: unknown } | undefined> {
		interface List {
			kiosks: { kiosk_id: number; name: string; signed_in?: unknown }[];
		}
		const { kiosks } = await this.#call<List>('GET', '/kiosks?limit=100');
		return kiosks.find((kiosk) => kiosk.name === name);
	}

	#call<T>(method: string, path: string, body?: unknown, token = this.token): Promise<T> {
		return call(this.url, method, path, body, token);
	}
}

async function call<T>(url: string, method: string, path: string, body?: unknown, token?: string): Promise<T> {
	const answer = await fetch(`${url}/api/v1${path}`, {
		method,
		headers: {
			...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
			...(body === undefined ? {} : { 'Content-Type': 'application/json' })
		},
		...(body === undefined ? {} : { body: JSON.stringify(body) })
	});
	const text = await answer.text();
	if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
	return (text ? JSON.parse(text) : undefined) as T;
}

async function logIn(url: string, account: Account): Promise<string> {
	return (await call<{ access_token: string }>(url, 'POST', '/auth/login', account)).access_token;
}
