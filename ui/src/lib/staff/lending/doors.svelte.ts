/** The doors of one bank as they are seen now: asked for once, then told by the live socket. */
import { api, ask } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';
import { live } from '../../live';
import type { Item } from '../../live/protocol';

export class Door {
	/** `open`, `closed`, `unknown`; `null`: none is watched; nothing before it was asked for. */
	state = $state<string | null | undefined>();
	/** Since when it is so, where that was told. */
	since = $state<string | undefined>();

	constructor(
		private readonly locker: number,
		private readonly bank: number
	) {}

	/** Stays up to date until the returned function is called. */
	follow(): () => void {
		void this.#look();
		const heard = (items: Item[]): void => {
			for (const item of items) {
				if (item['locker_id'] !== this.locker || typeof item['door'] !== 'string') continue;
				this.state = item['door'];
				this.since = typeof item['since'] === 'string' ? item['since'] : undefined;
			}
		};
		return live.hear('doors', { snapshot: heard, delta: heard }, this.bank);
	}

	async #look(): Promise<void> {
		try {
			const path = { locker_id: this.locker };
			const { door } = await ask(api.GET('/api/v1/lockers/{locker_id}', { params: { path } }));
			this.state ??= door ?? null;
		} catch (error) {
			// The socket may know it all the same; else it stays unknown.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}
}
