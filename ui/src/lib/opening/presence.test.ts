import { beforeEach, describe, expect, it } from 'vitest';
import { codeIn, digitsOf, isWhole, keep, takeKept } from './presence';

class Store {
	#kept = new Map<string, string>();
	getItem = (key: string): string | null => this.#kept.get(key) ?? null;
	setItem = (key: string, value: string): void => void this.#kept.set(key, value);
	removeItem = (key: string): void => void this.#kept.delete(key);
}

beforeEach(() => {
	Object.defineProperty(globalThis, 'sessionStorage', { value: new Store(), configurable: true });
});

describe('typed digits', () => {
	it('are taken as people write and paste them', () => {
		expect(digitsOf('123 456')).toBe('123456');
		expect(digitsOf('123-456\n')).toBe('123456');
		expect(digitsOf('１２３４５６')).toBe('123456');
		expect(digitsOf('1234567')).toBe('123456');
		expect(isWhole('123456')).toBe(true);
		expect(isWhole('12345')).toBe(false);
	});
});

describe('the code of the QR', () => {
	it('stands in the fragment', () => {
		expect(codeIn('#c=123456')).toBe('123456');
		expect(codeIn('#x=1&c=654321')).toBe('654321');
		expect(codeIn('#c=12345')).toBeUndefined();
		expect(codeIn('')).toBeUndefined();
	});

	it('is kept a minute, for its bank, once', () => {
		keep(3, '123456', 1000);
		expect(takeKept(3, 60_000)).toBe('123456');
		expect(takeKept(3, 60_000)).toBeUndefined();
		keep(3, '123456', 1000);
		expect(takeKept(4, 2000)).toBeUndefined();
		keep(3, '123456', 1000);
		expect(takeKept(3, 61_001)).toBeUndefined();
		keep(3, '123456', 500_000);
		expect(takeKept(3, 1000)).toBeUndefined();
	});
});
