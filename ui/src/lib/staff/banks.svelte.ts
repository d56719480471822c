/** The banks that somebody of staff looks after: for choices and names on many pages. */
import { api, ask, type Schemas } from '../api/client';
import { texts } from '../i18n/texts.svelte';
import { session } from '../session.svelte';
import { Loading } from '../ui/loading.svelte';

export type StaffBank = Schemas['BankReply'];

/** What the server gives at once. */
const PAGE = 100;

class Banks extends Loading<StaffBank[]> {
	constructor() {
		super(async () => {
			const all: StaffBank[] = [];
			let cursor: string | null | undefined;
			do {
				const query = cursor ? { limit: PAGE, cursor } : { limit: PAGE };
				const page = await ask(api.GET('/api/v1/banks', { params: { query } }));
				all.push(...page.banks);
				cursor = page.next_cursor;
			} while (cursor);
			return all;
		});
		// Somebody else looks after other ones.
		session.onLeave(() => this.clear());
	}

	/** Asks for them unless they are known. */
	async need(): Promise<void> {
		if (this.value === undefined) await this.load();
	}

	find(id: number | null | undefined): StaffBank | undefined {
		return this.value?.find((bank) => bank.bank_id === id);
	}

	/** `과학도서관 6층 · A 벽`: the place and the name of a bank. */
	nameOf(bank: Pick<StaffBank, 'name' | 'location'>): string {
		return `${texts.name(bank.location)} · ${texts.name(bank.name)}`;
	}

	/** What a choice of a bank offers, `all` first. */
	options(all?: string): { value: string; text: string }[] {
		const each = (this.value ?? []).map((bank) => ({ value: String(bank.bank_id), text: this.nameOf(bank) }));
		return all === undefined ? each : [{ value: '', text: all }, ...each];
	}
}

export const banks = new Banks();
