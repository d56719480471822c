/** Student ids in a file that is about to be read in: enough to tell people apart, not to take away by a glance. */

/** `2024****12`: the first four and the last two; of a short id the first and the last letter. */
export function maskId(id: string): string {
	const [before, behind] = id.length >= 8 ? [4, 2] : [1, 1];
	const letters = [...id];
	// At least one letter is always hidden, and how many there are is not shown.
	if (letters.length <= before + behind) return '*'.repeat(4);
	return letters.slice(0, before).join('') + '****' + letters.slice(letters.length - behind).join('');
}
