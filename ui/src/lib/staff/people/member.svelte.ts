/** One member with what hangs on them; parts are asked for apart, so that one that fails does not hide the others. */
import { api, ask, type Schemas } from '../../api/client';
import { Loading } from '../../ui/loading.svelte';
import { Paged } from '../paged.svelte';
import type { Penalty } from './penalty';

export type Member = Schemas['MemberDetailReply'];
export type Rental = Schemas['RentalReply'];
export type Entry = Schemas['EntryReply'];
export type LogIn = Schemas['SessionReply'];

/** Further history comes in small pages: most look at the newest only. */
const HISTORY_ROWS = 20;
const MOST = 100;

export class MemberParts {
	readonly member: Loading<Member>;
	/** Live ones in banks that the caller looks after. */
	readonly rentals: Loading<Rental[]>;
	readonly penalties: Loading<Penalty[]>;
	readonly logIns: Loading<LogIn[]>;
	readonly history: Paged<Entry>;

	constructor(readonly id: number) {
		const path = { member_id: id };
		const query = { member_id: id, limit: MOST };
		this.member = new Loading(() => ask(api.GET('/api/v1/members/{member_id}', { params: { path } })));
		this.rentals = new Loading(async () => {
			const asked = api.GET('/api/v1/rentals', { params: { query: { ...query, state: 'live' } } });
			return (await ask(asked)).rentals;
		});
		this.penalties = new Loading(async () => (await ask(api.GET('/api/v1/penalties', { params: { query } }))).penalties);
		this.logIns = new Loading(
			async () => (await ask(api.GET('/api/v1/members/{member_id}/sessions', { params: { path } }))).sessions
		);
		this.history = new Paged(async (cursor) => {
			const asked = { limit: HISTORY_ROWS, ...(cursor ? { cursor } : {}) };
			const got = await ask(api.GET('/api/v1/members/{member_id}/history', { params: { path, query: asked } }));
			return { rows: got.entries, next: got.next_cursor };
		});
	}

	/** Asks for everything that everybody of staff may see. */
	load(): void {
		void this.member.load();
		void this.rentals.load();
		void this.penalties.load();
		void this.history.load();
	}
}
