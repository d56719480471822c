/** Names of members of staff, each asked for once: records name whoever did something by number. */
import { api, ask } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';
import { session } from '../../session.svelte';

class Names {
	#known = $state.raw(new Map<number, string>());
	#asked = new Set<number>();

	constructor() {
		session.onLeave(() => {
			this.#known = new Map();
			this.#asked.clear();
		});
	}

	/** The name in a record, if it has one; else it is asked for. */
	in(record: { member_id?: number | null } | null | undefined): string | undefined {
		const told = (record as { name?: string | null } | null | undefined)?.name;
		if (told) return told;
		return typeof record?.member_id === 'number' ? this.of(record.member_id) : undefined;
	}

	/** Asks for the name that a record lacks. */
	async needIn(record: { member_id?: number | null } | null | undefined): Promise<void> {
		if (typeof record?.member_id === 'number' && this.in(record) === undefined) await this.need(record.member_id);
	}

	/** What is known of a member. */
	of(member: number): string | undefined {
		return member === session.member?.member_id ? session.member.name : this.#known.get(member);
	}

	/** Asks for a name unless it is known; without one the page says that it was somebody. */
	async need(member: number): Promise<void> {
		if (this.of(member) !== undefined || this.#asked.has(member)) return;
		this.#asked.add(member);
		try {
			const path = { member_id: member };
			const { name } = await ask(api.GET('/api/v1/members/{member_id}', { params: { path } }));
			if (name) this.#known = new Map(this.#known).set(member, name);
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.#asked.delete(member);
		}
	}
}

export const names = new Names();
