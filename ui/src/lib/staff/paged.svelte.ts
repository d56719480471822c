/**
 * A list that the server gives in pages. The first page is loading, slow, failed or there (`Loaded` shows it);
 * further ones come below what is there, so that nothing moves that somebody reads.
 */
import { Refusal, Unreachable } from '../api/problem';
import { Loading } from '../ui/loading.svelte';

export interface ListPage<Row> {
	rows: Row[];
	/** How many there are on all pages, where the server counts them. */
	total?: number | undefined;
	next?: string | null | undefined;
}

/** How many rows one page has. */
export const PAGE_ROWS = 50;

/** What one page is asked for with. */
export const pageAt = (cursor: string | undefined): { limit: number; cursor?: string } => ({
	limit: PAGE_ROWS,
	...(cursor === undefined ? {} : { cursor })
});

export class Paged<Row> extends Loading<ListPage<Row>> {
	/** A further page is on its way. */
	isGetting = $state(false);
	/** Why the last further page did not come. */
	moreFailure = $state.raw<Refusal | Unreachable | undefined>();
	#round = 0;

	constructor(private readonly page: (cursor: string | undefined) => Promise<ListPage<Row>>) {
		super(() => page(undefined));
	}

	override async load(): Promise<void> {
		this.#round += 1;
		this.isGetting = false;
		this.moreFailure = undefined;
		await super.load();
	}

	/** Gets the next page; what came from a list that was asked for anew meanwhile is dropped. */
	async more(): Promise<void> {
		const known = this.value;
		if (!known?.next || this.isGetting) return;
		const mine = this.#round;
		this.isGetting = true;
		this.moreFailure = undefined;
		try {
			const got = await this.page(known.next);
			if (mine !== this.#round) return;
			const now = this.value ?? known;
			this.value = { rows: [...now.rows, ...got.rows], total: got.total ?? now.total, next: got.next };
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			if (mine === this.#round) this.moreFailure = error;
		} finally {
			if (mine === this.#round) this.isGetting = false;
		}
	}

	/** Changes the rows in place: what an action or the socket told. */
	change(rows: (rows: Row[]) => Row[]): void {
		if (this.value) this.value = { ...this.value, rows: rows(this.value.rows) };
	}
}
