/** Where a locker stands, for pages that know its number only: of one's own locker the server tells no bank. */
import { api, ask } from '../api/client';
import { Refusal, Unreachable } from '../api/problem';
import { site } from '../site.svelte';
import { texts } from '../i18n/texts.svelte';

export interface Where {
	bank: number;
	place: { ko: string; en: string };
	openFrom: string;
	/** `과학도서관 6층 101번 칸`. */
	text: string;
}

export class Home {
	#locker: number | undefined;
	#bank = $state<number | undefined>();

	/** Learns of which bank a locker is; what was taken a moment ago is known without asking. */
	async find(locker: number, known: { locker: number; bank: number } | undefined): Promise<void> {
		if (locker === this.#locker) return;
		this.#locker = locker;
		if (known?.locker === locker) {
			this.#bank = known.bank;
			return;
		}
		try {
			const found = await ask(api.GET('/api/v1/lockers/{locker_id}', { params: { path: { locker_id: locker } } }));
			if (this.#locker === locker) this.#bank = found.bank_id;
		} catch (error) {
			// The address of the page names a bank, too.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}

	/** Where it stands; by the address of the page until it is known better. */
	of(locker: number | undefined, otherwise: number): Where | undefined {
		const bank = this.#bank ?? otherwise;
		const found = site.bank(bank);
		if (!found) return undefined;
		return {
			bank,
			place: found.place.name,
			openFrom: found.bank.open_from,
			text: texts.common.place(texts.name(found.place.name), texts.common.locker(locker ?? ''))
		};
	}
}

/** How long a hold is, as people say it: 60 seconds, not one minute. */
export function holdLength(ms: number): string {
	const seconds = Math.round(ms / 1000);
	return seconds <= 90 ? texts.bank.hold.seconds(seconds) : texts.format.length(seconds * 1000);
}
