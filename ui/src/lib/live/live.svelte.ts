/**
 * The one live socket of a page. It comes back by itself, takes up where it left, and says how old is
 * what it shows. Pages say what they want to hear with `hear`; the last word on anything is REST.
 */
import { clock } from '../clock.svelte';
import { readMessage, type Item, type Message, type Snapshot, type Wish } from './protocol';

/** What the connection is like: `stale` once it is away for longer than a blink. */
export type Status = 'live' | 'connecting' | 'stale';

/** Gets what happens of one topic. */
export interface Ear {
	/** All that is, in place of all that was known; the same by banks, for those who hear several. */
	snapshot(items: Item[], groups: Snapshot['groups']): void;
	/** What is different, oldest first, and of which bank. */
	delta(items: Item[], bank: number | null): void;
}

interface Listener {
	topic: string;
	bank: number | undefined;
	ear: Ear;
}

/** The part of a browser's WebSocket that is used here. */
export type Socket = Pick<WebSocket, 'send' | 'close' | 'onopen' | 'onmessage' | 'onclose'>;

/** What the socket needs of the page around it. */
export interface Surroundings {
	open(): Socket;
	token(): Promise<string | undefined>;
	/** The server does not take the token: a new one, if there is any. */
	renew(): Promise<string | undefined>;
}

const BACK_OFF_MS = [500, 1000, 2000, 4000, 8000, 15_000];
/** Away for so long, what is shown is called old. */
const STALE_MS = 5000;
/** A page that was hidden for so long does not trust its socket any more. */
const HIDDEN_MS = 60_000;
/** So long the first word of a new socket is awaited. */
const HELLO_MS = 10_000;
/**
 * A server that lost its power closes nothing, and browsers take minutes to notice: after so much silence it is asked
 * whether it is there, and given up when it says nothing for so long.
 */
const SILENCE_MS = 25_000;
const ANSWER_MS = 8000;

const UNAUTHENTICATED = 4401;
const TOO_MANY = 4429;

export class Live {
	status = $state<Status>('connecting');
	/** When something was last heard, by the server's clock; 0 before the first word. */
	heardAt = $state(0);

	#listeners: Listener[] = [];
	#socket: Socket | undefined;
	#isOpen = false;
	#wanted = false;
	#session: string | undefined;
	#version = 0;
	/** What the socket was last asked for. */
	#asked = '';
	#tries = 0;
	#retry: ReturnType<typeof setTimeout> | undefined;
	#staleness: ReturnType<typeof setTimeout> | undefined;
	#asking: ReturnType<typeof setTimeout> | undefined;
	/** What happens when nothing is heard. */
	#silence: ReturnType<typeof setTimeout> | undefined;
	#hiddenAt: number | undefined;
	#afterMs: number | undefined;

	constructor(private readonly around: Surroundings) {}

