/** The line before a bank: how many wait, whether one can join, one's place and what is offered. */
import { api, ask, type Schemas } from '../api/client';
import { once } from '../api/once';

/** The line as whoever asks sees it. */
export type Line = Schemas['WaitingLineReply'];
/** A place of one's own in it. */
export type Waiting = Line['waiting'][number];

const of = (bank_id: number) => ({ params: { path: { bank_id } } });

export async function line(bank: number): Promise<Line> {
	return ask(api.GET('/api/v1/banks/{bank_id}/waiting', of(bank)));
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
