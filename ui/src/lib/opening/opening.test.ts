import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isOpen, keyOf } from '../api/once';
import { Refusal, Unreachable, type Problem } from '../api/problem';
import { Opening, type Doors, type Look } from './opening.svelte';
import type { Seen } from './steps';

class Store {
	#kept = new Map<string, string>();
	getItem = (key: string): string | null => this.#kept.get(key) ?? null;
	setItem = (key: string, value: string): void => void this.#kept.set(key, value);
	removeItem = (key: string): void => void this.#kept.delete(key);
}

const NOW = Date.parse('2026-03-02T09:00:10Z');
const at = '2026-03-02T09:00:00Z';
const refusal = (code: string, status: number, more: object = {}): Refusal =>
	new Refusal(status, { code, detail: '', ...more } as unknown as Problem);
const going = (...phases: string[]): Look => ({ phases: phases.map((phase) => ({ phase, at })), outcome: null });
const ended = (outcome: string, more: Partial<Look> = {}): Look => ({ ...going('requested', 'sent'), outcome, ...more });

let listener: ((operation: string, seen: Seen) => void) | undefined;
let isLive = true;

function doors(more: Partial<Doors> = {}): Doors & { open: ReturnType<typeof vi.fn> } {
	return {
		open: vi.fn(() => Promise.resolve('op-1')),
		lookUp: vi.fn(() => Promise.resolve(undefined)),
		look: vi.fn(() => Promise.resolve(ended('unseen'))),
		hear: (heard) => {
			listener = heard;
			return () => (listener = undefined);
		},
		isLive: () => isLive,
		now: () => NOW,
		...more
	} as Doors & { open: ReturnType<typeof vi.fn> };
}

beforeEach(() => {
	vi.useFakeTimers();
	isLive = true;
	Object.defineProperty(globalThis, 'sessionStorage', { value: new Store(), configurable: true });
});
afterEach(() => vi.useRealTimers());

describe('a tap', () => {
	it('is sent once and followed', async () => {
		const server = doors();
		const opening = new Opening(101, server);
		void opening.open();
		void opening.open();
		await vi.advanceTimersByTimeAsync(0);
		expect(server.open).toHaveBeenCalledTimes(1);
		expect(opening.operation).toBe('op-1');
		expect(opening.seen?.outcome).toBe('unseen');
		expect(isOpen('open:101')).toBe(false);
	});

	it('that is refused says why, and the next one is another request', async () => {
		const open = vi.fn().mockRejectedValueOnce(refusal('outside_dates', 403)).mockResolvedValueOnce('op-2');
		const opening = new Opening(101, doors({ open }));
		await opening.open();
		expect(opening.stand).toBe('refused');
		await opening.open();
		expect(opening.operation).toBe('op-2');
		expect(open.mock.calls[0]?.[1]).not.toBe(open.mock.calls[1]?.[1]);
	});

	it('asks for the code where the server wants one', async () => {
		const open = vi.fn().mockRejectedValueOnce(refusal('presence_needed', 403)).mockResolvedValueOnce('op-2');
		const opening = new Opening(101, doors({ open }));
		await opening.open();
		expect(opening.wantsCode).toBe(true);
		await opening.open('123456');
		expect(open.mock.calls[1]?.[2]).toBe('123456');
		expect(opening.wantsCode).toBe(false);
		expect(opening.attempt).toBe(1);
	});

	it('follows the opening that is under way', async () => {
		const open = vi.fn().mockRejectedValue(refusal('opening_under_way', 409, { operation_id: 'op-0' }));
		const opening = new Opening(101, doors({ open }));
		await opening.open();
		expect(opening.stand).toBe('followed');
		expect(opening.operation).toBe('op-0');
	});

	it('says why when that opening is somebody else’s', async () => {
		const open = vi.fn().mockRejectedValue(refusal('opening_under_way', 409, { operation_id: 'op-0' }));
		const look = vi.fn().mockRejectedValue(refusal('opening_not_found', 404));
		const opening = new Opening(101, doors({ open, look }));
		await opening.open();
		await vi.advanceTimersByTimeAsync(0);
		expect(opening.refusal?.code).toBe('opening_under_way');
		expect(opening.stand).toBe('refused');
	});

	it('waits as long as the lock must cool down', async () => {
		const open = vi.fn().mockRejectedValue(refusal('lock_cooling', 429, { retry_after_ms: 1500 }));
		const opening = new Opening(101, doors({ open }));
		await opening.open();
		expect(opening.retryAt).toBe(performance.now() + 1500);
	});
});

