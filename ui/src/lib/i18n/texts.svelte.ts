/**
 * Every text that people read, in their language. English has the shape of Korean, so a missing text
 * does not compile. Areas are loaded when a page needs them (`need` in its `load`).
 */
import { Format } from '../format';
import { clock } from '../clock.svelte';
import { firstLanguage, keepLanguage, type Language } from './language';
import type { Account } from './account.ko';
import type { Bank } from './bank.ko';
import type { Common } from './common.ko';
import type { Dates } from './dates.ko';
import type { Kiosk } from './kiosk.ko';
import type { Problems } from './problems.ko';
import type { Student } from './student.ko';

interface Areas {
	common: Common;
	problems: Problems;
	student: Student;
	bank: Bank;
	dates: Dates;
	account: Account;
	kiosk: Kiosk;
}

const sources: { [Area in keyof Areas]: Record<Language, () => Promise<Areas[Area]>> } = {
	common: {
		ko: async () => (await import('./common.ko')).common,
		en: async () => (await import('./common.en')).common
	},
	problems: {
		ko: async () => (await import('./problems.ko')).problems,
		en: async () => (await import('./problems.en')).problems
	},
	student: {
		ko: async () => (await import('./student.ko')).student,
		en: async () => (await import('./student.en')).student
	},
	bank: {
		ko: async () => (await import('./bank.ko')).bank,
		en: async () => (await import('./bank.en')).bank
	},
	dates: {
		ko: async () => (await import('./dates.ko')).dates,
		en: async () => (await import('./dates.en')).dates
	},
	account: {
		ko: async () => (await import('./account.ko')).account,
		en: async () => (await import('./account.en')).account
	},
	kiosk: {
		ko: async () => (await import('./kiosk.ko')).kiosk,
		en: async () => (await import('./kiosk.en')).kiosk
	}
};

class Texts {
	#language = $state<Language>(firstLanguage());
	#areas = $state.raw<Partial<Areas>>({});
	/** The site's time zone. */
	zone = $state('Asia/Seoul');

	get language(): Language {
		return this.#language;
	}

	readonly format = $derived(new Format(this.#language, this.zone, () => clock.now()));

	get common(): Common {
		return this.#area('common');
	}
	get problems(): Problems {
		return this.#area('problems');
	}
	get student(): Student {
		return this.#area('student');
	}
	get bank(): Bank {
		return this.#area('bank');
	}
	get dates(): Dates {
		return this.#area('dates');
	}
	get account(): Account {
		return this.#area('account');
	}
	get kiosk(): Kiosk {
		return this.#area('kiosk');
	}

	/** Loads the texts of a page; call it in the page's `load`. */
	async need(...areas: (keyof Areas)[]): Promise<void> {
		const missing = areas.filter((area) => !this.#areas[area]);
		if (missing.length === 0) return;
		const loaded = await this.#fetch(missing, this.#language);
		// Page and frame ask at once: what the other one got meanwhile stays.
		this.#areas = { ...this.#areas, ...loaded };
	}

	/**
	 * Changes the language; the page changes at once when all of its texts are there.
	 * @param isKept Whether this browser remembers it; a kiosk does not, the next one there may speak another.
	 */
	async speak(language: Language, isKept = true): Promise<void> {
		const known = Object.keys(this.#areas) as (keyof Areas)[];
		const areas = await this.#fetch(known, language);
		this.#areas = areas;
		this.#language = language;
		if (isKept) keepLanguage(language);
		document.documentElement.lang = language;
	}

	/** A name that has both languages; the other one where this is missing. */
	name(name: { ko: string; en: string }): string {
		return (this.#language === 'en' && name.en) || name.ko;
	}

	#area<Area extends keyof Areas>(area: Area): Areas[Area] {
		const found = this.#areas[area];
		if (!found) throw new Error(`a page forgot to load its texts: ${area}`);
		return found as Areas[Area];
	}

	async #fetch(areas: (keyof Areas)[], language: Language): Promise<Partial<Areas>> {
		const loaded = areas.map(async (area) => [area, await sources[area][language]()] as const);
		return Object.fromEntries(await Promise.all(loaded)) as Partial<Areas>;
	}
}

export const texts = new Texts();
