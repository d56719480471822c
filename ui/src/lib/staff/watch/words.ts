/** Words for what the server says in names: kinds of alarms, places, evidence in a line. */
import type { Mark } from '../marks';
import { texts } from '../../i18n/texts.svelte';
import { banks } from '../banks.svelte';
import { mainFact, type Fact } from './evidence';

/** The kind in words; one that this version does not know keeps its name. */
export const kindOf = (kind: string): string => texts.watch.alarms.kinds[kind] ?? kind;

/** `과학도서관 6층 101번 칸`: the place as far as it is known. */
export function whereOf(bankId: number | null | undefined, locker: number | null | undefined): string {
	const bank = banks.find(bankId);
	const place = bank ? texts.name(bank.location) : undefined;
	if (locker === null || locker === undefined) return place ?? texts.watch.alarms.nowhere;
	const number = texts.common.locker(locker);
	return place === undefined ? number : texts.common.place(place, number);
}

/** What an alarm is about: a locker, a board or a port. */
export function subjectOf(alarm: { bank_id?: number | null; locker_id?: number | null; bus?: string | null; board?: number | null }): string {
	const words = texts.watch.alarms;
	if (alarm.bus && typeof alarm.board === 'number') return words.board(alarm.bus, alarm.board);
	if (alarm.bus) return words.bus(alarm.bus);
	return whereOf(alarm.bank_id, alarm.locker_id);
}

/** Why somebody called staff. */
export const reasonOf = (reason: string | undefined): string =>
	reason === undefined ? texts.watch.alarms.facts.askedNothing : (texts.watch.alarms.facts.asked[reason] ?? reason);

/** What was seen, in the width of a table's cell. */
export function seenInShort(evidence: unknown): string {
	const fact: Fact | undefined = mainFact(evidence);
	const { short } = texts.watch.alarms;
	const { format } = texts;
	switch (fact?.key) {
		case 'seenOpen':
		case 'foundOpen':
		case 'openSince':
		case 'silentSince':
			return short[fact.key](format.seconds(fact.at));
		case 'didNotMove':
			return short.didNotMove(fact.operations.length);
		case 'chatter':
			return short.chatter(format.count(fact.edges), format.length(fact.ms));
		case 'doors':
			return short.doors(fact.lockers.length);
		case 'asked':
			return short.asked(format.seconds(fact.at), reasonOf(fact.reason));
		default:
			return '';
	}
}

const TONES: Record<string, Mark> = { critical: 'bad', warning: 'careful' };

/** How urgent, as the tone of a mark. */
export const toneOf = (severity: string): Mark => TONES[severity] ?? 'idle';

/** How long ago something was; nothing where that would only be the date once more. */
export function agoOf(at: string): string | undefined {
	const ago = texts.format.ago(at);
	return ago === texts.format.instant(at) ? undefined : ago;
}
