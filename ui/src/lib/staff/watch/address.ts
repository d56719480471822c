/** Addresses within a page: its filters stay, one thing of them changes. */

/** The address with one part of its query set, or without it. */
export function withPart(url: URL, name: string, value: string | undefined): string {
	const search = new URLSearchParams(url.search);
	if (value === undefined) search.delete(name);
	else search.set(name, value);
	const text = search.toString();
	return text ? `${url.pathname}?${text}` : url.pathname;
}
