/** Personal data in lists: enough to tell people apart, not enough to take away by a glance over the shoulder. */

/** `2024****12`: the first four and the last two; of a short id the first and the last letter. */
export function maskId(id: string): string {
	const [before, behind] = id.length >= 8 ? [4, 2] : [1, 1];
	return hide(id, before, behind);
}

/** `010-****-5678`; other numbers keep their last four digits. */
export function maskPhone(digits: string): string {
	const groups = /^(01\d)(\d{3,4})(\d{4})$/.exec(digits);
	if (!groups) return hide(digits, 0, 4);
	const [, net = '', middle = '', last = ''] = groups;
	return `${net}-${'*'.repeat(middle.length)}-${last}`;
}

/** `ha****@example.ac.kr`. */
export function maskEmail(address: string): string {
	const at = address.lastIndexOf('@');
	return at < 0 ? hide(address, 1, 0) : hide(address.slice(0, at), 2, 0) + address.slice(at);
}

/** At least one letter is always hidden, and how many there are is not shown. */
function hide(text: string, before: number, behind: number): string {
	const letters = [...text];
	if (letters.length <= before + behind) return '*'.repeat(4);
	return letters.slice(0, before).join('') + '****' + letters.slice(letters.length - behind).join('');
}
