/** Puts marks into the cells of a map, which are no components: a thousand of them must stand within a blink. */
import { mount, unmount } from 'svelte';
import Corner from './Corner.svelte';
import PickMark from './PickMark.svelte';
import type { Mark } from './standing';

/** Beside the marks of `standing`: the cell was picked. */
export const PICKED = 'picked';

/** Marks with spaces between them; the returned function takes them away. */
export function corner(target: HTMLElement, marks: string): () => void {
	const put = (mark: string) =>
		mark === PICKED ? mount(PickMark, { target }) : mount(Corner, { target, props: { mark: mark as Mark } });
	const mounted = marks.split(' ').map(put);
	return () => mounted.forEach((it) => void unmount(it));
}
