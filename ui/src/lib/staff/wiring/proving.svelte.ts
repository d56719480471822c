/**
 * One proof of a board while somebody stands before it. A step is sent once; when its answer is lost the server is
 * asked where the proof stands, and nothing is sent again: a pulse may have gone out.
 */
import { SvelteSet } from 'svelte/reactivity';
import { api, ask } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';
import { Loading } from '../../ui/loading.svelte';
import { CalledOff, prove } from '../prove.svelte';
import { asProof, type Proof } from './proof';

export type Action = 'pulse' | 'number' | 'closed' | 'repeat' | 'skip' | 'revisit';

/** A coil rests so long between two pulses. */
const REST_MS = 2_100;

/** Buses before which somebody said to stand, until the page is loaded anew. */
const present = new SvelteSet<string>();

export class Proving extends Loading<Proof> {
	/** What is being done. */
	doing = $state<Action | undefined>();
	/** Why the last step was refused. */
	refused = $state.raw<Refusal | Unreachable | undefined>();
	/** An answer to a pulse got lost: the door may have opened. */
	isInDoubt = $state(false);
	/** Somebody stands before the lockers. */
	readonly isThere = $derived(this.value !== undefined && present.has(this.value.bus));
	#pulsedAt = Number.NEGATIVE_INFINITY;

	constructor(readonly id: string) {
		super(async () => {
			const path = { proof_id: id };
			return asProof(await ask(api.GET('/api/v1/commissioning/proofs/{proof_id}', { params: { path } })));
		});
	}

	/** Somebody says that they stand before the lockers, or that they left. */
	stand(isThere: boolean): void {
		const bus = this.value?.bus;
		if (bus === undefined) return;
		if (isThere) present.add(bus);
		else present.delete(bus);
	}

	/**
	 * Sends a step.
	 * @returns whether the proof went on.
	 */
	async step(action: Action, number?: number): Promise<boolean> {
		if (this.doing) return false;
		this.doing = action;
		this.refused = undefined;
		this.isInDoubt = false;
		try {
			if (action === 'pulse') await this.#rest();
			const path = { proof_id: this.id };
			const body = { action, ...(number === undefined ? {} : { number }) };
			const send = () => ask(api.POST('/api/v1/commissioning/proofs/{proof_id}/steps', { params: { path }, body }));
			this.set(asProof(await prove.before(send)));
			return true;
		} catch (error) {
			if (error instanceof CalledOff) return false;
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.refused = error;
			this.isInDoubt = action === 'pulse' && error instanceof Unreachable;
			await this.load();
			return false;
		} finally {
			if (action === 'pulse') this.#pulsedAt = performance.now();
			this.doing = undefined;
		}
	}

	async #rest(): Promise<void> {
		const left = this.#pulsedAt + REST_MS - performance.now();
		if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
	}
}
