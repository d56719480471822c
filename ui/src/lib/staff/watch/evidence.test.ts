import { describe, expect, it } from 'vitest';
import { factsOf, mainFact } from './evidence';

const keys = (evidence: unknown): string[] => factsOf(evidence).map(({ key }) => key);

describe('what was seen', () => {
	it.each([
		[{ seen: 'door_opened', last_seen_closed: 'a', seen_open: 'b', last_opening: null }, ['lastClosed', 'seenOpen', 'noOpening']],
		[{ seen: 'door_opened', last_seen_closed: 'a', seen_open: 'b', last_opening: 'o' }, ['lastClosed', 'seenOpen', 'openingBefore']],
		[{ seen: 'found_open', last_seen_closed: 'a', found_open: 'b' }, ['lastClosed', 'foundOpen']],
		[{ seen: 'stands_open', open_since: 'a', limit_ms: 180000 }, ['openSince', 'limit']],
		[{ seen: 'door_did_not_move', openings: ['o', 'p'] }, ['didNotMove']],
		[{ seen: 'chatter', edges: 40, window_ms: 10000, silences: ['left_open'] }, ['chatter', 'silences']],
		[{ seen: 'opened_together', lockers: [1, 2], at: 'a', silences: [] }, ['together', 'doors']],
		[{ seen: 'no_answer', since: 'a', reason: 'timeout' }, ['silentSince', 'reason']],
		[{ seen: 'no_answer', since: 'a', reason: null }, ['silentSince']]
	])('%j', (evidence, expected) => {
		expect(keys(evidence)).toEqual(expected);
		expect(mainFact(evidence)).toBeDefined();
	});

	it('are the requests of those who asked for help; the newest says most', () => {
		const asked = (at: string, locker: number | null): object => ({ at, reason: null, locker_id: locker, operation_id: null, kiosk_id: null });
		const evidence = { seen: 'asked_for_help', requests: [asked('a', 101), asked('b', null)] };
		expect(keys(evidence)).toEqual(['asked', 'asked']);
		expect(mainFact(evidence)).toMatchObject({ at: 'b', locker: undefined, reason: undefined });
	});

	it('is nothing for a shape that nobody told this page of', () => {
		expect(keys({ seen: 'something_new', at: 'a' })).toEqual([]);
		expect(keys(null)).toEqual([]);
		expect(mainFact(undefined)).toBeUndefined();
	});
});
