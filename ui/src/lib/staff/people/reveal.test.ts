import { beforeEach, expect, it, vi } from 'vitest';
import { Unreachable } from '../../api/problem';

const api = vi.hoisted(() => ({ POST: vi.fn() }));
vi.mock('../../api/client', () => ({ api, ask: (asked: Promise<unknown>) => asked }));
vi.mock('../../session.svelte', () => ({ session: { onLeave: () => {} } }));

const { Revealing } = await import('./reveal.svelte');

const whole = { student_id: '2024123412', phone_number: '01012345678', email: null };

beforeEach(() => {
	api.POST.mockReset().mockResolvedValue(whole);
});

it('shows one member, and covers them again without asking', async () => {
	const revealing = new Revealing();
	expect(revealing.of(7)).toBeUndefined();
	await revealing.turn(7);
	expect(revealing.of(7)).toEqual(whole);
	await revealing.turn(7);
	expect(revealing.of(7)).toBeUndefined();
	expect(api.POST).toHaveBeenCalledTimes(1);
	expect(api.POST.mock.calls[0]?.[1]).toEqual({ params: { path: { member_id: 7 } } });
});

it('never shows the next one what it has of the one before', async () => {
	const revealing = new Revealing();
	await revealing.turn(7);
	expect(revealing.of(8)).toBeUndefined();
});

it('tells why nothing is shown', async () => {
	api.POST.mockRejectedValue(new Unreachable());
	const revealing = new Revealing();
	await revealing.turn(7);
	expect(revealing.of(7)).toBeUndefined();
	expect(revealing.failure).toBeInstanceOf(Unreachable);
	expect(revealing.busy).toBe(false);
});
