import { describe, expect, it } from 'vitest';
import { Refusal, Unreachable, type Problem } from '../../api/problem';
import { fateOf, LOOKS } from './lost';

const absent = new Refusal(404, { code: 'operation_not_found', detail: '' } as Problem);
const other = new Refusal(401, { code: 'unauthenticated', detail: '' } as Problem);
const away = new Unreachable();

/** Gives these answers one after the other, the last one for ever. */
function answers(...list: unknown[]): { look: () => Promise<unknown>; asked: () => number } {
	let asked = 0;
	return {
		look: () => {
			const answer = list[Math.min(asked, list.length - 1)];
			asked += 1;
			return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
		},
		asked: () => asked
	};
}
const wait = (): Promise<void> => Promise.resolve();

describe('an order whose answer got lost', () => {
	it('is found, also when it arrives late or the server was away for a moment', async () => {
		for (const before of [[], [absent], [away, absent, away]]) {
			expect(await fateOf(answers(...before, { mass_opening_id: 'm' }).look, wait)).toEqual({ name: 'm' });
		}
	});
	it('never arrived only when the server says so to the end', async () => {
		const server = answers(absent);
		expect(await fateOf(server.look, wait)).toBe('unsent');
		expect(server.asked()).toBe(LOOKS);
		expect(await fateOf(answers(absent, absent, absent, away).look, wait)).toBe('unknown');
		expect(await fateOf(answers(away).look, wait)).toBe('unknown');
	});
	it('is not known when the server may not tell or tells nothing', async () => {
		expect(await fateOf(answers(other).look, wait)).toBe('unknown');
		expect(await fateOf(answers(null).look, wait)).toBe('unknown');
	});
});
