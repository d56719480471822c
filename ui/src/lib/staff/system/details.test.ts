import { describe, expect, it } from 'vitest';
import { details, headOf, isInstant } from './details';

describe('details of a row', () => {
	it('are keys and values, however deep they lie', () => {
		expect(details({ reason: 'lost', old: { days: 3, on: true }, ids: [1, 2], list: [{ a: null }], none: [] })).toEqual([
			{ path: ['reason'], value: 'lost' },
			{ path: ['old', 'days'], value: 3 },
			{ path: ['old', 'on'], value: true },
			{ path: ['ids'], value: '1, 2' },
			{ path: ['list', '1', 'a'], value: null },
			{ path: ['none'], value: null }
		]);
		expect(details({})).toEqual([]);
	});

	it('tell instants from days and numbers', () => {
		expect(isInstant('2026-11-21T21:15:42.29Z')).toBe(true);
		expect(isInstant('2026-11-21')).toBe(false);
		expect(isInstant(20261121)).toBe(false);
	});
});

it('takes a head as it was pasted, and nothing that is none', () => {
	const head = '01'.repeat(105);
	expect(headOf(` ${head.slice(0, 100)}\n${head.slice(100).toUpperCase()} `)).toBe(head);
	expect(headOf(head.slice(1))).toBeUndefined();
	expect(headOf(`g${head.slice(1)}`)).toBeUndefined();
});
