/** How a request can fail: the server refused it, or nobody knows what became of it. */
import type { components } from './schema';

/** The document that a refusal is (RFC 9457), with the data that some carry (docs/ref/problems.md). */
export type Problem = components['schemas']['Problem'] & Record<string, unknown>;

/** The server understood and refused; nothing was changed. */
export class Refusal extends Error {
	readonly code: string;
	/** How long to wait before the next try, in ms, if the server said so. */
	readonly retryAfterMs: number | undefined;

	constructor(
		readonly status: number,
		readonly problem: Problem
	) {
		super(problem.detail);
		this.name = 'Refusal';
		this.code = problem.code;
		this.retryAfterMs = numberOf(problem['retry_after_ms']);
	}

	/** Whether it is about the server's state alone: it says nothing of what became of an earlier try. */
	get isPassing(): boolean {
		return this.status === 429 || this.status >= 500;
	}

	/** A number that the refusal carries. */
	number(field: string): number | undefined {
		return numberOf(this.problem[field]);
	}

	/** A text that the refusal carries. */
	text(field: string): string | undefined {
		const value = this.problem[field];
		return typeof value === 'string' ? value : undefined;
	}
}

/** No answer came: the request may have been carried out or not. */
export class Unreachable extends Error {
	constructor(cause?: unknown) {
		super('the server did not answer', { cause });
		this.name = 'Unreachable';
	}
}

/** Reads a refusal from what came back; a proxy before the server may send anything. */
export function refusal(response: Response, body: unknown): Refusal {
	const known = typeof body === 'object' && body !== null && 'code' in body;
	const after = Number(response.headers.get('retry-after'));
	const problem = (known ? { ...body } : { code: 'internal', detail: '' }) as Problem;
	if (problem['retry_after_ms'] === undefined && after > 0) problem['retry_after_ms'] = after * 1000;
	return new Refusal(response.status, problem);
}

function numberOf(value: unknown): number | undefined {
	return typeof value === 'number' ? value : undefined;
}
