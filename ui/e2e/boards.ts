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

interface Pulses {
	bus: string;
	board: string | number;
	lock: number;
}

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
	async pulses({ bus, board, lock }: Wire): Promise<number> {
		const all = await this.#call<Pulses[]>('GET', '/pulses');
		return all.filter((it) => it.bus === bus && Number(it.board) === board && it.lock === lock).length;
	}

	/** Turns the clock of the site forward; gives the time that it shows then. */
	async turn(seconds: number): Promise<string> {
		const { server_time } = await this.#call<{ server_time: string }>('POST', '/clock', { advance_s: seconds });
		return server_time;
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
