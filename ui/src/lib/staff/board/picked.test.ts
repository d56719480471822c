import { describe, expect, it } from 'vitest';
import { Refusal, Unreachable } from '../../api/problem';
import { between, each, ranges, toEnd, toServe } from './picked';
import { readNumbers } from '../watch/order';

const cell = (id: number, col: number, row: number, w = 1, h = 1) => ({ id, col, row, w, h });
const wall = [cell(101, 1, 1), cell(102, 2, 1), cell(103, 3, 1), cell(104, 1, 2), cell(105, 2, 2, 1, 2), cell(106, 3, 2)];
const at = (id: number) => wall.find((it) => it.id === id) ?? cell(0, 0, 0);
const refused = new Refusal(409, { code: 'opening_under_way', detail: '' } as never);

describe('what stands between two cells', () => {
	it('is the rectangle, whichever corner was first', () => {
		expect(between(wall, at(101), at(105))).toEqual([101, 102, 104, 105]);
		expect(between(wall, at(105), at(101))).toEqual([101, 102, 104, 105]);
		expect(between(wall, at(103), at(103))).toEqual([103]);
	});
	it('has cells that reach into it', () => {
		expect(between(wall, cell(0, 1, 3), cell(0, 2, 3))).toEqual([105]);
	});
});

it('numbers are written as the mass opening reads them', () => {
	const numbers = [107, 101, 102, 103, 110];
	expect(ranges(numbers)).toBe('101-103, 107, 110');
	expect(readNumbers(ranges(numbers)).numbers).toEqual([101, 102, 103, 107, 110]);
	expect(ranges([])).toBe('');
});

it('only what changes is taken out of service or put back', () => {
	const isOut = (id: number): boolean => id === 102;
	expect(toServe([101, 102, 103], isOut, false)).toEqual([101, 103]);
	expect(toServe([101, 102, 103], isOut, true)).toEqual([102]);
});

it('what is rented or chosen can be ended, what was opened must be emptied', () => {
	const rental = (locker_id: number, state: string, opened_at: string | null) => ({ locker_id, state, opened_at }) as never;
	const renters = new Map([
		[101, rental(101, 'active', '2026-03-02T00:00:00Z')],
		[102, rental(102, 'held', null)],
		[103, rental(103, 'returned', '2026-03-02T00:00:00Z')],
		[104, rental(104, 'active', null)],
		[105, rental(105, 'reserved', null)]
	]);
	const ending = toEnd([105, 104, 103, 102, 101, 100], renters);
	expect(ending.rentals.map(({ locker_id }) => locker_id)).toEqual([101, 102, 104]);
	expect(ending.toBeEmptied).toBe(1);
});

describe('doing it with each', () => {
	it('goes on where one is refused', async () => {
		const steps: number[] = [];
		const work = (id: number) => (id === 2 ? Promise.reject(refused) : Promise.resolve());
		const outcome = await each([1, 2, 3, 4, 5], work, (over) => steps.push(over));
		expect(outcome).toEqual({ done: [1, 3, 4, 5], failed: [{ id: 2, why: refused }], left: [], away: undefined });
		expect(steps.at(-1)).toBe(5);
	});
	it('stops where the server is away, and says what was not tried', async () => {
		const tried: number[] = [];
		const away = new Unreachable();
		const outcome = await each([1, 2, 3, 4, 5, 6], (id) => {
			tried.push(id);
			return id === 2 ? Promise.reject(away) : Promise.resolve();
		});
		expect(outcome.away).toBe(away);
		expect(outcome.left).toContain(2);
		expect([...outcome.done, ...outcome.left].sort()).toEqual([1, 2, 3, 4, 5, 6]);
		expect(tried.length).toBeLessThan(6);
	});
	it('works on a few at a time', async () => {
		let [now, most] = [0, 0];
		await each([1, 2, 3, 4, 5, 6, 7, 8], async () => {
			now += 1;
			most = Math.max(most, now);
			await new Promise((resolve) => setTimeout(resolve));
			now -= 1;
		});
		expect(most).toBe(3);
	});
});
