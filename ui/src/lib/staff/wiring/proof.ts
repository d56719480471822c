/**
 * The proof of a board as the server tells it (docs/guide/commissioning.md), and what follows of it: where each
 * channel stands, which wires are crossed, what is to be mended.
 */

export type StepName = 'pulse' | 'wait' | 'number' | 'close' | 'done';

/** What one step showed. */
export interface Verdict {
	verdict: VerdictName;
	sensor?: number;
	sensors?: number[];
	lock?: number;
	number?: number;
	expected?: number;
	why?: string;
}

export const VERDICTS = [
	'sensor_moved',
	'no_sensor_moved',
	'no_inputs',
	'several_moved',
	'sensor_taken',
	'pulse_failed',
	'opened',
	'other_door',
	'nothing_moved',
	'sensor_without_door',
	'number_taken',
	'not_closed',
	'proven',
	'proven_unseen',
	'crossed'
] as const;
export type VerdictName = (typeof VERDICTS)[number];

export type LockResult =
	| { state: 'proven'; number: number; sensor: number | null; closed_bit: boolean | null }
	| { state: 'skipped'; why: Verdict | null };

export interface Conclusion {
	finished: boolean;
	sound: boolean;
	wiring: Record<string, number>;
	closed_bit: boolean | null;
	odd: number[];
	crossed: Record<string, number>;
	unseen: number[];
	skipped: number[];
	lowest_first: boolean | null;
	moved: Record<string, [number, number]>;
}

export interface Proof {
	id: string;
	bus: string;
	board: number;
	family: string;
	locks: number;
	step: { name: StepName; lock: number | null; proposed: number | null; number: number | null };
	last: { code: Verdict; text: string; trouble: boolean } | null;
	results: Record<string, LockResult>;
	conclusion: Conclusion;
	/** Whether the site's lockers hang as was found; older servers do not say. */
	wired?: boolean;
}

/** The report: findings of a proof with the lines for the configuration. */
export interface Report {
	boards: (Pick<Proof, 'bus' | 'board' | 'family' | 'locks' | 'results' | 'conclusion'>)[];
	echo: boolean | null;
	config: string;
}

/** The API document names no fields of what commissioning answers. */
export const asProof = (answer: unknown): Proof => answer as Proof;
export const asReport = (answer: unknown): Report => answer as Report;

export type ChannelState = 'open' | 'now' | 'proven' | 'mend' | 'skipped';

/** A channel of the board and what is known of it. */
export interface Channel {
	lock: number;
	state: ChannelState;
	/** The door that it opens. */
	number: number | undefined;
	sensor: number | undefined;
	/** The door that the layout has here, when another one opened. */
	expected: number | undefined;
}

/** Every channel of a board, first to last. */
export function channels(proof: Pick<Proof, 'locks' | 'results' | 'conclusion'> & { step?: Proof['step'] }): Channel[] {
	return Array.from({ length: proof.locks }, (_, at) => {
		const lock = at + 1;
		const result = proof.results[lock];
		const expected = proof.conclusion.moved[lock]?.[0];
		if (result?.state === 'proven') {
			const state = needsMending(proof.conclusion, lock) ? 'mend' : 'proven';
			return { lock, state, number: result.number, sensor: result.sensor ?? undefined, expected };
		}
		const isNow = proof.step?.lock === lock;
		const state = isNow ? 'now' : result ? 'skipped' : 'open';
		return { lock, state, number: undefined, sensor: undefined, expected: undefined };
	});
}

function needsMending({ crossed, odd, unseen }: Conclusion, lock: number): boolean {
	return crossed[lock] !== undefined || odd.includes(lock) || unseen.includes(lock);
}

export interface Progress {
	proven: number;
	skipped: number;
	left: number;
}

export function progress({ locks, results }: Pick<Proof, 'locks' | 'results'>): Progress {
	const all = Object.values(results);
	const proven = all.filter(({ state }) => state === 'proven').length;
	return { proven, skipped: all.length - proven, left: locks - all.length };
}

/** What is to be mended, in the order of what matters most. */
export type Trouble =
	| { kind: 'crossed'; lock: number; sensor: number }
	| { kind: 'odd'; lock: number }
	| { kind: 'unseen'; lock: number }
	| { kind: 'skipped'; locks: number[] };

export function troubles({ crossed, odd, unseen, skipped }: Conclusion): Trouble[] {
	return [
		...Object.entries(crossed).map(([lock, sensor]) => ({ kind: 'crossed' as const, lock: Number(lock), sensor })),
		...odd.map((lock) => ({ kind: 'odd' as const, lock })),
		...unseen.map((lock) => ({ kind: 'unseen' as const, lock })),
		...(skipped.length > 0 ? [{ kind: 'skipped' as const, locks: skipped }] : [])
	];
}

/** Doors on other channels than the layout has them. */
export interface Crossing {
	/** Two channels that have each other's doors. */
	swapped: [{ lock: number; number: number }, { lock: number; number: number }][];
	/** Other channels: the door of the layout, the door that opened. */
	moved: { lock: number; before: number; now: number }[];
}

/** Which wires are crossed: in pairs where two channels have each other's doors. */
export function crossings({ moved }: Conclusion): Crossing {
	const all = Object.entries(moved).map(([lock, [before, now]]) => ({ lock: Number(lock), before, now }));
	const taken = new Set<number>();
	const swapped: Crossing['swapped'] = [];
	for (const one of all) {
		const other = all.find((it) => it.lock > one.lock && it.before === one.now && it.now === one.before);
		if (!other) continue;
		taken.add(one.lock).add(other.lock);
		swapped.push([
			{ lock: one.lock, number: one.now },
			{ lock: other.lock, number: other.now }
		]);
	}
	return { swapped, moved: all.filter(({ lock }) => !taken.has(lock)) };
}

/** Numbers on doors have at most so many digits. */
const DIGITS_MAX = 6;

/** What stands in the field after a key of the keypad. */
export function press(typed: string, key: string): string {
	if (key === 'back') return typed.slice(0, -1);
	return `${typed}${key}`.replace(/^0+/, '').slice(0, DIGITS_MAX);
}

/** The number that was typed; nothing for what is none. */
export function numberOf(typed: string): number | undefined {
	const text = typed.trim();
	return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
}
