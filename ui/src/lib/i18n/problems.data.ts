/**
 * The data of a refusal as a text needs it (docs/ref/problems.md). Whatever is missing or is not what it should
 * be is `undefined`: the text then does without it.
 */
import { isDay, type Format } from '../format';

/** A text for a refusal; a function where it tells what the refusal carries. */
export type ProblemText = string | ((told: Told) => string);

export class Told {
	constructor(
		private readonly data: Record<string, unknown>,
		readonly format: Format
	) {}

	/** What the server itself says of it, in English. */
	get detail(): string | undefined {
		return this.text('detail');
	}

	/** How long to wait before the next try, in ms. */
	get waitMs(): number | undefined {
		return this.number('retry_after_ms');
	}

	/** The same in words: `4분 30초`. */
	get wait(): string | undefined {
		return this.length('retry_after_ms');
	}

	text(field: string): string | undefined {
		const value = this.data[field];
		return typeof value === 'string' && value !== '' ? value : undefined;
	}

	number(field: string): number | undefined {
		const value = this.data[field];
		return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
	}

	/** A length of so many ms, in words. */
	length(field: string): string | undefined {
		const ms = this.number(field);
		return ms === undefined ? undefined : this.format.length(ms);
	}

	/** A day, in words; the first of these fields that has one. */
	day(...fields: string[]): string | undefined {
		const found = fields.map((field) => this.#day(field)).find((day) => day !== undefined);
		return found === undefined ? undefined : this.format.day(found);
	}

	/** Several days, in words. */
	days(field: string): string | undefined {
		const value = this.data[field];
		const days = Array.isArray(value) ? value.filter((day) => typeof day === 'string' && isDay(day)) : [];
		return days.length > 0 ? days.map((day) => this.format.day(day as string)).join(', ') : undefined;
	}

	/** The first and last day, in words. */
	get range(): string | undefined {
		const [from, to] = [this.#day('starts_on'), this.#day('ends_on')];
		return from === undefined || to === undefined ? undefined : this.format.range(from, to);
	}

	/** Whether a day is still to come at the site. */
	isAhead(field: string): boolean {
		const day = this.#day(field);
		return day !== undefined && day > this.format.today();
	}

	/** A day and time, in words. */
	instant(field: string): string | undefined {
		const at = Date.parse(this.text(field) ?? '');
		return Number.isNaN(at) ? undefined : this.format.instant(at);
	}

	/** What the refusal carries under a name of its own, like `window`. */
	inside(field: string): Told {
		const value = this.data[field];
		const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
		return new Told(isRecord ? (value as Record<string, unknown>) : {}, this.format);
	}

	#day(field: string): string | undefined {
		const value = this.text(field);
		return value !== undefined && isDay(value) ? value : undefined;
	}
}
