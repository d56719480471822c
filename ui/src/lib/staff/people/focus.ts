import { tick } from 'svelte';
import { focusHeading } from '../../account/focus';

/** Waits for a list to come anew; whose button is gone with its line begins at the heading, not at the top of the window. */
export async function afterwards(loading: Promise<void>): Promise<void> {
	await loading;
	await tick();
	if (document.activeElement === document.body) focusHeading();
}
