/** What staff ask the server about banks and lockers, where an answer comes in pages or from several places. */
import { api, ask, type Schemas } from '../../api/client';
import { inOrder } from './standing';

export type Setup = Schemas['LockerSetupReply'];
export type Case = Schemas['OverdueCaseReply'];
export type Rental = Schemas['RentalReply'];
export type Opening = Schemas['ListedOpeningReply'];

const PAGE = 100;
/** No list that is counted here is walked further; what is more is said as "more than". */
const PAGES = 10;

/** Walks a list to its end, or as far as is sensible. */
async function walk<Row>(
	page: (cursor: string | undefined) => Promise<{ rows: Row[]; next: string | null | undefined }>,
	isEnough: (rows: Row[]) => boolean = () => false
): Promise<{ rows: Row[]; isCut: boolean }> {
	const rows: Row[] = [];
	let cursor: string | undefined;
	for (let at = 0; at < PAGES; at += 1) {
		const got = await page(cursor);
		rows.push(...got.rows);
		if (!got.next || isEnough(got.rows)) return { rows, isCut: false };
		cursor = got.next;
	}
	return { rows, isCut: true };
}

const query = (cursor: string | undefined): { limit: number; cursor?: string } => ({
	limit: PAGE,
	...(cursor === undefined ? {} : { cursor })
});

/** The lockers of a bank with their wires and why they are out of service. */
export async function setupsOf(bank: number): Promise<Setup[]> {
	const { rows } = await walk(async (cursor) => {
		const params = { path: { bank_id: bank }, query: query(cursor) };
		const { lockers, next_cursor } = await ask(api.GET('/api/v1/banks/{bank_id}/lockers', { params }));
		return { rows: lockers, next: next_cursor };
	});
	return rows;
}

/** Overdue cases that are not closed, of one bank or of all. */
export async function openCases(bank?: number): Promise<Case[]> {
	const { rows } = await walk(async (cursor) => {
		const of = bank === undefined ? {} : { bank_id: bank };
		const params = { query: { state: 'open', ...of, ...query(cursor) } };
		const { cases, next_cursor } = await ask(api.GET('/api/v1/overdue', { params }));
		return { rows: cases, next: next_cursor };
	});
	return rows;
}

/** Cases whose things are still in the locker. */
export const isInside = ({ state, returning }: Case): boolean =>
	(state === 'detected' || state === 'sealed') && !returning;

/** Rentals in the order of their ends, up to a day. */
export async function endingUpTo(day: string): Promise<{ rows: Rental[]; isCut: boolean }> {
	return walk(
		async (cursor) => {
			const params = { query: { state: 'active', sort: 'ends_on', ...query(cursor) } };
			const { rentals, next_cursor } = await ask(api.GET('/api/v1/rentals', { params }));
			return { rows: rentals, next: next_cursor };
		},
		(rows) => (rows.at(-1)?.ends_on ?? '') > day
	);
}

/** Who has which locker of a bank now: whoever rents it before whoever comes next. */
export async function rentersOf(bank: number): Promise<ReadonlyMap<number, Rental>> {
	const { rows } = await walk(async (cursor) => {
		const params = { query: { bank_id: bank, state: 'live', sort: 'locker', ...query(cursor) } };
		const { rentals, next_cursor } = await ask(api.GET('/api/v1/rentals', { params }));
		return { rows: rentals, next: next_cursor };
	});
	const renters = new Map<number, Rental>();
	// The first of each locker is to stay.
	for (const it of inOrder(rows).reverse()) if (typeof it.locker_id === 'number') renters.set(it.locker_id, it);
	return renters;
}

/** Does something for each, a few at a time: a board of many banks must not crowd everybody else out. */
export async function inTurns<T>(list: readonly T[], work: (it: T) => Promise<void>, atOnce = 4): Promise<void> {
	const left = [...list];
	const one = async (): Promise<void> => {
		for (let it = left.shift(); it !== undefined; it = left.shift()) await work(it);
	};
	await Promise.all(Array.from({ length: atOnce }, one));
}
