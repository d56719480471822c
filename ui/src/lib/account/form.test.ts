import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, Unreachable, type Problem } from '../api/problem';
import { Form, mistakesIn } from './form.svelte';

const refused = (code: string, more: object = {}): Refusal =>
	new Refusal(422, { code, detail: '', ...more } as unknown as Problem);

describe('a form', () => {
	beforeEach(() => vi.useFakeTimers());
	afterEach(() => vi.useRealTimers());

	it('sends nothing while something is wrong, and says it at its field and on top', async () => {
		const form = new Form<'id' | 'password'>();
		const work = vi.fn(async () => {});
		const wrong = mistakesIn<'id' | 'password'>([true, 'id', () => 'no id'], [false, 'password', () => 'none']);
		expect(await form.send(wrong, work)).toBe(false);
		expect(work).not.toHaveBeenCalled();
		expect(form.error('id')).toBe('no id');
		expect(form.error('password')).toBeUndefined();
		expect(form.summary).toEqual([{ field: 'id', text: 'no id' }]);
	});

	it('puts a refusal where it belongs, and the others on top', async () => {
		const form = new Form<'code'>();
		const places = { code_wrong: { field: 'code', say: () => 'wrong' } } as const;
		await form.send([], () => Promise.reject(refused('code_wrong')), places);
		expect([form.error('code'), form.failure]).toEqual(['wrong', undefined]);
		await form.send([], () => Promise.reject(refused('degraded')), places);
		expect(form.error('code')).toBeUndefined();
		expect(form.failure).toBeInstanceOf(Refusal);
		await form.send([], () => Promise.reject(new Unreachable()), places);
		expect(form.failure).toBeInstanceOf(Unreachable);
	});

	it('leaves a refusal on top when its place does not know it', async () => {
		const form = new Form<'email'>();
		await form.send([], () => Promise.reject(refused('invalid')), { invalid: () => undefined });
		expect(form.mistakes).toEqual([]);
		expect(form.failure).toBeInstanceOf(Refusal);
	});

	it('forgets what was wrong when it is sent again', async () => {
		const form = new Form<'id'>();
		await form.send([{ field: 'id', say: () => 'no id' }], async () => {});
		expect(await form.send([], async () => {})).toBe(true);
		expect([form.mistakes, form.failure]).toEqual([[], undefined]);
	});

	it('is sent once at a time', async () => {
		const form = new Form<'id'>();
		let answer = (): void => {};
		const work = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
		const first = form.send([], work);
		expect(form.busy).toBe(true);
		expect(await form.send([], work)).toBe(false);
		answer();
		expect(await first).toBe(true);
		expect([work.mock.calls.length, form.busy]).toEqual([1, false]);
	});

	it('waits as long as the server says, then can be sent again', async () => {
		const form = new Form<'id'>();
		await form.send([], () => Promise.reject(refused('too_many_attempts', { retry_after_ms: 2500 })));
		expect(form.wait.seconds).toBe(3);
		const work = vi.fn(async () => {});
		expect(await form.send([], work)).toBe(false);
		await vi.advanceTimersByTimeAsync(500);
		expect(form.wait.seconds).toBe(2);
		await vi.advanceTimersByTimeAsync(2000);
		expect([form.wait.seconds, form.wait.isOn, form.wait.was]).toEqual([0, false, true]);
		expect(await form.send([], work)).toBe(true);
		expect(form.wait.was).toBe(false);
	});

	it('does not hide what nobody thought of', async () => {
		const form = new Form<'id'>();
		await expect(form.send([], () => Promise.reject(new TypeError('a bug')))).rejects.toThrow('a bug');
		expect(form.busy).toBe(false);
	});
});