describe('a lost answer', () => {
	it('is asked for and never sent again', async () => {
		const open = vi.fn().mockRejectedValue(new Unreachable());
		const lookUp = vi
			.fn()
			.mockRejectedValueOnce(new Unreachable())
			.mockResolvedValueOnce(undefined)
			.mockResolvedValueOnce({ operation: 'op-7', at: NOW });
		const opening = new Opening(101, doors({ open, lookUp }));
		void opening.open();
		await vi.advanceTimersByTimeAsync(0);
		expect(opening.stand).toBe('doubtful');
		expect(opening.isCutOff).toBe(true);
		const key = keyOf('open:101');
		await vi.advanceTimersByTimeAsync(10_000);
		expect(open).toHaveBeenCalledTimes(1);
		expect(lookUp.mock.calls.every(([asked]) => asked === key)).toBe(true);
		expect(opening.operation).toBe('op-7');
		expect(isOpen('open:101')).toBe(false);
	});

	it('that never arrived keeps its key, so that a late arrival opens nothing twice', async () => {
		const open = vi.fn().mockRejectedValueOnce(new Unreachable()).mockResolvedValueOnce('op-8');
		const opening = new Opening(101, doors({ open }));
		void opening.open();
		await vi.advanceTimersByTimeAsync(20_000);
		expect(opening.stand).toBe('unsent');
		await opening.open();
		expect(open.mock.calls[0]?.[1]).toBe(open.mock.calls[1]?.[1]);
		expect(opening.operation).toBe('op-8');
	});

	it('of an earlier page is found before anything is sent', async () => {
		const key = keyOf('open:101');
		const lookUp = vi.fn().mockResolvedValue({ operation: 'op-3', at: NOW - 5000 });
		const server = doors({ lookUp });
		const opening = new Opening(101, server);
		await opening.open();
		expect(lookUp).toHaveBeenCalledWith(key);
		expect(server.open).not.toHaveBeenCalled();
		expect(opening.operation).toBe('op-3');
	});

	it('that is long ago is no answer to this tap', async () => {
		const key = keyOf('open:101');
		const lookUp = vi.fn().mockResolvedValue({ operation: 'op-3', at: NOW - 3_600_000 });
		const server = doors({ lookUp });
		const opening = new Opening(101, server);
		await opening.open();
		expect(server.open).toHaveBeenCalledTimes(1);
		expect(server.open.mock.calls[0]?.[1]).not.toBe(key);
	});

	it('is recalled after a reload', async () => {
		const opening = new Opening(101, doors({ lookUp: vi.fn().mockResolvedValue({ operation: 'op-4', at: NOW }) }));
		expect(await opening.recall()).toBe(false);
		keyOf('open:101');
		expect(await opening.recall()).toBe(true);
		expect(opening.operation).toBe('op-4');
	});
});

