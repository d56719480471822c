/** How a return stands, as the page of the return shows it. */
import { texts } from '../i18n/texts.svelte';
import type { MyLocker } from '../mine.svelte';

/**
 * To be given back; waits for its door, the renter's word or staff; can be opened again for a while; over; being
 * written down; not mine.
 */
export type ReturnStand = 'check' | 'door' | 'confirmation' | 'staff' | 'grace' | 'done' | 'finishing' | 'notMine';

type Given = Pick<MyLocker, 'state' | 'waits_for'>;

/**
 * @param locker Mine of that number, if there is one.
 * @param wasGiven Whether this page saw it given back: when it is mine no more, that is done.
 */
export function returnStand(locker: Given | undefined, wasGiven: boolean): ReturnStand {
	if (!locker) return wasGiven ? 'done' : 'notMine';
	if (locker.state === 'active') return 'check';
	if (locker.state !== 'returned') return 'notMine';
	switch (locker.waits_for) {
		case 'door':
		case 'confirmation':
		case 'staff':
		case 'grace':
			return locker.waits_for;
		default:
			return 'finishing';
	}
}

/** What a returned locker waits for, in a sentence. `now` is the server's clock. */
export function waitText(locker: MyLocker, now: number): string {
	const words = texts.student.waits;
	switch (returnStand(locker, false)) {
		case 'door':
			return locker.door === 'open' ? words.doorOpen : words.door;
		case 'confirmation':
			return words.confirmation;
		case 'staff':
			return words.staff;
		case 'grace':
			return words.grace(texts.format.countdown(graceLeft(locker.free_at, now)));
		default:
			return words.free;
	}
}

/** How long a returned locker can be opened again, in ms. */
export function graceLeft(freeAt: string | null | undefined, now: number): number {
	const end = freeAt ? Date.parse(freeAt) : Number.NaN;
	return Number.isNaN(end) ? 0 : Math.max(0, end - now);
}
