/** What went wrong, in the language of the page. */
import { Refusal, type Unreachable } from './api/problem';
import { texts } from './i18n/texts.svelte';

/** One text for each refusal; for a code that this version does not know, what the server said and the code. */
export function failureText(failure: Refusal | Unreachable): string {
	if (!(failure instanceof Refusal)) return texts.common.unreachable;
	const known = texts.problems[failure.code];
	if (known === undefined) return texts.common.unknownProblem(failure.problem.detail, failure.code);
	return typeof known === 'string' ? known : known(failure, texts.format);
}
