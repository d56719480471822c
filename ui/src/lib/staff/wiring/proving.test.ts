import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, Unreachable } from '../../api/problem';

const api = vi.hoisted(() => ({ GET: vi.fn(), POST: vi.fn() }));
vi.mock('../../api/client', () => ({ api, ask: (asked: Promise<unknown>) => asked }));

const { Proving } = await import('./proving.svelte');

const proof = (name: string) => ({ id: 'east-1', bus: 'east', board: 1, step: { name, lock: 1, proposed: null, number: null } });

beforeEach(() => {
	api.GET.mockReset().mockResolvedValue(proof('pulse'));
	api.POST.mockReset();
});

describe('a step of a proof', () => {
	it('whose answer got lost is not sent again: the server is asked where the proof stands', async () => {
		const proving = new Proving('east-1');
		await proving.load();
		api.POST.mockRejectedValue(new Unreachable());
		expect(await proving.step('pulse')).toBe(false);
		expect(api.POST).toHaveBeenCalledTimes(1);
		expect(api.GET).toHaveBeenCalledTimes(2);
		expect(proving.isInDoubt).toBe(true);
		expect(proving.doing).toBeUndefined();
	});

	it('that was refused leaves no doubt', async () => {
		const proving = new Proving('east-1');
		api.POST.mockRejectedValue(new Refusal(409, { code: 'board_rented', detail: '' } as never));
		await proving.step('pulse');
		expect(proving.isInDoubt).toBe(false);
		expect(proving.refused).toBeInstanceOf(Refusal);
		expect(proving.value?.step.name).toBe('pulse');
	});

	it('is one at a time', async () => {
		const proving = new Proving('east-1');
		let answer: (it: unknown) => void = () => undefined;
		api.POST.mockReturnValue(new Promise((resolve) => (answer = resolve)));
		const first = proving.step('skip');
		expect(await proving.step('skip')).toBe(false);
		answer(proof('number'));
		expect(await first).toBe(true);
		expect(api.POST).toHaveBeenCalledTimes(1);
		expect(proving.value?.step.name).toBe('number');
	});
});

it('lets the coil rest between two pulses', async () => {
	vi.useFakeTimers();
	try {
		const proving = new Proving('east-1');
		api.POST.mockResolvedValue(proof('pulse'));
		await proving.step('pulse');
		const second = proving.step('pulse');
		await vi.advanceTimersByTimeAsync(1_900);
		expect(api.POST).toHaveBeenCalledTimes(1);
		await vi.advanceTimersByTimeAsync(300);
		await second;
		expect(api.POST).toHaveBeenCalledTimes(2);
	} finally {
		vi.useRealTimers();
	}
});

it('somebody who stands before the lockers stands before all boards of the bus', async () => {
	const proving = new Proving('east-1');
	await proving.load();
	expect(proving.isThere).toBe(false);
	proving.stand(true);
	const other = new Proving('east-2');
	await other.load();
	expect(other.isThere).toBe(true);
	other.stand(false);
	expect(proving.isThere).toBe(false);
});
