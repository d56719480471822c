import { afterEach, beforeEach, expect, it, vi } from 'vitest';

const GET = vi.fn<() => Promise<object>>();
vi.mock('../api/client', () => ({ api: { GET: () => GET() }, ask: (asked: Promise<unknown>) => asked }));
vi.mock('../live', () => ({ live: { status: 'stale' } }));
vi.mock('../mine.svelte', () => ({ mine: {} }));
vi.stubGlobal('document', { visibilityState: 'visible' });

const { BankView } = await import('./bank.svelte');

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('asks for states only as long as the socket is away, also when it comes back during a question', async () => {
	let answer = (_: object): void => {};
	GET.mockImplementation(() => new Promise((resolve) => (answer = resolve)));
	const cease = new BankView(1).poll();
	await vi.advanceTimersByTimeAsync(1000);
	expect(GET).toHaveBeenCalledTimes(1);
	answer({ lockers: [] });
	await vi.advanceTimersByTimeAsync(18_000);
	expect(GET).toHaveBeenCalledTimes(2);
	cease();
	answer({ lockers: [] });
	await vi.advanceTimersByTimeAsync(60_000);
	expect(GET).toHaveBeenCalledTimes(2);
});
