import { describe, expect, it } from 'vitest';
import { headline, isOver, LEFT_OPEN_MS, newer, steps, wasSeenOpen, type Around, type Seen } from './steps';

const START = Date.parse('2026-03-02T09:00:00Z');
const at = (second: number): string => new Date(START + second * 1000).toISOString();

function seen(phases: string[], outcome?: string): Seen {
	return { phases: phases.map((phase, index) => ({ phase, at: at(index) })), outcome };
}

const around = (more: Partial<Around> = {}): Around => ({
	now: START + 10_000,
	attempt: 1,
	isSensorFaulty: false,
	...more
});
const keys = (of: Seen, more: Partial<Around> = {}): string[] => steps(of, around(more)).map(({ key }) => key);

describe('while it is under way', () => {
	it('shows what comes next', () => {
		expect(keys(seen(['requested']))).toEqual(['requested', 'nextSend', 'nextDoor']);
		expect(keys(seen(['requested', 'sent']))).toEqual(['requested', 'sent', 'nextDoor']);
		expect(keys(seen(['requested', 'sent', 'acknowledged']))).toEqual([
			'requested',
			'sent',
			'acknowledged',
			'nextDoor'
		]);
		expect(keys(seen(['requested', 'sent', 'sent_again'])).at(-2)).toBe('sentAgain');
	});

	it('never says that a door is open which was not seen open', () => {
		for (const outcome of [
			undefined,
			'door_did_not_open',
			'unseen',
			'no_answer',
			'refused',
			'unreachable',
			'interrupted',
			'something_new'
		]) {
			const of = seen(['requested', 'sent', 'acknowledged'], outcome);
			expect(wasSeenOpen(of)).toBe(false);
			expect(keys(of)).not.toContain('opened');
			expect(keys(of)).not.toContain('alreadyOpen');
		}
	});
});

describe('outcomes', () => {
	const last = (outcome: string, more: Partial<Around> = {}): unknown =>
		steps(seen(['requested', 'sent'], outcome), around(more)).at(-1);

	it.each([
		['door_did_not_open', 'didNotOpen', 'cross'],
		['unseen', 'unseenSilent', 'question'],
		['no_answer', 'noAnswer', 'question'],
		['refused', 'refused', 'cross'],
		['unreachable', 'unreachable', 'cross'],
		['interrupted', 'interrupted', 'question'],
		['something_new', 'interrupted', 'question']
	])('%s', (outcome, key, mark) => {
		expect(last(outcome)).toEqual({ key, mark });
	});

	it('says that the board accepted only when it did', () => {
		expect(keys(seen(['requested', 'sent', 'acknowledged'], 'unseen')).at(-1)).toBe('unseen');
	});

	it('speaks of the second failure', () => {
		expect(last('door_did_not_open', { attempt: 2 })).toMatchObject({ key: 'didNotOpenTwice' });
		expect(last('unreachable', { attempt: 2 })).toMatchObject({ key: 'unreachable' });
	});

	it('does not believe a broken sensor', () => {
		for (const outcome of ['door_did_not_open', 'unseen', 'no_answer']) {
			expect(last(outcome, { isSensorFaulty: true })).toEqual({ key: 'sensorFaulty', mark: 'question' });
		}
		expect(last('refused', { isSensorFaulty: true })).toMatchObject({ key: 'refused' });
	});
});

describe('the door after it was seen open', () => {
	const open = seen(['requested', 'sent', 'opened'], 'opened');

	it('waits for the closing', () => {
		expect(keys(open)).toEqual(['requested', 'sent', 'opened', 'nextClose']);
		expect(isOver(open, START + 10_000)).toBe(false);
	});

	it('says how long it was open', () => {
		const closed = seen(['requested', 'sent', 'opened', 'closed'], 'opened');
		expect(steps(closed, around()).at(-1)).toEqual({ key: 'closed', mark: 'tick', at: at(3), forMs: 1000 });
		expect(isOver(closed, START)).toBe(true);
	});

	it('speaks of a door that is left open, unless it is known to be closed', () => {
		const late = START + 2000 + LEFT_OPEN_MS;
		expect(steps(open, around({ now: late - 1 })).at(-1)).toMatchObject({ key: 'nextClose' });
		expect(steps(open, around({ now: late })).at(-1)).toEqual({ key: 'leftOpen', mark: 'ring', forMs: LEFT_OPEN_MS });
		expect(keys(open, { now: late, door: 'closed' }).at(-1)).toBe('nextClose');
	});

	it('goes by the door itself once nobody watches for the closing any more', () => {
		const later = START + 3_600_000;
		expect(keys(open, { now: later, door: 'closed' }).at(-1)).toBe('closedUnwatched');
		expect(keys(open, { now: later, door: 'open' }).at(-1)).toBe('leftOpen');
		expect(isOver(open, later)).toBe(true);
	});

	it('says of a door that was open before that it was', () => {
		const before = seen(['requested', 'sent'], 'already_open');
		expect(keys(before)).toEqual(['requested', 'sent', 'alreadyOpen', 'nextClose']);
		const closed = steps(seen(['requested', 'sent', 'closed'], 'already_open'), around());
		expect(closed.at(-1)).toEqual({ key: 'closed', mark: 'tick', at: at(2) });
	});

	it('takes what was settled after a restart for seen', () => {
		expect(keys(seen(['requested'], 'opened'))).toEqual(['requested', 'opened', 'nextClose']);
	});
});

describe('the headline', () => {
	it('is the last thing that was seen', () => {
		expect(headline(steps(seen(['requested', 'sent']), around()))?.key).toBe('sent');
		expect(headline(steps(seen(['requested', 'sent', 'opened'], 'opened'), around()))?.key).toBe('opened');
		expect(headline([])).toBeUndefined();
	});
});

describe('two looks', () => {
	it('keep what was seen', () => {
		const more = seen(['requested', 'sent']);
		const less = seen(['requested']);
		expect(newer(undefined, less)).toBe(less);
		expect(newer(less, more)).toBe(more);
		expect(newer(more, less)).toBe(more);
		const done = seen(['requested', 'sent'], 'unseen');
		expect(newer(done, more)).toBe(done);
		expect(newer(more, done)).toBe(done);
	});
});
