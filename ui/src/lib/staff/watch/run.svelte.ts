/** One mass opening as it goes: asked for once, then as the socket tells; without the socket asked for now and then. */
import { api, ask, type Schemas } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';
import { live } from '../../live';
import type { Item } from '../../live/protocol';
import { Loading } from '../../ui/loading.svelte';
import { countsOf, hadTurn, withTold } from './run';

export type MassOpening = Schemas['MassOpeningReply'];

/** How often it is asked for while the socket is away. */
const ASK_MS = 3000;

export class MassRun extends Loading<MassOpening> {
	stopFailure = $state.raw<Refusal | Unreachable | undefined>();
	isStopping = $state(false);

	constructor(private readonly id: string) {
		super(() => ask(api.GET('/api/v1/mass-openings/{mass_opening_id}', { params: { path: { mass_opening_id: id } } })));
	}

	readonly isRunning = $derived(this.value?.state === 'running');
	/** A lock that was sent for still ends its turn when the whole was stopped. */
	readonly isUnderWay = $derived(this.isRunning || (this.value?.lockers ?? []).some(({ result }) => result === 'opening'));
	readonly counts = $derived(countsOf(this.value?.lockers ?? []));
	readonly over = $derived(hadTurn(this.value?.lockers ?? []));

	/** Follows it until the returned function is called. */
	follow(): () => void {
		const heard = (items: Item[]): void => {
			const before = this.value;
			if (!before) return;
			const now = withTold(before, items);
			if (now === before) return;
			this.value = now;
			// The end has more to say: when, and each locker's opening.
			if (before.state === 'running' && now.state !== 'running') void this.load();
		};
		const deaf = live.hear('mass_openings', {
			snapshot: (items) => {
				heard(items);
				// One that ended while the socket was away is not told of any more.
				const isTold = items.some(({ mass_opening_id: id }) => id === this.id);
				if (this.isUnderWay && !isTold) void this.load();
			},
			delta: heard
		});
		const timer = setInterval(() => {
			if (this.isUnderWay && live.status !== 'live') void this.load();
		}, ASK_MS);
		return () => {
			deaf();
			clearInterval(timer);
		};
	}

	/** Stops it before the next locker; repeating it changes nothing. */
	async stop(): Promise<void> {
		if (this.isStopping) return;
		this.isStopping = true;
		this.stopFailure = undefined;
		try {
			const path = { mass_opening_id: this.id };
			this.set(await ask(api.POST('/api/v1/mass-openings/{mass_opening_id}/cancel', { params: { path } })));
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.stopFailure = error;
		} finally {
			this.isStopping = false;
		}
	}
}
