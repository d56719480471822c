/**
 * One overdue case: looked at again and again while its page is open, since others work on the same list, and
 * the steps that are taken here. What somebody else did meanwhile is told.
 */
import { api, ask, type Schemas } from '../../api/client';
import { once } from '../../api/once';
import { Refusal, Unreachable } from '../../api/problem';
import { clock } from '../../clock.svelte';
import { Loading } from '../../ui/loading.svelte';
import { newStep, type CaseDetail } from './chain';
import { OPENED, type bodyOf } from './collect';

/** How often it is looked at, in ms. */
const LOOK_MS = 15_000;

type Taken = Schemas['StepTakenReply'];

export class CaseView {
	readonly detail: Loading<CaseDetail>;
	/** The step of somebody else, as a place in `steps`, until a step is taken here. */
	news = $state<number | undefined>();
	/** When staff last opened the locker since it was found overdue. */
	openedAt = $state<string | undefined>();
	#isMine = false;

	constructor(readonly id: number) {
		this.detail = new Loading(async () => {
			const path = { case_id: id };
			const got = await ask(api.GET('/api/v1/overdue/{case_id}', { params: { path } }));
			const step = newStep(this.detail.value, got);
			if (step !== undefined) this.news = this.#isMine ? undefined : step;
			this.#isMine = false;
			return got;
		});
	}

	/** Gets it, and what stands beside it. */
	async load(): Promise<void> {
		await this.detail.load();
		await this.lookAtOpenings();
	}

	/** Looks again and again until the returned function is called. */
	follow(): () => void {
		void this.load();
		const timer = setInterval(() => {
			if (document.visibilityState === 'visible') void this.load();
		}, LOOK_MS);
		return () => clearInterval(timer);
	}

	/** Whether staff have opened the locker since it was found overdue. */
	async lookAtOpenings(): Promise<void> {
		const it = this.detail.value;
		if (!it || (it.state !== 'detected' && it.state !== 'sealed')) return;
		await this.#quietly(async () => {
			const query = { locker_id: it.locker_id, limit: 20 };
			const { openings } = await ask(api.GET('/api/v1/openings', { params: { query } }));
			const since = Date.parse(it.detected_at);
			const found = openings.find(
				({ opened_as, outcome, requested_at }) =>
					opened_as === 'staff' && OPENED.includes(outcome ?? '') && Date.parse(requested_at) >= since
			);
			this.openedAt = found?.requested_at ?? this.openedAt;
		});
	}

	/** The door was seen open by an opening of this page; the list of openings may tell it only a moment later. */
	sawOpen(): void {
		this.openedAt ??= new Date(clock.now()).toISOString();
	}

	seal(): Promise<Taken> {
		return this.#take('seal', (path, header) =>
			api.POST('/api/v1/overdue/{case_id}/seal', { params: { path, header }, body: {} })
		);
	}

	unseal(reason: string): Promise<Taken> {
		return this.#take('unseal', (path, header) =>
			api.POST('/api/v1/overdue/{case_id}/unseal', { params: { path, header }, body: { reason } })
		);
	}

	drop(reason: string): Promise<Taken> {
		return this.#take('drop', (path, header) =>
			api.POST('/api/v1/overdue/{case_id}/drop', { params: { path, header }, body: { reason } })
		);
	}

	collect(body: ReturnType<typeof bodyOf>): Promise<Taken> {
		return this.#take('collect', (path, header) =>
			api.POST('/api/v1/overdue/{case_id}/collect', { params: { path, header }, body })
		);
	}

	handBack(to: string, reason: string): Promise<Taken> {
		const body = { to, reason: reason || null };
		return this.#take('hand-back', (path, header) =>
			api.POST('/api/v1/overdue/{case_id}/hand-back', { params: { path, header }, body })
		);
	}

	async #take(
		step: string,
		send: (
			path: { case_id: number },
			header: { 'Idempotency-Key': string }
		) => Promise<{ data?: Taken; error?: unknown; response: Response }>
	): Promise<Taken> {
		try {
			const taken = await once(`overdue-${step}:${this.id}`, (key) =>
				ask(send({ case_id: this.id }, { 'Idempotency-Key': key }))
			);
			this.#isMine = true;
			this.news = undefined;
			await this.load();
			return taken;
		} catch (error) {
			// Most likely somebody else was first: what stands now is shown with what they did.
			if (error instanceof Refusal) await this.load();
			throw error;
		}
	}

	/** What stands beside the case may be missing: the page does without it. */
	async #quietly(work: () => Promise<void>): Promise<void> {
		try {
			await work();
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}
}
