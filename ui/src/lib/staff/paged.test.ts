import { describe, expect, it } from 'vitest';
import { Unreachable } from '../api/problem';
import { Paged, type ListPage } from './paged.svelte';

const pages: Record<string, ListPage<number>> = {
	'': { rows: [1, 2], total: 3, next: 'b' },
	b: { rows: [3], total: 3, next: null }
};

describe('a list in pages', () => {
	it('puts further pages below what is there', async () => {
		const list = new Paged<number>((cursor) => Promise.resolve(pages[cursor ?? '']!));
		await list.load();
		expect(list.value?.rows).toEqual([1, 2]);
		await list.more();
		expect(list.value?.rows).toEqual([1, 2, 3]);
		await list.more();
		expect(list.value?.rows).toEqual([1, 2, 3]);
	});

	it('keeps what is there when a further page fails, and tries again', async () => {
		let isAway = true;
		const list = new Paged<number>((cursor) =>
			cursor && isAway ? Promise.reject(new Unreachable()) : Promise.resolve(pages[cursor ?? '']!)
		);
		await list.load();
		await list.more();
		expect(list.moreFailure).toBeInstanceOf(Unreachable);
		expect(list.value?.rows).toEqual([1, 2]);
		isAway = false;
		await list.more();
		expect(list.moreFailure).toBeUndefined();
		expect(list.value?.rows).toEqual([1, 2, 3]);
	});

	it('drops a page of a list that was asked for anew', async () => {
		let give: (page: ListPage<number>) => void = () => undefined;
		const list = new Paged<number>((cursor) =>
			cursor ? new Promise((resolve) => (give = resolve)) : Promise.resolve(pages['']!)
		);
		await list.load();
		const late = list.more();
		await list.load();
		give(pages['b']!);
		await late;
		expect(list.value?.rows).toEqual([1, 2]);
	});
});
