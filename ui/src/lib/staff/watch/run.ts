/** How a mass opening goes: lockers by what was seen of them, and what the socket adds. */

export interface Line {
	locker_id: number;
	result: string;
	skipped_because?: string | null;
	operation_id?: string | null;
}

export interface Run {
	mass_opening_id: string;
	state: string;
	lockers: Line[];
}

export const GROUPS = ['waiting', 'opening', 'opened', 'shut', 'silent', 'other'] as const;
export type Group = (typeof GROUPS)[number];

const OF: Record<string, Group> = {
	waiting: 'waiting',
	opening: 'opening',
	opened: 'opened',
	already_open: 'opened',
	did_not_open: 'shut',
	no_answer: 'silent',
	unreachable: 'silent'
};

/** Which of the few groups that are counted a result belongs to. */
export const groupOf = (result: string): Group => OF[result] ?? 'other';

/** How many lockers are in each group. */
export function countsOf(lines: readonly Line[]): Record<Group, number> {
	const counts: Record<Group, number> = { waiting: 0, opening: 0, opened: 0, shut: 0, silent: 0, other: 0 };
	for (const { result } of lines) counts[groupOf(result)] += 1;
	return counts;
}

/** Those whose turn is over. */
export const hadTurn = (lines: readonly Line[]): number => {
	const { waiting, opening } = countsOf(lines);
	return lines.length - waiting - opening;
};

/** Those that nobody saw open, once all is over. */
export const notSeenOpen = (lines: readonly Line[]): Line[] =>
	lines.filter(({ result }) => !['waiting', 'opening', 'opened'].includes(groupOf(result)));

/** What the socket says of an order: how the whole stands, or where one locker is. */
export interface Told {
	mass_opening_id?: unknown;
	state?: unknown;
	locker_id?: unknown;
	result?: unknown;
}

/** The order with what the socket said; a result is never taken back to a turn that was still to come. */
export function withTold<Order extends Run>(order: Order, told: readonly Told[]): Order {
	const results = new Map<number, string>();
	let { state } = order;
	for (const it of told) {
		if (it.mass_opening_id !== order.mass_opening_id) continue;
		if (typeof it.state === 'string') state = it.state;
		if (typeof it.locker_id === 'number' && typeof it.result === 'string') results.set(it.locker_id, it.result);
	}
	if (results.size === 0 && state === order.state) return order;
	const lockers = order.lockers.map((line) => {
		const result = results.get(line.locker_id);
		const isOlder = result === undefined || rank(result) < rank(line.result);
		return isOlder ? line : { ...line, result };
	});
	return { ...order, state, lockers };
}

const rank = (result: string): number => ['waiting', 'opening'].indexOf(result) + 1 || 3;
