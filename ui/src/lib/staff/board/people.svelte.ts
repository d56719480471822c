/** Looks for people while somebody types: after a moment's rest, and only the newest question is answered. */
import { api, ask, type Schemas } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';

export type Person = Schemas['MemberReply'];

const REST_MS = 300;
/** From so many letters on: one letter finds half of the campus. */
const LETTERS = 2;
const SHOWN = 8;

export class People {
	text = $state('');
	found = $state.raw<{ members: Person[]; total: number } | undefined>();
	failure = $state.raw<Refusal | Unreachable | undefined>();
	#timer: ReturnType<typeof setTimeout> | undefined;
	#turn = 0;

	/** Takes what was typed. */
	type(text: string): void {
		this.text = text;
		clearTimeout(this.#timer);
		this.#turn += 1;
		if (text.trim().length < LETTERS) {
			this.found = undefined;
			return;
		}
		this.#timer = setTimeout(() => void this.look(), REST_MS);
	}

	async look(): Promise<void> {
		clearTimeout(this.#timer);
		this.#turn += 1;
		const turn = this.#turn;
		try {
			const params = { query: { q: this.text.trim(), limit: SHOWN } };
			const { members, total } = await ask(api.GET('/api/v1/members', { params }));
			if (turn !== this.#turn) return;
			this.found = { members, total };
			this.failure = undefined;
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			if (turn === this.#turn) this.failure = error;
		}
	}

	clear(): void {
		this.type('');
		this.failure = undefined;
	}
}
