/** Openings over the API and the live socket, and the one that was begun on another page. */
import { api, ask } from '../api/client';
import { Refusal } from '../api/problem';
import { clock } from '../clock.svelte';
import { live } from '../live';
import type { Item } from '../live/protocol';
import { Opening, type Doors } from './opening.svelte';
import type { Seen } from './steps';

export const doors: Doors = {
	async open(locker, key, code) {
		const asked = api.POST('/api/v1/lockers/{locker_id}/open', {
			params: { path: { locker_id: locker }, header: { 'Idempotency-Key': key } },
			...(code === undefined ? {} : { body: { presence_code: code } })
		});
		return (await ask(asked)).operation_id;
	},
	async lookUp(key) {
		try {
			const kept = await ask(api.GET('/api/v1/operations/{key}', { params: { path: { key } } }));
			const operation = operationOf(kept.answer);
			return operation === undefined ? undefined : { operation, at: Date.parse(kept.at) };
		} catch (error) {
			if (error instanceof Refusal && error.code === 'operation_not_found') return undefined;
			throw error;
		}
	},
	look(operation, waitS) {
		const query = waitS > 0 ? { wait_s: waitS } : {};
		return ask(
			api.GET('/api/v1/openings/{operation_id}', { params: { path: { operation_id: operation }, query } })
		);
	},
	hear(listener) {
		const heard = (items: Item[]): void => {
			for (const item of items) {
				const { operation_id: operation, phases } = item;
				if (typeof operation === 'string' && Array.isArray(phases)) listener(operation, item as unknown as Seen);
			}
		};
		return live.hear('openings', { snapshot: heard, delta: heard });
	},
	isLive: () => live.status === 'live',
	now: () => clock.now()
};

/** The kept answer of an opening is its operation, as a text or as it was sent. */
function operationOf(answer: unknown): string | undefined {
	if (typeof answer === 'string') return answer;
	const inside = (answer as { operation_id?: unknown } | null)?.operation_id;
	return typeof inside === 'string' ? inside : undefined;
}

let begun: Opening | undefined;

/** Opens a locker at once; the page that shows it takes it over with `openingOf`. */
export function begin(locker: number, code?: string): Opening {
	begun?.end();
	begun = new Opening(locker, doors);
	void begun.open(code);
	return begun;
}

/** The opening that was just begun for a locker, or a new one of which nothing was asked yet. */
export function openingOf(locker: number): Opening {
	const mine = begun?.locker === locker ? begun : undefined;
	begun = undefined;
	return mine ?? new Opening(locker, doors);
}

/** Where an opening is shown. */
export function openAddress(locker: number, operation?: string, attempt = 1): string {
	const query = new URLSearchParams({ locker: String(locker) });
	if (operation !== undefined) query.set('op', operation);
	if (attempt > 1) query.set('try', String(attempt));
	return `/my/open?${query}`;
}
