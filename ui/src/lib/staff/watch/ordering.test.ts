import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Refusal, Unreachable, type Problem } from '../../api/problem';

const POST = vi.fn<(path: string, options: { params: { header: Record<string, string> } }) => Promise<unknown>>();
const GET = vi.fn<() => Promise<unknown>>();
vi.mock('../../api/client', () => ({
	api: { POST: (...sent: Parameters<typeof POST>) => POST(...sent), GET: () => GET() },
	ask: (asked: Promise<unknown>) => asked
}));
vi.mock('../banks.svelte', () => ({ banks: { need: () => Promise.resolve(), find: () => undefined } }));
const { Ordering } = await import('./ordering.svelte');

const absent = new Refusal(404, { code: 'operation_not_found', detail: '' } as unknown as Problem);
const keyAt = (call: number): string | undefined => POST.mock.calls[call]?.[1].params.header['Idempotency-Key'];

beforeEach(() => {
	vi.useFakeTimers();
	const kept = new Map<string, string>();
	vi.stubGlobal('sessionStorage', {
		getItem: (name: string) => kept.get(name) ?? null,
		setItem: (name: string, value: string) => kept.set(name, value),
		removeItem: (name: string) => kept.delete(name)
	});
	POST.mockReset();
	GET.mockReset();
});
afterEach(() => {
	vi.useRealTimers();
	vi.unstubAllGlobals();
});

it('an order that seems never to have arrived keeps its key: arriving late it opens nothing twice', async () => {
	POST.mockRejectedValueOnce(new Unreachable()).mockResolvedValueOnce({ mass_opening_id: 'm-1' });
	GET.mockRejectedValue(absent);
	const order = new Ordering();
	const first = order.send();
	await vi.advanceTimersByTimeAsync(20_000);
	expect(await first).toBeUndefined();
	expect(order.stand).toBe('unsent');
	expect(await order.send()).toBe('m-1');
	expect(keyAt(1)).toBe(keyAt(0));
	// It was accepted: the next one is another.
	POST.mockResolvedValueOnce({ mass_opening_id: 'm-2' });
	await order.send();
	expect(keyAt(2)).not.toBe(keyAt(0));
});

it('an order that nobody knows of keeps its key over a reload', async () => {
	POST.mockRejectedValueOnce(new Unreachable()).mockResolvedValueOnce({ mass_opening_id: 'm-1' });
	GET.mockRejectedValue(new Unreachable());
	const order = new Ordering();
	void order.send();
	await vi.advanceTimersByTimeAsync(20_000);
	expect(order.stand).toBe('unknown');
	const later = new Ordering();
	const recalled = later.recall();
	await vi.advanceTimersByTimeAsync(20_000);
	expect(await recalled).toBeUndefined();
	expect([later.stand, later.wasInDoubt]).toEqual(['choosing', true]);
	await later.send();
	expect(keyAt(1)).toBe(keyAt(0));
});
