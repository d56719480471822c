/** The simulated boards behind a demonstration: what is broken about them, what they did, and the clock. */
import type { Site } from './site';

/** A lock of the simulator. */
export interface Wire {
	bus: string;
	board: number;
	lock: number;
}

/** A fault as `docs/simulator.md` has it. */
interface Fault extends Partial<Omit<Wire, 'bus'>> {
	kind: string;
	bus: string;
	command?: number;
	times?: number;
	ms?: number;
	code?: number;
	edges?: number;
}

interface Pulse {
	bus: string;
	board: string | number;
	lock: number;
	at_unix_ms: number;
	duration_ms: number;
}

/** How long a coil rests between two pulses. */
const REST_MS = 2000;

/** The command byte of a pulse, in the family of the second bus. */
export const PULSE = 5;

export class Boards {
	constructor(private readonly site: Site) {}

	async fault(fault: Fault): Promise<void> {
		await this.#call('POST', '/faults', fault);
	}

	/** Ends every fault, and jams of these locks. */
	async mend(...locks: Wire[]): Promise<void> {
		await this.#call('DELETE', '/faults');
		for (const lock of locks) await this.door(lock, 'unjam');
	}

	door({ bus, board, lock }: Wire, action: string): Promise<void> {
		return this.site.door(bus, board, lock, action);
	}

	async plug(bus: string, isIn: boolean): Promise<void> {
		await this.#call('POST', `/buses/${bus}/${isIn ? 'replug' : 'unplug'}`);
	}

	/** How many pulses a lock got since the start. */
	async pulses(lock: Wire): Promise<number> {
		return (await this.#pulses(lock)).length;
	}

	/** Shuts a door: not before the coil has let go of the latch, or the door would spring open again. */
	async close(lock: Wire): Promise<void> {
		await this.#past(lock, 0);
		await this.door(lock, 'close');
	}

	/** Waits until the coil of a lock has rested: before that every opening is refused. */
	rest(lock: Wire): Promise<void> {
		return this.#past(lock, REST_MS);
	}

	/** Turns the clock of the site forward; gives the time that it shows then. */
	async turn(seconds: number): Promise<string> {
		const { server_time } = await this.#call<{ server_time: string }>('POST', '/clock', { advance_s: seconds });
		return server_time;
	}

	/** Waits until so long after the end of the last pulse. */
	async #past(lock: Wire, ms: number): Promise<void> {
		const last = (await this.#pulses(lock)).at(-1);
		const left = last ? last.at_unix_ms + last.duration_ms + ms - Date.now() : 0;
		if (left > -100) await new Promise((resolve) => setTimeout(resolve, left + 100));
	}

	async #pulses({ bus, board, lock }: Wire): Promise<Pulse[]> {
		const all = await this.#call<Pulse[]>('GET', '/pulses');
		return all.filter((it) => it.bus === bus && Number(it.board) === board && it.lock === lock);
	}

	async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
		const answer = await fetch(`${this.site.told.sim_url}${path}`, {
			method,
			...(body === undefined
				? {}
				: { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
		});
		const text = await answer.text();
		if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
		return JSON.parse(text) as T;
	}
}
