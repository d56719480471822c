import { describe, expect, it } from 'vitest';
import { channels, crossings, numberOf, press, progress, troubles, type Conclusion, type LockResult, type Proof } from './proof';

const sound: Conclusion = {
	finished: false,
	sound: false,
	wiring: {},
	closed_bit: null,
	odd: [],
	crossed: {},
	unseen: [],
	skipped: [],
	lowest_first: null,
	moved: {}
};
const door = (number: number, sensor: number | null): LockResult => ({
	state: 'proven',
	number,
	sensor,
	closed_bit: sensor === null ? null : true
});

function proof(results: Record<string, LockResult>, conclusion: Partial<Conclusion> = {}, lock: number | null = null): Proof {
	return {
		id: 'east-1',
		bus: 'east',
		board: 1,
		family: 'modbus-relay',
		locks: 4,
		step: { name: lock === null ? 'done' : 'pulse', lock, proposed: null, number: null },
		last: null,
		results,
		conclusion: { ...sound, ...conclusion }
	};
}

describe('a proof', () => {
	it('says of each channel where it stands', () => {
		const it = proof(
			{ 1: door(102, 1), 2: door(101, 3), 3: { state: 'skipped', why: null } },
			{ crossed: { 2: 3 }, moved: { 1: [101, 102] } },
			4
		);
		expect(channels(it).map(({ state }) => state)).toEqual(['proven', 'mend', 'skipped', 'now']);
		expect(channels(it)[0]).toMatchObject({ number: 102, sensor: 1, expected: 101 });
		expect(progress(it)).toEqual({ proven: 2, skipped: 1, left: 1 });
	});

	it('takes a proven channel under way as proven: it is done again only after it was forgotten', () => {
		expect(channels(proof({ 1: door(101, 1) }, {}, 1))[0]?.state).toBe('proven');
	});

	it('names crossed sensors before what was left out', () => {
		const found = troubles({ ...sound, crossed: { 2: 3 }, unseen: [1], skipped: [3, 4] });
		expect(found).toEqual([
			{ kind: 'crossed', lock: 2, sensor: 3 },
			{ kind: 'unseen', lock: 1 },
			{ kind: 'skipped', locks: [3, 4] }
		]);
	});
});

describe('crossed wires', () => {
	it('are a pair when two channels have each other’s doors', () => {
		const { swapped, moved } = crossings({ ...sound, moved: { 1: [101, 102], 2: [102, 101], 4: [104, 109] } });
		expect(swapped).toEqual([[{ lock: 1, number: 102 }, { lock: 2, number: 101 }]]);
		expect(moved).toEqual([{ lock: 4, before: 104, now: 109 }]);
	});

	it('in a ring of three are told one by one', () => {
		const { swapped, moved } = crossings({ ...sound, moved: { 1: [1, 2], 2: [2, 3], 3: [3, 1] } });
		expect(swapped).toEqual([]);
		expect(moved).toHaveLength(3);
	});
});

describe('the keypad', () => {
	it('types digits, takes them back, and lets no number grow too long', () => {
		expect(press('10', '1')).toBe('101');
		expect(press('', '0')).toBe('');
		expect(press('101', 'back')).toBe('10');
		expect(press('123456', '7')).toBe('123456');
	});

	it('knows what is a number of a door', () => {
		expect(numberOf(' 101 ')).toBe(101);
		expect(numberOf('')).toBeUndefined();
		expect(numberOf('0')).toBeUndefined();
		expect(numberOf('1e2')).toBeUndefined();
		expect(numberOf('1234567')).toBeUndefined();
	});
});
