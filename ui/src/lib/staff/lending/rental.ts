/** What is known of one rental: its life in order, what can still be done with it and what that leads to. */
import type { Schemas } from '../../api/client';

export type RentalRow = Schemas['RentalReply'];

/** Something that happened to a rental; `key` names its words in `texts.lending.rental.events`. */
export interface Event {
	key: 'reserved' | 'held' | 'confirmed' | 'opened' | 'returned' | 'ended';
	at: string;
}

/** Its life, oldest first. */
export function lifeOf(rental: RentalRow): Event[] {
	// A reservation is bound to a locker only later: what came first was no hold.
	const isReservation = rental.state === 'reserved' || (rental.locker_id ?? undefined) === undefined;
	const known: [Event['key'], string | null | undefined][] = [
		[isReservation ? 'reserved' : 'held', rental.held_at],
		['confirmed', rental.confirmed_at],
		['opened', rental.opened_at],
		['returned', rental.returned_at],
		['ended', rental.ended_at]
	];
	return known
		.filter((it): it is [Event['key'], string] => typeof it[1] === 'string')
		.map(([key, at]) => ({ key, at }))
		.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

/** What staff can do with it now. */
export interface Choices {
	end: boolean;
	move: boolean;
	change: boolean;
	/** It waits for somebody who says that the locker is empty. */
	free: boolean;
}

export function choicesOf(rental: Pick<RentalRow, 'state'>): Choices {
	const { state } = rental;
	return {
		end: state === 'active' || state === 'held' || state === 'reserved',
		move: state === 'active',
		change: state === 'active',
		free: state === 'returned'
	};
}

/** What ending it leads to, as the words in `texts.lending.rental` are called. */
export function endOf(rental: Pick<RentalRow, 'state' | 'opened_at'>): 'endReserved' | 'endHeld' | 'endOpened' | 'endUnopened' {
	if (rental.state === 'reserved') return 'endReserved';
	if (rental.state === 'held') return 'endHeld';
	return rental.opened_at ? 'endOpened' : 'endUnopened';
}

/** Where the page of a rental is. */
export const addressOf = (rental: { rental_id: number }): string => `/staff/rentals/${rental.rental_id}`;

/** Which order a list of rentals can be asked in: of the history only the newest first. */
export function sortOf(query: { state: string; locker: boolean; sort: string }): string {
	const isLive = query.state !== 'all' && query.state !== 'ended';
	return isLive || query.locker ? query.sort : 'newest';
}
