/** Where somebody goes after the log-in: only ever a page of this site. */

/** Pages that make no sense to come back to. */
const NOT_BACK = /^\/(login|signup|password)(\/|$|\?|#)/;

/** The path that `?back=` names, if it is one of this site; else the front page. */
export function backOf(url: URL): string {
	const wanted = url.searchParams.get('back') ?? '';
	// `//host` and `/\host` lead to other hosts; a control character may hide such a beginning.
	const isOwn = /^\/(?![/\\])[^\\\p{Cc}]*$/u.test(wanted);
	return isOwn && !NOT_BACK.test(wanted) ? wanted : '/';
}

/** An address with the same way back. */
export function withBack(path: string, url: URL): string {
	const back = backOf(url);
	return back === '/' ? path : `${path}?back=${encodeURIComponent(back)}`;
}
