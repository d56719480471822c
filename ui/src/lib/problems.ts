/** What went wrong, in the language of the page, and where to go from there. */
import { Refusal, type Unreachable } from './api/problem';
import { Told, type ProblemText } from './i18n/problems.data';
import { texts } from './i18n/texts.svelte';

/** One text for each refusal; for a code that this version does not know, what the server said and the code. */
export function failureText(failure: Refusal | Unreachable): string {
	if (!(failure instanceof Refusal)) return texts.common.unreachable;
	const known = (texts.problems as Record<string, ProblemText | undefined>)[failure.code];
	if (known === undefined) return texts.common.unknownProblem(failure.problem.detail, failure.code);
	return typeof known === 'string' ? known : known(new Told(failure.problem, texts.format));
}

/** Refusals that only people at the desk can help with. */
const FOR_STAFF = ['account_disabled', 'registration_closed', 'mail_off', 'student_id_taken', 'phone_taken'];

/** Whether the way on leads to staff: a page then shows where they can be called. */
export function needsStaff(failure: Refusal | Unreachable): boolean {
	return failure instanceof Refusal && FOR_STAFF.includes(failure.code);
}