describe('a question that the server refuses', () => {
	it('is no answer to the tap: a busy server is asked again, nothing is sent anew', async () => {
		const open = vi.fn().mockRejectedValueOnce(new Unreachable());
		const lookUp = vi
			.fn()
			.mockRejectedValueOnce(refusal('overloaded', 503, { retry_after_ms: 3000 }))
			.mockResolvedValue({ operation: 'op-7', at: NOW });
		const opening = new Opening(101, doors({ open, lookUp }));
		void opening.open();
		await vi.advanceTimersByTimeAsync(0);
		expect([opening.stand, opening.isCutOff]).toEqual(['doubtful', true]);
		await vi.advanceTimersByTimeAsync(2900);
		expect(lookUp).toHaveBeenCalledTimes(1);
		await vi.advanceTimersByTimeAsync(200);
		expect(opening.operation).toBe('op-7');
		expect(open).toHaveBeenCalledTimes(1);
	});

	it('keeps the key: the next tap looks before it sends', async () => {
		const open = vi.fn().mockRejectedValueOnce(new Unreachable());
		const lookUp = vi
			.fn()
			.mockRejectedValueOnce(refusal('session_ended', 401))
			.mockRejectedValueOnce(refusal('session_ended', 401))
			.mockResolvedValue({ operation: 'op-7', at: NOW });
		const opening = new Opening(101, doors({ open, lookUp }));
		await opening.open();
		expect([opening.stand, opening.refusal?.code]).toEqual(['refused', 'session_ended']);
		await opening.open();
		expect(opening.stand).toBe('refused');
		await opening.open();
		expect(opening.operation).toBe('op-7');
		expect(open).toHaveBeenCalledTimes(1);
	});

	it('ends with the page', async () => {
		let lose = (): void => {};
		const open = vi.fn(() => new Promise<string>((_, reject) => (lose = () => reject(new Unreachable()))));
		const lookUp = vi.fn().mockRejectedValue(new Unreachable());
		const opening = new Opening(101, doors({ open, lookUp }));
		void opening.open();
		opening.end();
		lose();
		await vi.advanceTimersByTimeAsync(20_000);
		expect(lookUp).not.toHaveBeenCalled();
		expect(isOpen('open:101')).toBe(true);
	});
});

describe('following', () => {
	it('takes steps from the socket and never goes back', async () => {
		let answer = (_: Look): void => {};
		const look = vi
			.fn()
			.mockResolvedValueOnce(going('requested'))
			.mockImplementationOnce(() => new Promise<Look>((resolve) => (answer = resolve)));
		const opening = new Opening(101, doors({ look }));
		opening.take('op-1', 1);
		await vi.advanceTimersByTimeAsync(0);
		listener?.('op-1', going('requested', 'sent', 'acknowledged'));
		listener?.('op-2', going('requested', 'sent', 'acknowledged', 'opened', 'closed'));
		expect(opening.seen?.phases).toHaveLength(3);
		look.mockImplementation(() => new Promise(() => {}));
		answer(going('requested', 'sent'));
		await vi.advanceTimersByTimeAsync(0);
		expect(opening.seen?.phases).toHaveLength(3);
		opening.end();
		expect(listener).toBeUndefined();
	});

	it('waits for the outcome with the socket, and asks often without it', async () => {
		const look = vi.fn().mockResolvedValue(going('requested'));
		isLive = false;
		const opening = new Opening(101, doors({ look }));
		opening.take('op-1', 1);
		await vi.advanceTimersByTimeAsync(2200);
		expect(look.mock.calls.length).toBe(4);
		expect(look.mock.calls.every(([, waitS]) => waitS === 0)).toBe(true);
		opening.end();
		await vi.advanceTimersByTimeAsync(5000);
		expect(look.mock.calls.length).toBe(4);
	});

	it('goes on when the connection comes back', async () => {
		const look = vi.fn().mockRejectedValueOnce(new Unreachable()).mockResolvedValue(ended('unseen'));
		const opening = new Opening(101, doors({ look }));
		opening.take('op-1', 2);
		await vi.advanceTimersByTimeAsync(0);
		expect(opening.isCutOff).toBe(true);
		await vi.advanceTimersByTimeAsync(4000);
		expect(opening.isCutOff).toBe(false);
		expect(opening.seen?.outcome).toBe('unseen');
		expect(opening.attempt).toBe(2);
	});

	it('says when trying again makes sense, and counts the tries', async () => {
		const look = vi.fn().mockResolvedValue(ended('door_did_not_open', { retry_after_ms: 2000 }));
		const opening = new Opening(101, doors({ look }));
		await opening.open();
		await vi.advanceTimersByTimeAsync(0);
		expect(opening.retryAt).toBeGreaterThan(performance.now());
		await opening.open();
		expect(opening.attempt).toBe(2);
	});

	it('ends at an operation that nobody knows', async () => {
		const opening = new Opening(101, doors({ look: vi.fn().mockRejectedValue(refusal('opening_not_found', 404)) }));
		opening.take('op-1', 1);
		await vi.advanceTimersByTimeAsync(0);
		expect(opening.stand).toBe('unknown');
	});
});
