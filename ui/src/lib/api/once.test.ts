import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isOpen, keyOf, once, settle } from './once';
import { Refusal, Unreachable, type Problem } from './problem';

const kept = new Map<string, string>();
let now = 0;

beforeEach(() => {
	kept.clear();
	vi.stubGlobal('sessionStorage', {
		getItem: (name: string) => kept.get(name) ?? null,
		setItem: (name: string, value: string) => kept.set(name, value),
		removeItem: (name: string) => kept.delete(name)
	});
	vi.useFakeTimers();
	vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => {
	vi.useRealTimers();
	vi.restoreAllMocks();
	vi.unstubAllGlobals();
});

describe('the key of a change', () => {
	it('is the same until it is settled', () => {
		const key = keyOf('hold:101');
		expect(keyOf('hold:101')).toBe(key);
		expect(keyOf('hold:102')).not.toBe(key);
		expect(isOpen('hold:101')).toBe(true);
		settle('hold:101');
		expect(isOpen('hold:101')).toBe(false);
		expect(keyOf('hold:101')).not.toBe(key);
	});

	it('is another one long after an answer was lost: an old answer is none', () => {
		const key = keyOf('hold:101');
		now += 299_000;
		expect(keyOf('hold:101')).toBe(key);
		now += 2_000;
		expect(isOpen('hold:101')).toBe(false);
		expect(keyOf('hold:101')).not.toBe(key);
	});

	it('does without a browser that keeps anything', () => {
		vi.stubGlobal('sessionStorage', undefined);
		expect(keyOf('hold:101')).toMatch(/^[0-9a-f]{32}$/);
		expect(isOpen('hold:101')).toBe(false);
	});
});

describe('a change', () => {
	it('whose answer was lost is asked for with the same key, and said to be in doubt', async () => {
		const keys: string[] = [];
		const doubts = vi.fn();
		const asked = once(
			'confirm:101',
			async (key) => {
				keys.push(key);
				if (keys.length < 3) throw new Unreachable();
				return 'done';
			},
			doubts
		);
		await vi.advanceTimersByTimeAsync(5000);
		await expect(asked).resolves.toBe('done');
		expect(new Set(keys).size).toBe(1);
		expect(doubts).toHaveBeenCalled();
		expect(isOpen('confirm:101')).toBe(false);
	});

	it('that was refused is over; one that nobody answered is not', async () => {
		const refused = new Refusal(409, { code: 'locker_taken', detail: '' } as unknown as Problem);
		await expect(once('hold:1', () => Promise.reject(refused))).rejects.toBe(refused);
		expect(isOpen('hold:1')).toBe(false);
		vi.spyOn(performance, 'now').mockImplementation(() => (now += 5000));
		const silent = once('hold:2', () => Promise.reject(new Unreachable())).catch((error: unknown) => error);
		await vi.advanceTimersByTimeAsync(60_000);
		expect(await silent).toBeInstanceOf(Unreachable);
		expect(isOpen('hold:2')).toBe(true);
	});

	it('is not called refused by a server that only had no time for the question', async () => {
		const busy = new Refusal(503, { code: 'overloaded', detail: '', retry_after_ms: 2000 } as unknown as Problem);
		const answers = [new Unreachable(), busy, undefined];
		const keys = new Set<string>();
		const asked = once('confirm:3', async (key) => {
			keys.add(key);
			const failure = answers.shift();
			if (failure) throw failure;
			return 'done';
		});
		await vi.advanceTimersByTimeAsync(5000);
		await expect(asked).resolves.toBe('done');
		expect(keys.size).toBe(1);
		// With nothing in doubt it is a refusal like others.
		await expect(once('confirm:4', () => Promise.reject(busy))).rejects.toBe(busy);
		expect(isOpen('confirm:4')).toBe(false);
	});
});
