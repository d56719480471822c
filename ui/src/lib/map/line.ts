/** The line before a bank: how many wait, whether one can join, one's place and what is offered. */
import { api, ask, type Schemas } from '../api/client';
import { once } from '../api/once';

/** A place in a line. */
export interface Waiting {
	waiting_id: number;
	bank_id: number;
	starts_on?: string | null;
	ends_on?: string | null;
	/** From 1; nothing for who has an offer. */
	place?: number | null;
	offer?: { locker_id: number; expires_in_ms: number; until: string } | null;
}

export interface Line {
	bank_id: number;
	starts_on?: string | null;
	ends_on?: string | null;
	/** How many wait without an offer. */
	count: number;
	can_join: boolean;
	/** Why not, as a code of refusals. */
	reason?: string | null;
	/** One's own places. */
	waiting: Waiting[];
}

const of = (bank_id: number) => ({ params: { path: { bank_id } } });

export async function line(bank: number): Promise<Line> {
	// The document has another type of the same name in this place.
	return (await ask(api.GET('/api/v1/banks/{bank_id}/waiting', of(bank)))) as unknown as Line;
}

export function join(bank_id: number): Promise<Schemas['JoinReply']> {
	return once(`join:${bank_id}`, (key) =>
		ask(
			api.POST('/api/v1/banks/{bank_id}/waiting', {
				params: { path: { bank_id }, header: { 'Idempotency-Key': key } }
			})
		)
	);
}

/** Leaves the line, and gives up what is offered. Twice is the same as once. */
export async function leave(bank: number): Promise<void> {
	await ask(api.DELETE('/api/v1/banks/{bank_id}/waiting', of(bank)));
}

/** Whether there is anything to say of a line: somebody's own place, or that one can join. */
export function isWorthShowing(it: Line): boolean {
	return it.waiting.length > 0 || it.can_join;
}
