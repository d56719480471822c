import { beforeEach, describe, expect, it, vi } from 'vitest';

const answers = new Map<string, () => Promise<unknown>>();
const leaving: (() => void)[] = [];
vi.mock('./api/client', () => ({
	api: { GET: (path: string) => answers.get(path)?.() ?? Promise.resolve({}) },
	ask: (asked: Promise<unknown>) => asked
}));
vi.mock('./live', () => ({ live: { hear: () => () => {} } }));
vi.mock('./session.svelte', () => ({ session: { onLeave: (listener: () => void) => void leaving.push(listener) } }));

const { mine } = await import('./mine.svelte');
const LOCKERS = '/api/v1/lockers/me';
const rented = { locker_id: 7, state: 'active' };
const held = { locker_id: 101, state: 'held', hold_expires_in_ms: 60_000 };
const none = { locker: null, others: [], returning: [] };

beforeEach(() => {
	answers.clear();
	mine.lockers.clear();
	mine.holdEnds = undefined;
	vi.spyOn(performance, 'now').mockReturnValue(1000);
});

describe('the time of a hold', () => {
	it('is known also when one rents another locker today', async () => {
		answers.set(LOCKERS, () => Promise.resolve({ ...none, locker: rented, others: [held] }));
		await mine.look();
		expect(mine.holdEnds).toBe(61_000);
		answers.set(LOCKERS, () => Promise.resolve({ ...none, locker: rented }));
		vi.spyOn(performance, 'now').mockReturnValue(2000);
		await mine.look();
		expect(mine.holdEnds).toBeUndefined();
	});

	it('runs from its own answer on, not from the slowest', async () => {
		answers.set(LOCKERS, () => Promise.resolve({ ...none, locker: held }));
		let slow = (_: object): void => {};
		answers.set('/api/v1/me/alarms', () => new Promise((resolve) => (slow = resolve)));
		const look = mine.look();
		await new Promise((resolve) => setTimeout(resolve, 0));
		vi.spyOn(performance, 'now').mockReturnValue(9000);
		slow({ alarms: [] });
		await look;
		expect(mine.holdEnds).toBe(61_000);
	});
});

it('an answer that is on its way when somebody leaves is not shown to the next', async () => {
	let answer = (_: object): void => {};
	answers.set(LOCKERS, () => new Promise((resolve) => (answer = resolve)));
	const look = mine.look();
	for (const leave of leaving) leave();
	answer({ ...none, locker: rented });
	await look;
	expect(mine.lockers.value).toBeUndefined();
	expect([mine.lockers.isAsking, mine.holdEnds]).toEqual([false, undefined]);
});
