/** Choosing days in one bank and reserving them: what is chosen, what speaks against it, what became of it. */
import { api, ask, type Schemas } from '../api/client';
import { once } from '../api/once';
import { Refusal, Unreachable } from '../api/problem';
import { texts } from '../i18n/texts.svelte';
import { mine } from '../mine.svelte';
import { Calendar } from './calendar.svelte';
import {
	addMonths,
	endLimit,
	lastDay,
	monthOf,
	press,
	readDay,
	spanReason,
	startReason,
	type Choice,
	type Known,
	type Reason,
	type Span
} from './month';

export type Reserved = Schemas['ReservationReply'];

/** What is wrong with what was typed. */
export type Mistake = 'none' | 'not_a_day';

export class Booking {
	readonly calendar: Calendar;

	/** What stands in the two inputs; the calendar writes into them as well. */
	fromText = $state('');
	toText = $state('');
	accessible = $state(false);
	/** The month that the calendar shows. */
	month = $state(monthOf(texts.format.today()));
	/** Why the day that was pressed last is not chosen. */
	refused = $state.raw<Reason | undefined>();
	isSending = $state(false);
	/** The answer was lost and is asked for. */
	isInDoubt = $state(false);
	failure = $state.raw<Refusal | Unreachable | undefined>();
	done = $state.raw<Reserved | undefined>();

	/** The choice that could be had when it was made; if it cannot any more, others were quicker. */
	#good = $state('');

	constructor(readonly bankId: number) {
		this.calendar = new Calendar(bankId);
	}

	readonly choice = $derived<Choice>({ from: readDay(this.fromText), to: readDay(this.toText) });

	/** Days on which one has something already; nobody has two claims on one day, whatever the bank. */
	readonly taken = $derived<Span[]>([
		...(mine.reservations.value?.reservations ?? []),
		...[mine.lockers.value?.locker, ...(mine.lockers.value?.others ?? [])].filter(
			(locker) => locker !== undefined && locker !== null && locker.state !== 'returned'
		)
	] as Span[]);

	readonly known = $derived.by<Known>(() => ({
		days: this.calendar.days,
		rules: this.calendar.rules,
		mine: this.taken
	}));

	/** What speaks against the choice, as far as it is made. */
	readonly reason = $derived.by<Reason | undefined>(() => {
		const { from, to } = this.choice;
		if (from === undefined) return undefined;
		return to === undefined ? startReason(from, this.known) : spanReason(from, to, this.known);
	});

	/** Whether the choice became impossible while it stood. */
	readonly isLost = $derived(this.reason?.kind === 'full' && this.#good === this.#spoken);

	/** Until when a reservation from the chosen start may last, and why not longer. */
	readonly limit = $derived.by<{ last: string; reason: Reason } | undefined>(() => {
		const { from, to } = this.choice;
		if (from === undefined || to !== undefined || this.reason) return undefined;
		return endLimit(from, this.known);
	});

	/** How many reservations of one's own wait in this bank. */
	readonly waiting = $derived(
		(mine.reservations.value?.reservations ?? []).filter(
			(it) => it.bank_id === this.bankId && it.status === 'reserved'
		).length
	);

	/** The first and the last month in which days can be chosen. */
	readonly bounds = $derived.by<[string, string]>(() => {
		const today = monthOf(texts.format.today());
		const { rules } = this.calendar;
		return [today, rules ? monthOf(lastDay(rules)) : today];
	});

	get #spoken(): string {
		return `${this.choice.from}/${this.choice.to}`;
	}

	/** Months that the choice reaches into: an end is judged by all the days before it. */
	get months(): string[] {
		const { from } = this.choice;
		const rules = this.calendar.rules;
		if (from === undefined || !rules || from > rules.last_start_on || from < rules.first_start_on) return [];
		const last = lastDay({ ...rules, last_start_on: from });
		const months = [];
		for (let month = monthOf(from); month <= monthOf(last); month = addMonths(month, 1)) months.push(month);
		return months;
	}

	/** Remembers that the choice can be had: use it as the body of an `$effect`. */
	note(): void {
		if (this.choice.to !== undefined && !this.reason) this.#good = this.#spoken;
	}

	/** A day of the calendar was pressed. */
	press(day: string): void {
		const pressed = press(this.choice, day, this.known);
		if ('reason' in pressed) {
			this.refused = pressed.reason;
			return;
		}
		this.changed();
		this.fromText = pressed.choice.from ?? '';
		this.toText = pressed.choice.to ?? '';
	}

	/** Something else is chosen: what was said of the former choice is void. */
	changed(): void {
		this.refused = undefined;
		this.failure = undefined;
		this.done = undefined;
	}

	clear(): void {
		this.changed();
		this.fromText = '';
		this.toText = '';
	}

	/** Writes what was typed as days are written. */
	tidy(): void {
		this.fromText = this.choice.from ?? this.fromText;
		this.toText = this.choice.to ?? this.toText;
	}

	/** Shows the month of a day, if the calendar goes so far. */
	show(day: string | undefined): void {
		const month = day === undefined ? undefined : monthOf(day);
		if (month !== undefined && month >= this.bounds[0] && month <= this.bounds[1]) this.month = month;
	}

	/** What is wrong with the two inputs. */
	mistakes(): { from: Mistake | undefined; to: Mistake | undefined } {
		const of = (text: string, day: string | undefined): Mistake | undefined =>
			day !== undefined ? undefined : text.trim() === '' ? 'none' : 'not_a_day';
		return { from: of(this.fromText, this.choice.from), to: of(this.toText, this.choice.to) };
	}

	/** Reserves what is chosen. */
	async send(): Promise<void> {
		const { from, to } = this.choice;
		if (this.isSending || from === undefined || to === undefined) return;
		this.isSending = true;
		this.failure = undefined;
		try {
			const body = { starts_on: from, ends_on: to, accessible: this.accessible };
			this.done = await once(
				`reserve:${this.bankId}:${from}:${to}:${this.accessible}`,
				(key) =>
					ask(
						api.POST('/api/v1/banks/{bank_id}/reservations', {
							params: { path: { bank_id: this.bankId }, header: { 'Idempotency-Key': key } },
							body
						})
					),
				() => (this.isInDoubt = true)
			);
			this.fromText = '';
			this.toText = '';
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.failure = error;
		} finally {
			this.isSending = false;
			this.isInDoubt = false;
		}
		// Done or refused: the days are other than they were thought to be.
		await Promise.all([this.calendar.look(), mine.look()]);
	}
}
