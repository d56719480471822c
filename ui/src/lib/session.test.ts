import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, Unreachable, type Problem } from './api/problem';

const kept = new Map<string, string>();
vi.stubGlobal('localStorage', {
	getItem: (name: string) => kept.get(name) ?? null,
	setItem: (name: string, value: string) => kept.set(name, value),
	removeItem: (name: string) => kept.delete(name)
});
vi.stubGlobal('BroadcastChannel', undefined);
vi.stubGlobal('navigator', {});

const refresh = vi.fn<() => Promise<object>>();
const api = {
	GET: vi.fn(() => Promise.resolve({ member_id: 7, role: 'student' })),
	POST: vi.fn((path: string) => (path.endsWith('/refresh') ? refresh() : Promise.resolve({})))
};
vi.mock('./api/client', () => ({
	get api() {
		return api;
	},
	ask: (asked: Promise<unknown>) => asked,
	bearBy: () => {}
}));

const { session } = await import('./session.svelte');
const tokens = (access_token: string, expires_in = 1800) =>
	({ access_token, expires_in, member_id: 7, role: 'student', token_type: 'Bearer' }) as const;
const refused = (code: string, status: number): Refusal =>
	new Refusal(status, { code, detail: '' } as unknown as Problem);

beforeEach(() => {
	vi.useFakeTimers();
	refresh.mockReset();
});
afterEach(() => {
	session.ended();
	vi.useRealTimers();
});

describe('a token', () => {
	it('is renewed before it ends, once for all who ask', async () => {
		await session.begin(tokens('a', 90));
		expect(await session.token()).toBe('a');
		await vi.advanceTimersByTimeAsync(40_000);
		refresh.mockResolvedValue(tokens('b'));
		expect(await Promise.all([session.token(), session.token()])).toEqual(['b', 'b']);
		expect(refresh).toHaveBeenCalledTimes(1);
	});

	it('that cannot be renewed is used as long as it is good', async () => {
		await session.begin(tokens('a', 90));
		await vi.advanceTimersByTimeAsync(40_000);
		for (const failure of [refused('degraded', 503), new Unreachable()]) {
			refresh.mockRejectedValueOnce(failure);
			expect(await session.token()).toBe('a');
		}
		await vi.advanceTimersByTimeAsync(60_000);
		refresh.mockRejectedValueOnce(refused('degraded', 503));
		await expect(session.token()).rejects.toMatchObject({ code: 'degraded' });
		expect(session.isIn).toBe(true);
	});

	it('that comes after the log-out is nobody’s', async () => {
		await session.begin(tokens('a', 30));
		let answer = (_: object): void => {};
		refresh.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
		const asked = session.token();
		await session.end();
		answer(tokens('b'));
		expect(await asked).toBeUndefined();
		expect(await session.token()).toBeUndefined();
		expect(kept.has('lockerd.in')).toBe(false);
	});

	it('of another member is not taken for that of the one who logged in meanwhile', async () => {
		await session.begin(tokens('a', 30));
		let fail = (_: unknown): void => {};
		refresh.mockImplementationOnce(() => new Promise((_, reject) => (fail = reject)));
		const asked = session.token();
		await session.begin(tokens('c'));
		fail(refused('session_ended', 401));
		expect(await asked).toBe('c');
		expect(session.isIn).toBe(true);
	});

	it('that is refused for good ends the log-in', async () => {
		await session.begin(tokens('a', 30));
		const left = vi.fn();
		const off = session.onLeave(left);
		refresh.mockRejectedValue(refused('session_ended', 401));
		expect(await session.token()).toBeUndefined();
		expect(left).toHaveBeenCalledWith('ended');
		off();
	});
});