	/** Begins to listen; `stop` ends it. */
	start(): void {
		if (this.#wanted) return;
		this.#wanted = true;
		this.#away();
		this.#connect();
	}

	/** Hangs up and forgets: somebody else may come. */
	stop(): void {
		this.#wanted = false;
		this.#session = undefined;
		this.#version = 0;
		clearTimeout(this.#retry);
		clearTimeout(this.#staleness);
		this.#staleness = undefined;
		this.#drop();
		this.status = 'connecting';
	}

	/** Hears a topic until the returned function is called. */
	hear(topic: string, ear: Ear, bank?: number): () => void {
		const listener = { topic, bank, ear };
		this.#listeners.push(listener);
		this.#askAnew();
		return () => {
			this.#listeners = this.#listeners.filter((other) => other !== listener);
			this.#askAnew();
		};
	}

	/** The page was hidden or is seen again. */
	seen(visible: boolean): void {
		if (!visible) {
			this.#hiddenAt = performance.now();
			return;
		}
		const hiddenMs = this.#hiddenAt === undefined ? 0 : performance.now() - this.#hiddenAt;
		this.#hiddenAt = undefined;
		if (hiddenMs > HIDDEN_MS) this.again();
	}

	/** Connects anew at once: the network came back, or nobody knows whether the socket lives. */
	again(): void {
		if (!this.#wanted) return;
		this.#tries = 0;
		clearTimeout(this.#retry);
		this.#drop();
		this.#away();
		this.#connect();
	}

	get #wishes(): Wish[] {
		const wishes = new Map<string, Wish>();
		for (const { topic, bank } of this.#listeners) {
			const wish = bank === undefined ? topic : { topic, bank };
			wishes.set(JSON.stringify(wish), wish);
		}
		return [...wishes.values()];
	}

	/** Gathers what pages begin and cease to hear within a moment. */
	#askAnew(): void {
		clearTimeout(this.#asking);
		this.#asking = setTimeout(() => {
			if (this.#isOpen && JSON.stringify(this.#wishes) !== this.#asked) void this.#authenticate(true);
		}, 0);
	}

	#connect(): void {
		this.#drop();
		const socket = this.around.open();
		this.#socket = socket;
		this.#listen(HELLO_MS, () => this.#lost());
		socket.onopen = () => {
			if (socket !== this.#socket) return;
			this.#isOpen = true;
			void this.#authenticate(false);
		};
		socket.onmessage = ({ data }) => {
			const message = socket === this.#socket ? readMessage(String(data)) : undefined;
			if (message) this.#take(message);
		};
		socket.onclose = ({ code }) => {
			if (socket === this.#socket) void this.#closed(code);
		};
	}

	async #authenticate(later: boolean): Promise<void> {
		const socket = this.#socket;
		const token = await this.around.token().catch(() => undefined);
		if (socket !== this.#socket || !this.#isOpen) return;
		if (!token) {
			this.#drop();
			this.#comeBack();
			return;
		}
		const topics = this.#wishes;
		const asked = JSON.stringify(topics);
		const resumes = !later && this.#session !== undefined && asked === this.#asked;
		const resume = resumes ? { resume: { session: this.#session, version: this.#version } } : {};
		this.#asked = asked;
		socket?.send(JSON.stringify({ type: 'auth', token, topics, ...resume }));
	}

	/** Does something when nothing is heard for so long. */
	#listen(ms: number, then: () => void): void {
		clearTimeout(this.#silence);
		this.#silence = setTimeout(then, ms);
	}

	/** Asks whether anybody is there: a token that is sent once more is answered, whatever else is quiet. */
	async #knock(): Promise<void> {
		const socket = this.#socket;
		this.#listen(ANSWER_MS, () => this.#lost());
		const token = await this.around.token().catch(() => undefined);
		if (token && socket === this.#socket && this.#isOpen) socket?.send(JSON.stringify({ type: 'auth', token }));
	}

	/** Nobody is there. */
	#lost(): void {
		this.#drop();
		this.#comeBack();
	}

	#take(message: Message): void {
		// By the server's clock, if this is the first that is heard of it.
		if (message.type === 'hello') clock.learn(message.server_time, 0);
		this.heardAt = clock.now();
		this.#listen(SILENCE_MS, () => void this.#knock());
		switch (message.type) {
			case 'hello':
				this.#tries = 0;
				this.#session = message.session;
				this.#version = message.version;
				this.#here();
				// What pages asked for while the socket was on its way.
				this.#askAnew();
				break;
			case 'snapshot':
				this.#version = message.version;
				// Of what belongs to no bank the server leaves the bank out.
				for (const group of message.groups) group.bank ??= null;
				this.#tell(message.topic, (listener) =>
					listener.ear.snapshot(
						message.groups.flatMap((group) => (isOf(listener, group.bank) ? group.items : [])),
						message.groups
					)
				);
				break;
			case 'delta':
				this.#version = message.version;
				for (const change of message.changes) {
					change.bank ??= null;
					this.#tell(change.topic, (listener) => {
						if (isOf(listener, change.bank)) listener.ear.delta(change.items, change.bank);
					});
				}
				break;
			case 'reauth':
				void this.#renew();
				break;
			case 'bye':
				this.#afterMs = message.retry_after_ms;
				break;
			case 'resync':
			case 'renewed':
				break;
		}
	}

	async #renew(): Promise<void> {
		const socket = this.#socket;
		const token = await this.around.renew().catch(() => undefined);
		if (token && socket === this.#socket && this.#isOpen) socket?.send(JSON.stringify({ type: 'auth', token }));
	}

	#tell(topic: string, tell: (listener: Listener) => void): void {
		for (const listener of this.#listeners) if (listener.topic === topic) tell(listener);
	}

	async #closed(code: number): Promise<void> {
		this.#drop();
		if (!this.#wanted) return;
		this.#away();
		// Whoever has no log-in any more is hung up by the session; a server that cannot be asked is no reason to stay away.
		if (code === UNAUTHENTICATED) await this.around.renew().catch(() => undefined);
		// Meanwhile the network came back, and with it another socket.
		if (this.#socket) return;
		// Pages of one account took all its places: this one shows its age and tries now and then.
		if (code === TOO_MANY) this.#tries = BACK_OFF_MS.length;
		this.#comeBack();
	}

	#comeBack(): void {
		if (!this.#wanted) return;
		this.#away();
		const wait = BACK_OFF_MS[Math.min(this.#tries, BACK_OFF_MS.length - 1)] ?? 15_000;
		this.#tries += 1;
		const spread = this.#afterMs ?? wait * (1 + Math.random() / 2);
		this.#afterMs = undefined;
		clearTimeout(this.#retry);
		this.#retry = setTimeout(() => this.#connect(), spread);
	}

	#here(): void {
		clearTimeout(this.#staleness);
		this.#staleness = undefined;
		this.status = 'live';
	}

	#away(): void {
		if (this.status === 'live') this.status = 'connecting';
		this.#staleness ??= setTimeout(() => (this.status = 'stale'), STALE_MS);
	}

	#drop(): void {
		const socket = this.#socket;
		this.#socket = undefined;
		this.#isOpen = false;
		clearTimeout(this.#silence);
		socket?.close();
	}
}

const isOf = (listener: Listener, bank: number | null): boolean =>
	listener.bank === undefined || listener.bank === bank;
