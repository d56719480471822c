/**
 * The form of a bank's policy: what is there, what is typed, what is wrong with it, and saving it. Before it
 * is saved the settings are asked for once more: what somebody else changed meanwhile is told, not overwritten.
 */
import { api, ask } from '../../api/client';
import { once } from '../../api/once';
import { Refusal, Unreachable } from '../../api/problem';
import { texts } from '../../i18n/texts.svelte';
import { bodyOf, changed, clashOf, draftOf, mistakesOf, onTop, wrongIn, type Draft, type Policy, type Wrong } from './policy';
import { SETTINGS } from './policy-settings';

/** A line of the summary: what is wrong, and the settings that it is about. */
export interface Line {
	text: string;
	fields: string[];
}

export class PolicyForm {
	draft = $state<Draft>() as Draft;
	/** What the typed settings are compared with. */
	base = $state.raw<Draft>() as Draft;
	wrong = $state.raw<Wrong[]>([]);
	clashes = $state.raw<{ fields: string[]; text: string }[]>([]);
	failure = $state.raw<Refusal | Unreachable | undefined>();
	/** What is there by now, when somebody else changed it. */
	others = $state.raw<Draft | undefined>();
	busy = $state(false);
	/** Counts the tries that failed, so that the summary takes the focus each time. */
	tries = $state(0);

	constructor(
		private readonly bank: number,
		policy: Policy
	) {
		this.draft = draftOf(policy);
		this.base = draftOf(policy);
	}

	readonly changes = $derived.by(() => changed(this.base, this.draft));

	readonly lines = $derived.by((): Line[] => [
		...this.wrong.map((it) => ({ text: wordsOf(it), fields: it.fields })),
		...this.clashes.map(({ fields, text }) => ({ text: texts.sites.policy.clashes[clashOf({ fields })] ?? text, fields }))
	]);

	/** What is wrong with one setting. */
	error(field: string): string | undefined {
		return this.lines.find(({ fields }) => fields.includes(field))?.text;
	}

	/** Looks whether it can be sent; says what cannot. */
	check(): boolean {
		this.failure = undefined;
		this.others = undefined;
		this.clashes = [];
		this.wrong = wrongIn(this.draft);
		if (this.wrong.length > 0) this.tries += 1;
		return this.wrong.length === 0;
	}

	/** What somebody else changed meanwhile. */
	foreign(others: Draft): string[] {
		return changed(this.base, others);
	}

	undo(): void {
		this.draft = structuredClone($state.snapshot(this.base));
		this.check();
	}

	/** Goes on from what somebody else saved, with what was changed here on top. */
	take(): void {
		const now = this.others;
		if (!now) return;
		this.draft = onTop(this.base, $state.snapshot(this.draft), now);
		this.base = now;
		this.others = undefined;
	}

	/** Saves; what is refused is told at its settings. */
	async save(): Promise<boolean> {
		this.busy = true;
		this.failure = undefined;
		const params = { path: { bank_id: this.bank } };
		try {
			const now = draftOf(await ask(api.GET('/api/v1/banks/{bank_id}/policy', { params })));
			if (changed(this.base, now).length > 0) {
				this.others = now;
				return false;
			}
			const body = bodyOf($state.snapshot(this.draft));
			const saved = await once(`policy:${this.bank}`, (key) =>
				ask(api.PUT('/api/v1/banks/{bank_id}/policy', { params: { ...params, header: { 'Idempotency-Key': key } }, body }))
			);
			this.base = draftOf(saved);
			this.draft = draftOf(saved);
			return true;
		} catch (error) {
			this.#blame(error);
			return false;
		} finally {
			this.busy = false;
		}
	}

	#blame(error: unknown): void {
		if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
		this.clashes = error instanceof Refusal ? mistakesOf(error.problem['mistakes']) : [];
		if (this.clashes.length === 0) this.failure = error;
	}
}

/** The name of a setting for people. */
export function labelOf(field: string): string {
	const words = texts.sites.policy;
	const [first = '', at] = field.split('.');
	if (first === 'mode') return words.mode;
	if (first === 'opens_at' || first === 'closes_at') return words.window;
	if (first === 'closings' && at !== undefined) return words.closings.item(Number(at) + 1);
	if (first === 'hours' && at !== undefined) return words.hours.days[at] ?? words.fields['hours']?.label ?? field;
	return words.fields[field]?.label ?? field;
}

/** Under which id a setting stands in the page. */
export const idOf = (field: string): string => `rule-${field.replaceAll('.', '-')}`;

function wordsOf({ fields, kind, at }: Wrong): string {
	const words = texts.sites.policy;
	const name = fields[0] ?? '';
	const label = labelOf(name);
	const { from = 0, to = 0 } = SETTINGS.find((it) => it.name === name) ?? {};
	switch (kind) {
		case 'missing':
			return texts.sites.number.missing(label);
		case 'whole':
			return texts.sites.number.whole(label);
		case 'range':
			return texts.sites.number.range(label, from, to);
		case 'list':
			return words.listWrong(label);
		case 'hours':
			return words.hours.wrong(words.hours.days[String(at)] ?? String(at));
		case 'never':
			return words.hours.never;
		case 'closing-days':
			return words.closings.wrongDays(Number(at));
		case 'closing-name':
			return words.closings.noName(Number(at));
	}
}
