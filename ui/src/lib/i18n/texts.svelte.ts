/**
 * Every text that people read, in their language. English has the shape of Korean, so a missing text
 * does not compile. Areas are loaded when a page needs them (`need` in its `load`).
 */
import { Format } from '../format';
import { clock } from '../clock.svelte';
import { firstLanguage, keepLanguage, type Language } from './language';
import type { Account } from './account.ko';
import type { Bank } from './bank.ko';
import type { Board } from './board.ko';
import type { Common } from './common.ko';
import type { Dates } from './dates.ko';
import type { Figures } from './figures.ko';
import type { Kiosk } from './kiosk.ko';
import type { Lending } from './lending.ko';
import type { People } from './people.ko';
import type { Problems } from './problems.ko';
import type { Sites } from './sites.ko';
import type { Staff } from './staff.ko';
import type { Student } from './student.ko';
import type { System } from './system.ko';
import type { Watch } from './watch.ko';
import type { Wiring } from './wiring.ko';

interface Areas {
	common: Common;
	problems: Problems;
	student: Student;
	bank: Bank;
	dates: Dates;
	account: Account;
	staff: Staff;
	board: Board;
	watch: Watch;
	people: People;
	sites: Sites;
	lending: Lending;
	figures: Figures;
	system: System;
	wiring: Wiring;
	kiosk: Kiosk;
}

const sources: { [Area in keyof Areas]: Record<Language, () => Promise<Areas[Area]>> } = {
	common: {
		ko: async () => (await import('./words.ko')).common,
		en: async () => (await import('./words.en')).common
	},
	problems: {
		ko: async () => (await import('./words.ko')).problems,
		en: async () => (await import('./words.en')).problems
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
	staff: {
		ko: async () => (await import('./staff.ko')).staff,
		en: async () => (await import('./staff.en')).staff
	},
	board: {
		ko: async () => (await import('./board.ko')).board,
		en: async () => (await import('./board.en')).board
	},
	watch: {
		ko: async () => (await import('./watch.ko')).watch,
		en: async () => (await import('./watch.en')).watch
	},
	people: {
		ko: async () => (await import('./people.ko')).people,
		en: async () => (await import('./people.en')).people
	},
	sites: {
		ko: async () => (await import('./sites.ko')).sites,
		en: async () => (await import('./sites.en')).sites
	},
	lending: {
		ko: async () => (await import('./lending.ko')).lending,
		en: async () => (await import('./lending.en')).lending
	},
	figures: {
		ko: async () => (await import('./figures.ko')).figures,
		en: async () => (await import('./figures.en')).figures
	},
	system: {
		ko: async () => (await import('./system.ko')).system,
		en: async () => (await import('./system.en')).system
	},
	wiring: {
		ko: async () => (await import('./wiring.ko')).wiring,
		en: async () => (await import('./wiring.en')).wiring
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
	get staff(): Staff {
		return this.#area('staff');
	}
	get board(): Board {
		return this.#area('board');
	}
	get watch(): Watch {
		return this.#area('watch');
	}
	get people(): People {
		return this.#area('people');
	}
	get sites(): Sites {
		return this.#area('sites');
	}
	get lending(): Lending {
		return this.#area('lending');
	}
	get figures(): Figures {
		return this.#area('figures');
	}
	get system(): System {
		return this.#area('system');
	}
	get wiring(): Wiring {
		return this.#area('wiring');
	}
	get kiosk(): Kiosk {
		return this.#area('kiosk');
	}

	/** Loads the texts of a page; call it in the page's `load`. */
	async need(...areas: (keyof Areas)[]): Promise<void> {
		const missing = areas.filter((area) => !this.#areas[area]);
		if (missing.length === 0) return;
		const language = this.#language;
		const loaded = await this.#fetch(missing, language);
		if (language !== this.#language) return this.need(...areas);
		// Page and frame ask at once: what the other one got meanwhile stays.
		this.#areas = { ...this.#areas, ...loaded };
	}

	/**
	 * Changes the language; the page changes at once when all of its texts are there.
	 * @param isKept Whether this browser remembers it; a kiosk does not, the next one there may speak another.
	 */
	async speak(language: Language, isKept = true): Promise<void> {
		let areas: Partial<Areas> = {};
		const missing = (): (keyof Areas)[] => (Object.keys(this.#areas) as (keyof Areas)[]).filter((area) => !areas[area]);
		// A page that is on its way may bring more of them meanwhile.
		while (missing().length > 0) areas = { ...areas, ...(await this.#fetch(missing(), language)) };
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
