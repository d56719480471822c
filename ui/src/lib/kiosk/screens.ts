/** The screens of somebody who is signed in: a file of their own. */
export { default as GiveBack } from './GiveBack.svelte';
export { default as My } from './My.svelte';
export { default as Opened } from './Opened.svelte';
