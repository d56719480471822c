/** Gives the focus to the heading of the page: what had it is gone, and a reader should not begin at the top. */
export function focusHeading(): void {
	document.querySelector('h1')?.focus({ preventScroll: true });
}
