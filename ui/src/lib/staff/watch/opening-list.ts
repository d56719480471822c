/** Openings as staff look at them: what the outcome is called, which tone it has, what the socket adds. */
import type { Mark } from '../marks';

/** The part of a listed opening that changes while it is under way. */
export interface Listed {
	operation_id: string;
	locker_id: number;
	opened_at?: string | null;
	closed_at?: string | null;
	outcome?: string | null;
}

/** What the socket says of one. */
export interface Told {
	operation_id: string;
	locker_id: number;
	phases: { phase: string; at: string }[];
	outcome?: string | null;
}

/** The outcomes that the server filters by. */
export const OUTCOMES = [
	'opened',
	'already_open',
	'door_did_not_open',
	'unseen',
	'no_answer',
	'refused',
	'unreachable',
	'interrupted'
] as const;

/** Green is only for a door that was seen open. */
export function toneOf(outcome: string | null | undefined): Mark {
	switch (outcome) {
		case null:
		case undefined:
			return 'now';
		case 'opened':
			return 'good';
		case 'already_open':
			return 'idle';
		case 'door_did_not_open':
		case 'refused':
		case 'unreachable':
			return 'bad';
		default:
			return 'careful';
	}
}

/** A row with what the socket said of it; what was seen is never unseen. */
export function withTold<Row extends Listed>(row: Row, told: Told): Row {
	const at = (phase: string): string | undefined => told.phases.find((it) => it.phase === phase)?.at;
	return {
		...row,
		opened_at: row.opened_at ?? at('opened') ?? null,
		closed_at: row.closed_at ?? at('closed') ?? null,
		outcome: row.outcome ?? told.outcome ?? null
	};
}

/** How long the door was open, in ms; nothing where either end was not seen. */
export function openMs({ opened_at: opened, closed_at: closed }: Pick<Listed, 'opened_at' | 'closed_at'>): number | undefined {
	if (!opened || !closed) return undefined;
	return Math.max(0, Date.parse(closed) - Date.parse(opened));
}
