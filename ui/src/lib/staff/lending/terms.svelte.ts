/** The terms of the site, retired ones too: names for lists, choices for filters. */
import { api, ask, type Schemas } from '../../api/client';
import { texts } from '../../i18n/texts.svelte';
import { Loading } from '../../ui/loading.svelte';

export type Term = Schemas['TermReply'];

/** More terms than anybody chooses from; the newest ones come first among those that are retired. */
const ALL = 100;

class Terms extends Loading<Term[]> {
	constructor() {
		super(async () => {
			const of = async (retired: boolean): Promise<Term[]> =>
				(await ask(api.GET('/api/v1/terms', { params: { query: { retired, limit: ALL } } }))).terms;
			const [current, past] = await Promise.all([of(false), of(true)]);
			const known = new Set(current.map(({ term_id }) => term_id));
			return [...current, ...past.filter(({ term_id }) => !known.has(term_id))];
		});
	}

	/** Asks for them unless they are known. */
	async need(): Promise<void> {
		if (this.value === undefined) await this.load();
	}

	find(id: number | null | undefined): Term | undefined {
		return this.value?.find((term) => term.term_id === id);
	}

	options(first: string): { value: string; text: string }[] {
		const each = (this.value ?? []).map((term) => ({ value: String(term.term_id), text: texts.name(term.name) }));
		return [{ value: '', text: first }, ...each];
	}
}

export const terms = new Terms();
