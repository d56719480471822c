import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal } from '../../api/problem';

const api = vi.hoisted(() => ({ GET: vi.fn(), POST: vi.fn() }));
vi.mock('../../api/client', () => ({ api, ask: (asked: Promise<unknown>) => asked, bearBy: () => {} }));

vi.mock('../banks.svelte', () => ({ banks: {} }));

const { prove } = await import('../prove.svelte');
const { Ordering } = await import('./ordering.svelte');

const wanted = new Refusal(403, { code: 'proof_needed', detail: '', second_factor: false } as never);
const settled = () => new Promise((resolve) => setTimeout(resolve));
const keyAt = (call: number): string => api.POST.mock.calls[call]?.[1].params.header['Idempotency-Key'];

function chosen(): InstanceType<typeof Ordering> {
	const order = new Ordering();
	order.lockers.set([
		{ locker_id: 101, bank: 1, state: 'free' },
		{ locker_id: 102, bank: 1, state: 'taken' }
	]);
	order.which = 'numbers';
	order.numbers = '101-102';
	order.reason = ' drill ';
	order.stand = 'looking';
	return order;
}

beforeEach(() => {
	api.GET.mockReset();
	api.POST.mockReset();
});

it('what will happen is asked of the server, which opens nothing for it', async () => {
	const order = chosen();
	const told = { dry_run: true, lockers: 2, unwired: 0, takes_ms: 2000 };
	api.POST.mockResolvedValue(told);
	await order.look();
	expect(order.forecast).toEqual(told);
	const body = { locker_ids: [101, 102], reason: 'drill', dry_run: true };
	expect(api.POST).toHaveBeenCalledExactlyOnceWith('/api/v1/mass-openings', { body });
});

describe('an order for which the person must show who they are', () => {
	it('goes on by itself with the key that it had', async () => {
		const order = chosen();
		api.POST.mockRejectedValueOnce(wanted).mockResolvedValueOnce({}).mockResolvedValue({ mass_opening_id: 'one' });
		const sent = order.send();
		await settled();
		expect(order.stand).toBe('sending');
		await prove.answer({ password: 'right' });
		expect(await sent).toBe('one');
		expect(api.POST.mock.calls.map(([path]) => path)).toEqual([
			'/api/v1/mass-openings',
			'/api/v1/auth/prove',
			'/api/v1/mass-openings'
		]);
		expect(keyAt(2)).toBe(keyAt(0));
	});
	it('stands as it was when that is called off', async () => {
		const order = chosen();
		api.POST.mockRejectedValue(wanted);
		const sent = order.send();
		await settled();
		prove.callOff();
		expect(await sent).toBeUndefined();
		expect([order.stand, order.failure]).toEqual(['looking', undefined]);
		expect(api.POST).toHaveBeenCalledTimes(1);
	});
});
