/**
 * What was seen of an opening, as the list of steps that people read. "Opened" is a step only when the server
 * saw the door open: a command that was sent or acknowledged says nothing about the door.
 */

/** An opening as the server tells of it. */
export interface Seen {
	phases: readonly { phase: string; at: string }[];
	outcome?: string | null | undefined;
}

/** What else decides on the words. */
export interface Around {
	/** The server's clock, in ms. */
	now: number;
	/** How many openings of this locker were tried in a row, this one included. */
	attempt: number;
	/** Whether the door's sensor is known to be broken. */
	isSensorFaulty: boolean;
	/** How the door stands now, as far as is known: open, closed or unknown. */
	door?: string | undefined;
}

/** Which words a step has, in `texts.student.steps`. */
export type StepKey =
	| 'requested'
	| 'sent'
	| 'acknowledged'
	| 'sentAgain'
	| 'opened'
	| 'alreadyOpen'
	| 'closed'
	| 'closedUnwatched'
	| 'leftOpen'
	| 'unseen'
	| 'unseenSilent'
	| 'sensorFaulty'
	| 'didNotOpen'
	| 'didNotOpenTwice'
	| 'noAnswer'
	| 'unreachable'
	| 'refused'
	| 'interrupted'
	| 'nextAsk'
	| 'nextLook'
	| 'nextSend'
	| 'nextDoor'
	| 'nextClose';

/** Done, under way, still to come, failed, or not to be known. */
export type Mark = 'tick' | 'ring' | 'hollow' | 'cross' | 'question';

export interface Step {
	key: StepKey;
	mark: Mark;
	/** When it was seen, by the server's clock. */
	at?: string;
	/** How long the door was open, or stands open, in ms. */
	forMs?: number;
}

/** A door that is open for so long is spoken of. */
export const LEFT_OPEN_MS = 180_000;
/** The server watches for the closing for so long after it saw the door open. */
export const CLOSING_WATCH_MS = 600_000;

const PHASES: Record<string, StepKey> = {
	requested: 'requested',
	sent: 'sent',
	acknowledged: 'acknowledged',
	sent_again: 'sentAgain'
};

/** Whether the server saw the door open. */
export function wasSeenOpen(seen: Seen): boolean {
	return at(seen, 'opened') !== undefined || seen.outcome === 'opened' || seen.outcome === 'already_open';
}

/** Whether there is nothing more to come: decided, and the door was closed or could not be seen. */
export function isOver(seen: Seen, now: number): boolean {
	if (!seen.outcome) return false;
	if (!wasSeenOpen(seen) || at(seen, 'closed') !== undefined) return true;
	return now - openedAt(seen) > CLOSING_WATCH_MS;
}

/** The steps, oldest first, with the one that is expected next. */
export function steps(seen: Seen, around: Around): Step[] {
	const list: Step[] = [];
	for (const { phase, at } of seen.phases) {
		const key = PHASES[phase];
		if (key) list.push({ key, mark: 'tick', at });
	}
	if (wasSeenOpen(seen)) return [...list, ...doorSteps(seen, around)];
	if (seen.outcome) return [...list, verdict(seen, around)];
	if (at(seen, 'sent') === undefined) {
		return [...list, { key: 'nextSend', mark: 'ring' }, { key: 'nextDoor', mark: 'hollow' }];
	}
	return [...list, { key: 'nextDoor', mark: 'ring' }];
}

/** The step that says most about how it stands: the last one that is not still to come. */
export function headline(list: readonly Step[]): Step | undefined {
	const isHere = ({ mark, key }: Step): boolean => mark !== 'hollow' && !key.startsWith('next');
	return list.filter(isHere).at(-1);
}

function doorSteps(seen: Seen, around: Around): Step[] {
	const opened = at(seen, 'opened');
	const first: Step =
		seen.outcome === 'already_open' ? { key: 'alreadyOpen', mark: 'tick' } : { key: 'opened', mark: 'tick' };
	if (opened !== undefined) first.at = opened;
	const closed = at(seen, 'closed');
	if (closed !== undefined) {
		const last: Step = { key: 'closed', mark: 'tick', at: closed };
		if (opened !== undefined) last.forMs = Math.max(0, Date.parse(closed) - Date.parse(opened));
		return [first, last];
	}
	const openMs = around.now - openedAt(seen);
	if (openMs > CLOSING_WATCH_MS && around.door === 'closed') {
		return [first, { key: 'closedUnwatched', mark: 'tick' }];
	}
	if (openMs >= LEFT_OPEN_MS && around.door !== 'closed') {
		return [first, { key: 'leftOpen', mark: 'ring', forMs: openMs }];
	}
	return [first, { key: 'nextClose', mark: 'hollow' }];
}

function verdict(seen: Seen, { attempt, isSensorFaulty }: Around): Step {
	switch (seen.outcome) {
		case 'door_did_not_open':
			// A broken sensor that says "closed" is no witness.
			if (isSensorFaulty) return { key: 'sensorFaulty', mark: 'question' };
			return { key: attempt >= 2 ? 'didNotOpenTwice' : 'didNotOpen', mark: 'cross' };
		case 'unseen':
			if (isSensorFaulty) return { key: 'sensorFaulty', mark: 'question' };
			// Some boards never answer: then nobody has accepted anything.
			return { key: at(seen, 'acknowledged') === undefined ? 'unseenSilent' : 'unseen', mark: 'question' };
		case 'no_answer':
			return { key: isSensorFaulty ? 'sensorFaulty' : 'noAnswer', mark: 'question' };
		case 'unreachable':
			return { key: 'unreachable', mark: 'cross' };
		case 'refused':
			return { key: 'refused', mark: 'cross' };
		default:
			// Interrupted, and what a newer server may tell: nobody knows, so nothing is claimed.
			return { key: 'interrupted', mark: 'question' };
	}
}

function at(seen: Seen, phase: string): string | undefined {
	return seen.phases.find((it) => it.phase === phase)?.at;
}

/** When the door was seen open; of one that was open before, when the command went out. */
function openedAt(seen: Seen): number {
	return Date.parse(at(seen, 'opened') ?? seen.phases.at(-1)?.at ?? '');
}

/** The newer of two looks at the same opening: what was seen is never unseen. */
export function newer<T extends Seen>(known: T | undefined, other: T): T {
	if (!known) return other;
	if (known.outcome && !other.outcome) return known;
	return other.phases.length < known.phases.length ? known : other;
}
