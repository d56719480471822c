import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, Unreachable } from '../api/problem';

const api = vi.hoisted(() => ({ POST: vi.fn() }));
vi.mock('../api/client', () => ({ api, ask: (asked: Promise<unknown>) => asked }));

const { CalledOff, prove } = await import('./prove.svelte');

const refused = (code: string, data = {}) => new Refusal(403, { code, detail: '', ...data } as never);
const wanted = refused('proof_needed', { second_factor: true });
const settled = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
	prove.callOff();
	api.POST.mockReset().mockResolvedValue({ until: '', expires_in: 600 });
});

describe('an act for which the server wants to know who it is', () => {
	it('goes on by itself once that was shown', async () => {
		const act = vi.fn().mockRejectedValueOnce(wanted).mockResolvedValue('begun');
		const done = prove.before(act);
		await settled();
		expect(prove.asked).toEqual({ hasApp: true });
		await prove.answer({ password: 'right' });
		expect(await done).toBe('begun');
		expect(act).toHaveBeenCalledTimes(2);
		expect(api.POST).toHaveBeenCalledWith('/api/v1/auth/prove', { body: { password: 'right' } });
		expect(prove.asked).toBeUndefined();
	});

	it('stays asked for while what was typed is wrong', async () => {
		const act = vi.fn().mockRejectedValueOnce(wanted).mockResolvedValue('begun');
		const done = prove.before(act);
		await settled();
		api.POST.mockRejectedValueOnce(refused('bad_credentials'));
		await prove.answer({ password: 'wrong' });
		expect(prove.failure).toBeInstanceOf(Refusal);
		expect(act).toHaveBeenCalledTimes(1);
		await prove.answer({ code: '123456' });
		expect(await done).toBe('begun');
	});

	it('is called off without being sent again', async () => {
		const act = vi.fn().mockRejectedValue(wanted);
		const done = prove.before(act);
		await settled();
		prove.callOff();
		await expect(done).rejects.toBeInstanceOf(CalledOff);
		expect(act).toHaveBeenCalledTimes(1);
		expect(prove.asked).toBeUndefined();
	});

	it('shares one question with another such act', async () => {
		const acts = ['one', 'two'].map((name) => vi.fn().mockRejectedValueOnce(wanted).mockResolvedValue(name));
		const done = acts.map((act) => prove.before(act));
		await settled();
		expect(prove.asked).toBeDefined();
		await prove.answer({ password: 'right' });
		expect(await Promise.all(done)).toEqual(['one', 'two']);
		expect(api.POST).toHaveBeenCalledTimes(1);
	});

	it('is asked about once: a second refusal is told', async () => {
		const act = vi.fn().mockRejectedValue(wanted);
		const done = prove.before(act);
		const told = expect(done).rejects.toBe(wanted);
		await settled();
		expect(prove.asked).toBeDefined();
		await prove.answer({ password: 'right' });
		await told;
		expect(prove.asked).toBeUndefined();
	});
});

it('leaves every other failure alone', async () => {
	for (const failure of [refused('forbidden'), new Unreachable()]) {
		await expect(prove.before(() => Promise.reject(failure))).rejects.toBe(failure);
		expect(prove.asked).toBeUndefined();
	}
});
