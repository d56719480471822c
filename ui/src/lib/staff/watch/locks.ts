/** Locks with what was counted of them; those that need hands the most come first. */
import type { Paged } from '../paged.svelte';

export interface Lock {
	locker_id: number;
	bank_id: number;
	/** Bus, board and lock, like `bus1/0/2`. */
	channel: string;
	openings: number;
	retries: number;
	jams: number;
	unanswered: number;
	acknowledged_mean_ms: number | null;
	acknowledged_max_ms: number | null;
	opened_mean_ms: number | null;
	/** Why it is to be looked at: `jams`, `retries`, `unanswered`, `sensor_fault`. */
	reasons: string[];
}

/** Most reasons first, then what keeps people out, then by number. */
export function byNeed(locks: readonly Lock[]): Lock[] {
	const need = (lock: Lock): number[] => [lock.reasons.length, lock.jams, lock.unanswered, lock.retries, -lock.locker_id];
	return [...locks].sort((one, other) => {
		const [mine, theirs] = [need(one), need(other)];
		const at = mine.findIndex((value, place) => value !== theirs[place]);
		return at < 0 ? 0 : (theirs[at] ?? 0) - (mine[at] ?? 0);
	});
}

/** A share in whole percent; nothing of nothing. */
export function percent(part: number, of: number): number | undefined {
	return of > 0 ? Math.round((part * 100) / of) : undefined;
}

/** Every reason that one of them has, in the order of the help. */
export function reasonsOf(locks: Paged<Lock>['value']): string[] {
	const found = new Set((locks?.rows ?? []).flatMap(({ reasons }) => reasons));
	return ['jams', 'retries', 'unanswered', 'sensor_fault'].filter((reason) => found.has(reason));
}
