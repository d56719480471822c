/** How states are shown: shape and colour beside the word, so that no one of the three is needed. */
import type { RentalRow } from './rental';

export type Tone = 'danger' | 'warning' | 'success' | 'info' | 'plain';

export interface Look {
	tone: Tone;
	/** A shape of its own for each state. */
	sign: string;
}

const RENTAL: Record<string, Look> = {
	reserved: { tone: 'info', sign: '◇' },
	held: { tone: 'warning', sign: '◔' },
	active: { tone: 'success', sign: '●' },
	late: { tone: 'danger', sign: '▲' },
	returned: { tone: 'warning', sign: '↩' },
	ended: { tone: 'plain', sign: '○' }
};

const CASE: Record<string, Look> = {
	detected: { tone: 'danger', sign: '▲' },
	sealed: { tone: 'warning', sign: '■' },
	collected: { tone: 'info', sign: '◆' },
	handed_back: { tone: 'success', sign: '✓' },
	returned: { tone: 'success', sign: '↩' },
	dropped: { tone: 'plain', sign: '✕' }
};

const UNKNOWN: Look = { tone: 'plain', sign: '·' };

export const lookOfRental = (state: string): Look => RENTAL[state] ?? UNKNOWN;
export const lookOfCase = (state: string): Look => CASE[state] ?? UNKNOWN;

/** The state of a rental as staff speak of it: an active one past its last day is late. */
export function stateOf(rental: Pick<RentalRow, 'state' | 'ends_on'>, today: string): string {
	return rental.state === 'active' && rental.ends_on < today ? 'late' : rental.state;
}
