/**
 * The filters of a list, kept in the page's address: a link, a reload and the way back show the same list.
 * Create one while the page's component is made.
 */
import { goto } from '$app/navigation';
import { page } from '$app/state';

export class Filters<Name extends string> {
	constructor(private readonly first: Record<Name, string>) {}

	/** What a filter is set to. */
	get(name: Name): string {
		return page.url.searchParams.get(name) ?? this.first[name];
	}

	/** What the server is asked with: only what is set. */
	get query(): Partial<Record<Name, string>> {
		const names = Object.keys(this.first) as Name[];
		const set = names.map((name) => [name, this.get(name)] as const).filter(([, value]) => value !== '');
		return Object.fromEntries(set) as Partial<Record<Name, string>>;
	}

	/** Whether anything is filtered away that is not at first. */
	get isUsed(): boolean {
		return (Object.keys(this.first) as Name[]).some((name) => this.get(name) !== this.first[name]);
	}

	/** Sets filters; the address changes without a new entry in the way back. */
	async set(values: Partial<Record<Name, string>>): Promise<void> {
		const url = new URL(page.url);
		for (const [name, value] of Object.entries(values) as [Name, string][]) {
			if (value === this.first[name]) url.searchParams.delete(name);
			else url.searchParams.set(name, value);
		}
		await goto(url, { replaceState: true, keepFocus: true, noScroll: true });
	}

	/** Everything as at first. */
	async clear(): Promise<void> {
		await this.set(this.first);
	}
}
