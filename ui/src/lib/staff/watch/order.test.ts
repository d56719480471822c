import { describe, expect, it } from 'vitest';
import { choose, orderOf, readNumbers, type Locker } from './order';

const lockers: Locker[] = [
	{ locker_id: 103, bank: 1, state: 'taken' },
	{ locker_id: 101, bank: 1, state: 'free' },
	{ locker_id: 201, bank: 2, state: 'out_of_service' },
	{ locker_id: 202, bank: 2, state: 'free' }
];
const ids = (chosen: readonly Locker[]): number[] => chosen.map(({ locker_id: id }) => id);

describe('numbers', () => {
	it('are read with ranges, each once', () => {
		expect(readNumbers('101-103, 102 115,')).toEqual({ numbers: [101, 102, 103, 115], wrong: [] });
		expect(readNumbers(' 7~8 ').numbers).toEqual([7, 8]);
	});
	it('that cannot be read are named', () => {
		expect(readNumbers('101, abc, 9-7, 1-99999, -3')).toEqual({ numbers: [101], wrong: ['abc', '9-7', '1-99999', '-3'] });
		expect(readNumbers('')).toEqual({ numbers: [], wrong: [] });
	});
});

describe('what is chosen', () => {
	it('is of the banks, and of the state', () => {
		expect(ids(choose(lockers, new Set([1, 2]), 'all', []))).toEqual([101, 103, 201, 202]);
		expect(ids(choose(lockers, new Set([1]), 'free', []))).toEqual([101]);
		expect(ids(choose(lockers, new Set([1, 2]), 'taken', []))).toEqual([103]);
		expect(choose(lockers, new Set(), 'all', [])).toEqual([]);
	});
	it('is what was named, whatever the bank', () => {
		expect(ids(choose(lockers, new Set([1]), 'numbers', [202, 999]))).toEqual([202]);
	});
	it('is a bank only when it is all of it', () => {
		const of = (banks: number[], which: 'all' | 'free'): unknown =>
			orderOf(choose(lockers, new Set(banks), which, []), new Set(banks), which);
		expect(of([2], 'all')).toEqual({ bank_id: 2 });
		expect(of([2], 'free')).toEqual({ locker_ids: [202] });
		expect(of([1, 2], 'all')).toEqual({ locker_ids: [101, 103, 201, 202] });
	});
});
