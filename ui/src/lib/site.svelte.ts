/** What everybody may know of the site: its places with their counts, its clock, how people get in. */
import { api, ask, type Schemas } from './api/client';
import { live } from './live';
import type { Item } from './live/protocol';
import { texts } from './i18n/texts.svelte';
import { Loading } from './ui/loading.svelte';

export type Site = Schemas['SiteReply'];
export type Place = Schemas['LocationSummaryReply'];
export type Bank = Schemas['BankSummaryReply'];

/** A bank and where it stands. */
export interface PlacedBank {
	place: Place;
	bank: Bank;
}

/** Within so long everybody asks anew after a change that all hear of. */
const SPREAD_MS = 3000;

class SiteState extends Loading<Site> {
	/** False while the database fails: nothing can be claimed or changed, doors open all the same. */
	isWhole = $state(true);
	/** False while the server does not know the time for certain. */
	isClockTrusted = $state(true);

	constructor() {
		super(async () => {
			const site = await ask(api.GET('/api/v1/site'));
			texts.zone = site.time_zone;
			return site;
		});
		const heard = (items: Item[]): void => {
			for (const item of items) {
				if ('database' in item) this.isWhole = item['database'] === 'ok';
				if ('clock_trusted' in item) this.#heardClock(item['clock_trusted'] === true);
			}
		};
		live.hear('site', { snapshot: heard, delta: heard });
	}

	#wasTrusted: boolean | undefined;

	/** Windows open and shut with the trust in the clock: they are asked for anew, not by everybody at once. */
	#heardClock(isTrusted: boolean): void {
		this.isClockTrusted = isTrusted;
		const isNew = this.#wasTrusted !== undefined && this.#wasTrusted !== isTrusted;
		this.#wasTrusted = isTrusted;
		if (isNew) setTimeout(() => void this.load(), Math.random() * SPREAD_MS);
	}

	readonly banks = $derived<PlacedBank[]>(
		(this.value?.locations ?? []).flatMap((place) => place.banks.map((bank) => ({ place, bank })))
	);

	/** A bank by its number, if there is one. */
	bank(id: number): PlacedBank | undefined {
		return this.banks.find(({ bank }) => bank.bank_id === id);
	}

	/** `과학도서관 6층 101번 칸`: where a locker is, if its bank is known. */
	where(bankId: number | undefined, locker: number | string): string {
		const found = bankId === undefined ? undefined : this.bank(bankId);
		const number = texts.common.locker(locker);
		return found ? texts.common.place(texts.name(found.place.name), number) : number;
	}
}

export const site = new SiteState();
