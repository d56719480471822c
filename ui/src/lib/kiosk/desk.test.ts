import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Refusal, type Problem } from '../api/problem';

const member = {
	isIn: false,
	onOver: () => {},
	takeOver: () => {},
	signIn: vi.fn<(id: string, code: string) => Promise<void>>(),
	signOut: vi.fn(() => Promise.resolve()),
	forget: vi.fn(() => void (member.isIn = false))
};
vi.mock('./member.svelte', () => ({ member }));
vi.mock('./itself.svelte', () => ({ itself: { stand: 'lost' } }));
vi.mock('./device.svelte', () => ({ device: { reset: () => Promise.resolve() } }));
vi.mock('./calling.svelte', () => ({ calling: { begin: () => {} } }));
vi.mock('./inside.svelte', () => ({ inside: { load: () => Promise.resolve(), screens: {} } }));
vi.mock('../api/client', () => ({ api: {}, ask: vi.fn() }));
vi.mock('../i18n/texts.svelte', () => ({ texts: {} }));
const { desk } = await import('./desk.svelte');

const locked = new Refusal(429, { code: 'too_many_attempts', detail: '', retry_after_ms: 900_000 } as unknown as Problem);
function type(text: string): void {
	for (const key of text) desk.do({ kind: 'type', key });
}
async function signIn(id: string): Promise<void> {
	desk.do({ kind: 'choose', purpose: 'open' });
	type(id);
	await desk.next();
	type('123456');
	await desk.next();
}

beforeEach(async () => {
	member.signIn.mockReset().mockResolvedValue();
	await desk.end();
});

describe('the desk of a kiosk', () => {
	it('makes nobody wait for the account of somebody else', async () => {
		member.signIn.mockRejectedValueOnce(locked);
		await signIn('2023321234');
		expect(desk.flow.screen).toBe('code');
		// The same account waits, whatever is typed.
		type('654321');
		await desk.next();
		expect(member.signIn).toHaveBeenCalledTimes(1);
		await desk.end();
		await signIn('2024320112');
		expect(member.signIn).toHaveBeenCalledTimes(2);
		expect(desk.flow.screen).toBe('my');
	});

	it('lets go at once of whoever left while the server was thinking', async () => {
		let answer = (): void => {};
		member.signIn.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
		const order: string[] = [];
		member.forget.mockImplementation(() => void order.push('forget'));
		member.signOut.mockImplementation(async () => void order.push('signOut'));
		const signing = signIn('2023321234');
		await vi.waitFor(() => expect(member.signIn).toHaveBeenCalled());
		await desk.end();
		order.length = 0;
		answer();
		await signing;
		expect(order).toEqual(['forget', 'signOut']);
		expect(desk.flow.screen).toBe('home');
	});
});
