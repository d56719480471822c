/** The live socket of this page. */
import { session } from '../session.svelte';
import { Live } from './live.svelte';

export const live = new Live({
	open: () => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1/ws`),
	token: () => session.token(),
	renew: async () => session.renew((await session.token()) ?? '')
});

/** Ties the socket to whoever is logged in and to what the browser knows of the network. */
export function liveWhileLoggedIn(): void {
	session.onLeave(() => live.stop());
	document.addEventListener('visibilitychange', () => live.seen(document.visibilityState === 'visible'));
	addEventListener('online', () => live.again());
	addEventListener('offline', () => live.again());
}
