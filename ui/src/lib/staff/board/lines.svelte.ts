/**
 * How the boards answer. The socket says at once whether one answers; when it did so last is asked for now and
 * then while a page shows it.
 */
import { untrack } from 'svelte';
import { api, ask } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';
import { clock } from '../../clock.svelte';
import { live } from '../../live';
import type { Item } from '../../live/protocol';
import { boardKey, type Board } from './standing';

const ASK_MS = 8000;

interface Details {
	buses?: { name: string; status: string; boards: { address: number; status: string; last_answer_age_ms?: number | null }[] }[];
	mail?: { status: string; due: number; dead: number };
}

/** A board of a port that is away cannot answer, whatever was known of it. */
function statusOf(word: unknown, bus: unknown): Board['status'] {
	if (bus === 'offline') return 'silent';
	return word === 'online' || word === 'silent' ? word : 'unknown';
}

class Lines {
	boards = $state.raw<ReadonlyMap<string, Board>>(new Map());
	/** Whether anything was heard at all: before it nothing is claimed. */
	isKnown = $state(false);
	/** What stands with mails; nothing when all is well or not known. */
	mail = $state.raw<{ due: number; dead: number } | undefined>();
	#listeners = 0;
	#deaf: (() => void) | undefined;
	#timer: ReturnType<typeof setTimeout> | undefined;

	/** Stays up to date until the returned function is called: use it as the body of an `$effect`. */
	follow(): () => void {
		this.#listeners += 1;
		if (this.#listeners === 1) {
			const heard = (items: Item[]): void => untrack(() => this.#heard(items));
			this.#deaf = live.hear('health', { snapshot: heard, delta: heard });
			void this.#round();
		}
		return () => {
			this.#listeners -= 1;
			if (this.#listeners > 0) return;
			this.#deaf?.();
			clearTimeout(this.#timer);
		};
	}

	async #round(): Promise<void> {
		if (document.visibilityState === 'visible') await this.#look();
		clearTimeout(this.#timer);
		if (this.#listeners > 0) this.#timer = setTimeout(() => void this.#round(), ASK_MS);
	}

	async #look(): Promise<void> {
		try {
			const health = await ask(api.GET('/api/v1/health'));
			const details = (health.details ?? {}) as Details;
			const boards = new Map<string, Board>();
			for (const { name, status: bus, boards: of } of details.buses ?? []) {
				for (const { address, status, last_answer_age_ms: age } of of) {
					const wire = { bus: name, board: address };
					const answeredAt = typeof age === 'number' ? clock.now() - age : undefined;
					boards.set(boardKey(wire), { ...wire, status: statusOf(status, bus), answeredAt });
				}
			}
			this.boards = boards;
			this.isKnown = true;
			const mail = details.mail;
			this.mail = mail && mail.status !== 'ok' ? { due: mail.due, dead: mail.dead } : undefined;
		} catch (error) {
			// What is known stays, and its age with it.
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		}
	}

	#heard(items: Item[]): void {
		const boards = new Map(this.boards);
		for (const { bus, status: port, boards: of } of items) {
			if (typeof bus !== 'string' || !Array.isArray(of)) continue;
			for (const { address, status } of of as { address: number; status: string }[]) {
				const wire = { bus, board: address };
				const answeredAt = boards.get(boardKey(wire))?.answeredAt;
				boards.set(boardKey(wire), { ...wire, status: statusOf(status, port), answeredAt });
			}
		}
		this.boards = boards;
	}
}

export const lines = new Lines();
