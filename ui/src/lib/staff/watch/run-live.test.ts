import { expect, it, vi } from 'vitest';
import type { Ear } from '../../live/live.svelte';

let ear: Ear | undefined;
const GET = vi.fn<() => Promise<object>>();
vi.mock('../../live', () => ({
	live: {
		status: 'live',
		hear: (_: string, heard: Ear) => {
			ear = heard;
			return () => {};
		}
	}
}));
vi.mock('../../api/client', () => ({ api: { GET: () => GET() }, ask: (asked: Promise<unknown>) => asked }));
const { MassRun } = await import('./run.svelte');

const order = (state: string) => ({ mass_opening_id: 'm-1', state, lockers: [] });

it('an order that ended while the socket was away is asked for', async () => {
	GET.mockResolvedValueOnce(order('running')).mockResolvedValueOnce(order('interrupted'));
	const run = new MassRun('m-1');
	await run.load();
	const cease = run.follow();
	ear?.snapshot([{ mass_opening_id: 'm-1', state: 'running' }], []);
	expect(GET).toHaveBeenCalledTimes(1);
	ear?.snapshot([], []);
	await Promise.resolve();
	await Promise.resolve();
	await Promise.resolve();
	expect(run.value?.state).toBe('interrupted');
	cease();
});
