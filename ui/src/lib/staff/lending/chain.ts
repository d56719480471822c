/** The chain of an overdue case: where it stands, the one next step, and what somebody else did meanwhile. */
import type { Schemas } from '../../api/client';
import { addDays } from '../../format';

export type OverdueCase = Schemas['OverdueCaseReply'];
export type CaseDetail = Schemas['CaseDetailReply'];
export type CaseStep = Schemas['CaseStepReply'];

/** The steps of the chain in their order. */
export const CHAIN = ['detected', 'sealed', 'collected', 'handed_back'] as const;

/** What is to be done next; `return`: the renter gave it back, only the look inside is missing. */
export type NextStep = 'seal' | 'collect' | 'handBack' | 'return' | 'none';

export function nextOf(it: Pick<OverdueCase, 'state' | 'returning'>): NextStep {
	if (it.state === 'detected' || it.state === 'sealed') {
		if (it.returning) return 'return';
		return it.state === 'detected' ? 'seal' : 'collect';
	}
	return it.state === 'collected' ? 'handBack' : 'none';
}

/** How far it came: the place in the chain; one that left the chain has none. */
export function placeOf(state: string): number {
	return (CHAIN as readonly string[]).indexOf(state);
}

/** Which further steps there are beside the next one. */
export function othersOf(state: string): ('unseal' | 'drop')[] {
	if (state === 'sealed') return ['unseal', 'drop'];
	return state === 'detected' || state === 'collected' ? ['drop'] : [];
}

/** The word of a step: back to `detected` after the first one is a seal that was lifted. */
export function wordOf(steps: readonly Pick<CaseStep, 'state'>[], at: number): string {
	const state = steps[at]?.state ?? '';
	return state === 'detected' && at > 0 ? 'unsealed' : state;
}

/** On which day the rule of the bank seals it, as far as that is still to come. */
export function sealsOn(
	it: Pick<CaseDetail, 'state' | 'ended_on' | 'steps'>,
	afterDays: number | null | undefined,
	today: string
): string | undefined {
	// What staff have unsealed is not sealed by itself any more.
	if (it.state !== 'detected' || !afterDays || it.steps.length > 1) return undefined;
	const day = addDays(it.ended_on, afterDays);
	return day >= today ? day : undefined;
}

/** What was done since somebody last looked: the newest step, when it is not their own. */
export function newStep(before: CaseDetail | undefined, after: CaseDetail): number | undefined {
	if (!before || before.case_id !== after.case_id || after.steps.length <= before.steps.length) return undefined;
	return after.steps.length - 1;
}
