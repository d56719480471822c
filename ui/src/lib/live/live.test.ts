import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Live, type Socket, type Surroundings } from './live.svelte';

/** The server's end of a socket. */
class Wire implements Socket {
	onopen: Socket['onopen'] = null;
	onmessage: Socket['onmessage'] = null;
	onclose: Socket['onclose'] = null;
	sent: Record<string, unknown>[] = [];
	isClosed = false;

	send(data: Parameters<Socket['send']>[0]): void {
		this.sent.push(JSON.parse(String(data)) as Record<string, unknown>);
	}
	close(): void {
		this.isClosed = true;
	}
	open(): void {
		this.onopen?.call(this as unknown as WebSocket, {} as Event);
	}
	say(message: object): void {
		this.onmessage?.call(this as unknown as WebSocket, { data: JSON.stringify(message) } as MessageEvent);
	}
	end(code: number): void {
		this.onclose?.call(this as unknown as WebSocket, { code } as CloseEvent);
	}
	hello(more: object = {}): void {
		const server_time = '2026-03-02T00:00:00Z';
		this.say({ type: 'hello', session: 's', version: 7, resumed: false, server_time, ...more });
	}
}

let wires: Wire[];
let around: Surroundings;
let live: Live;
const last = (): Wire => wires.at(-1) as Wire;
const passes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

beforeEach(() => {
	vi.useFakeTimers();
	vi.spyOn(Math, 'random').mockReturnValue(0);
	wires = [];
	around = {
		open: () => {
			wires.push(new Wire());
			return last();
		},
		token: vi.fn(() => Promise.resolve<string | undefined>('t')),
		renew: vi.fn(() => Promise.resolve<string | undefined>('t2'))
	};
	live = new Live(around);
});
afterEach(() => {
	live.stop();
	vi.useRealTimers();
	vi.restoreAllMocks();
});

async function connected(): Promise<Wire> {
	live.start();
	last().open();
	await passes(0);
	last().hello();
	return last();
}

describe('a socket', () => {
	it('sends the token with what pages want to hear, and is live with the first word', async () => {
		live.hear('mine', { snapshot: () => {}, delta: () => {} });
		const wire = await connected();
		expect(wire.sent).toEqual([{ type: 'auth', token: 't', topics: ['mine'] }]);
		expect(live.status).toBe('live');
	});

	it('takes up where it left when it comes back', async () => {
		live.hear('mine', { snapshot: () => {}, delta: () => {} });
		const wire = await connected();
		wire.say({ type: 'delta', version: 9, changes: [] });
		wire.end(1006);
		expect(live.status).toBe('connecting');
		await passes(500);
		last().open();
		await passes(0);
		expect(last().sent[0]).toMatchObject({ resume: { session: 's', version: 9 } });
	});

	it('that never opens is called old, and given up for another one', async () => {
		live.start();
		await passes(5000);
		expect(live.status).toBe('stale');
		await passes(6000);
		expect(wires.map(({ isClosed }) => isClosed)).toEqual([true, false]);
	});

	it('that falls silent is asked whether it lives, and dropped when it does not answer', async () => {
		const wire = await connected();
		await passes(25_000);
		expect(wire.sent.at(-1)).toEqual({ type: 'auth', token: 't' });
		wire.say({ type: 'renewed', token_ends_in_ms: 1 });
		await passes(24_000);
		expect(live.status).toBe('live');
		await passes(9_500);
		expect(live.status).toBe('connecting');
		expect(wire.isClosed).toBe(true);
		await passes(5000);
		expect(live.status).toBe('stale');
		expect(wires.length).toBeGreaterThan(1);
	});

	it('that was refused comes back, also when nobody could be asked for another token', async () => {
		const wire = await connected();
		vi.mocked(around.renew).mockRejectedValueOnce(new Error('no server'));
		wire.end(4401);
		await passes(1000);
		expect(wires).toHaveLength(2);
	});

	it('is one: the network that comes back while a token is renewed opens no second one', async () => {
		const wire = await connected();
		let renewed = (_: string): void => {};
		vi.mocked(around.renew).mockImplementationOnce(() => new Promise((resolve) => (renewed = resolve)));
		wire.end(4401);
		await passes(0);
		live.again();
		expect(wires).toHaveLength(2);
		renewed('t2');
		await passes(1000);
		expect(wires).toHaveLength(2);
		expect(last().isClosed).toBe(false);
	});

	it('does not get the token of another one', async () => {
		const wire = await connected();
		let renewed = (_: string): void => {};
		vi.mocked(around.renew).mockImplementationOnce(() => new Promise((resolve) => (renewed = resolve)));
		wire.say({ type: 'reauth', token_ends_in_ms: 30_000 });
		wire.end(1006);
		await passes(500);
		renewed('t2');
		await passes(0);
		expect(last().sent).toEqual([]);
	});

	it('is gone with whoever was logged in', async () => {
		const wire = await connected();
		live.stop();
		expect(wire.isClosed).toBe(true);
		await passes(60_000);
		expect(wires).toHaveLength(1);
		expect(live.status).toBe('connecting');
	});
});
