/** All ports with their boards, and every proof; states follow the socket. */
import { api, ask } from '../../api/client';
import { clock } from '../../clock.svelte';
import { live } from '../../live';
import { Loading } from '../../ui/loading.svelte';
import { asPorts, heard, type Port } from './ports';
import { asProof, type Proof } from './proof';

export interface Wall {
	ports: Port[];
	proofs: Proof[];
}

export class Walls extends Loading<Wall> {
	constructor() {
		super(async () => {
			const [{ buses }, { proofs }] = await Promise.all([
				ask(api.GET('/api/v1/buses')),
				ask(api.GET('/api/v1/commissioning/proofs'))
			]);
			return { ports: asPorts(buses), proofs: proofs.map(asProof) };
		});
	}

	/** Loads and listens until the returned function is called. */
	watch(): () => void {
		void this.load();
		const take = (items: Parameters<typeof heard>[1]): void => {
			if (this.value) this.value = { ...this.value, ports: heard(this.value.ports, items, new Date(clock.now()).toISOString()) };
		};
		return live.hear('health', { snapshot: take, delta: take });
	}

	port(name: string): Port | undefined {
		return this.value?.ports.find((port) => port.name === name);
	}
}
