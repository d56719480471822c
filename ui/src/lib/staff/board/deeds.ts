/** What staff can do with a locker: what fits how it stands, and the requests. Each happens once. */
import { api, ask, type Schemas } from '../../api/client';
import { once } from '../../api/once';

export type Deed = 'assign' | 'move' | 'dates' | 'end' | 'letGo' | 'free' | 'out' | 'back' | 'key' | 'note';

/** A reason that a member is mailed. */
export const REASON_MAX = 200;

export interface Stand {
	/** The state of the rental that matters now; nothing when nobody has it. */
	rental: string | undefined;
	inService: boolean;
	isWired: boolean;
}

/** What can be done, in an order that stays: what is for the renter, for the locker, for the record. */
export function deedsFor({ rental, inService, isWired }: Stand): Deed[] {
	const deeds: Deed[] = [];
	if (rental === 'active') deeds.push('dates', 'move', 'end');
	else if (rental === 'returned') deeds.push('free');
	else if (rental === 'held') deeds.push('letGo');
	else if (inService) deeds.push('assign');
	deeds.push(inService ? 'out' : 'back');
	if (isWired) deeds.push('key');
	deeds.push('note');
	return deeds;
}

const header = (key: string): { 'Idempotency-Key': string } => ({ 'Idempotency-Key': key });

export function endRental(rental_id: number, reason: string): Promise<Schemas['TakenAwayReply']> {
	return once(`end-rental:${rental_id}`, (key) =>
		ask(
			api.POST('/api/v1/rentals/{rental_id}/end', {
				params: { path: { rental_id }, header: header(key) },
				body: { reason }
			})
		)
	);
}

export function moveRental(rental_id: number, locker_id: number, reason: string): Promise<Schemas['MovedReply']> {
	return once(`move-rental:${rental_id}:${locker_id}`, (key) =>
		ask(
			api.POST('/api/v1/rentals/{rental_id}/move', {
				params: { path: { rental_id }, header: header(key) },
				body: { locker_id, reason }
			})
		)
	);
}

export function changeLastDay(rental_id: number, ends_on: string, reason: string): Promise<Schemas['GrantedReply']> {
	return once(`change-rental:${rental_id}:${ends_on}`, (key) =>
		ask(
			api.PATCH('/api/v1/rentals/{rental_id}', {
				params: { path: { rental_id }, header: header(key) },
				body: { ends_on, reason }
			})
		)
	);
}

export function assign(body: Schemas['AssignBody']): Promise<Schemas['GrantedReply']> {
	return once(`assign:${body.locker_id}:${body.member_id}`, (key) =>
		ask(api.POST('/api/v1/rentals', { params: { header: header(key) }, body }))
	);
}

export function freeLocker(locker_id: number, reason: string): Promise<unknown> {
	return once(`free:${locker_id}`, (key) =>
		ask(
			api.POST('/api/v1/lockers/{locker_id}/free', {
				params: { path: { locker_id }, header: header(key) },
				body: { reason }
			})
		)
	);
}

export function setService(locker_id: number, in_service: boolean, reason: string): Promise<Schemas['LockerSetupReply']> {
	return once(`service:${locker_id}:${in_service}`, (key) =>
		ask(
			api.PUT('/api/v1/lockers/{locker_id}/service', {
				params: { path: { locker_id }, header: header(key) },
				body: { in_service, reason }
			})
		)
	);
}

export function writeNote(locker_id: number, text: string): Promise<unknown> {
	return once(`note:${locker_id}:${text}`, (key) =>
		ask(
			api.POST('/api/v1/lockers/{locker_id}/notes', {
				params: { path: { locker_id }, header: header(key) },
				body: { text }
			})
		)
	);
}

/** Says that the mechanical key was used; gives for how long the door may be opened. */
export async function useKey(locker_id: number, note: string): Promise<number> {
	const { window_ms } = await once(`mechanical-key:${locker_id}`, (key) =>
		ask(
			api.POST('/api/v1/lockers/{locker_id}/mechanical-key', {
				params: { path: { locker_id }, header: header(key) },
				body: { note }
			})
		)
	);
	return window_ms;
}
