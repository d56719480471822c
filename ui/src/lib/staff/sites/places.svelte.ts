/** The locations of the site, whole: there are few, and names and choices on many pages need them. */
import { api, ask, type Schemas } from '../../api/client';
import { Loading } from '../../ui/loading.svelte';
import { texts } from '../../i18n/texts.svelte';

export type Location = Schemas['LocationReply'];

/** Gets every page of a list. */
export async function all<Row>(page: (cursor: string | undefined) => Promise<{ rows: Row[]; next?: string | null | undefined }>): Promise<Row[]> {
	const rows: Row[] = [];
	for (let cursor: string | undefined; ; ) {
		const got = await page(cursor);
		rows.push(...got.rows);
		if (!got.next) return rows;
		cursor = got.next;
	}
}

/** The locations in use, or those that were retired. */
export const locationsOf = (retired: boolean): Promise<Location[]> =>
	all(async (cursor) => {
		const query = { limit: 100, ...(retired ? { retired } : {}), ...(cursor === undefined ? {} : { cursor }) };
		const { locations, next_cursor } = await ask(api.GET('/api/v1/locations', { params: { query } }));
		return { rows: locations, next: next_cursor };
	});

/** The banks in use, or those that were retired. */
export const banksOf = (retired: boolean): Promise<Schemas['BankReply'][]> =>
	all(async (cursor) => {
		const query = { limit: 100, ...(retired ? { retired } : {}), ...(cursor === undefined ? {} : { cursor }) };
		const { banks, next_cursor } = await ask(api.GET('/api/v1/banks', { params: { query } }));
		return { rows: banks, next: next_cursor };
	});

class Locations extends Loading<Location[]> {
	constructor() {
		super(() => locationsOf(false));
	}

	async need(): Promise<void> {
		if (this.value === undefined) await this.load();
	}

	nameOf(id: number | null | undefined): string | undefined {
		const found = this.value?.find(({ location_id }) => location_id === id);
		return found && texts.name(found.name);
	}
}

export const locations = new Locations();
