/** How openings ended, as figures: which ones a sensor saw, which ones have a result at all. */

/** What a sensor showed open. */
const SEEN = ['opened', 'already_open'];
const UNDER_WAY = 'under_way';

export interface Outcomes {
	/** The most frequent first. */
	rows: { outcome: string; count: number }[];
	/** How many have a result. */
	decided: number;
	/** How many of these were seen open. */
	seen: number;
}

export function outcomesOf(counts: Readonly<Record<string, number>>): Outcomes {
	const rows = Object.entries(counts)
		.filter(([, count]) => count > 0)
		.map(([outcome, count]) => ({ outcome, count }))
		.sort((one, other) => other.count - one.count || one.outcome.localeCompare(other.outcome));
	const of = (isMeant: (outcome: string) => boolean): number =>
		rows.filter(({ outcome }) => isMeant(outcome)).reduce((all, { count }) => all + count, 0);
	return { rows, decided: of((outcome) => outcome !== UNDER_WAY), seen: of((outcome) => SEEN.includes(outcome)) };
}
