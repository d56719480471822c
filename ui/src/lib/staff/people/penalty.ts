/** Days without an application after a late return. */
import type { Schemas } from '../../api/client';

export type Penalty = Schemas['PenaltyReply'];

/** Whether it holds today; one that begins tomorrow holds, too: nobody can be free of it by waiting. */
export function penaltyState(it: Pick<Penalty, 'last_on' | 'waived'>, today: string): 'live' | 'over' | 'waived' {
	if (it.waived) return 'waived';
	return it.last_on < today ? 'over' : 'live';
}

/** What the server is asked with. */
export function penaltyQuery(set: { q: string; bank_id: string; which: string }): { q?: string; bank_id?: number; live?: boolean } {
	return {
		...(set.q ? { q: set.q } : {}),
		// An address may have been typed by hand.
		...(/^\d+$/.test(set.bank_id) ? { bank_id: Number(set.bank_id) } : {}),
		...(set.which === 'all' ? {} : { live: true })
	};
}
