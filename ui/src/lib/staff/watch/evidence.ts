/**
 * What was seen, as facts that people read one under the other (docs/guide/alarms.md has the shapes). A shape that
 * this version does not know gives no facts, and the page says so.
 */

/** One thing that was seen. */
export type Fact =
	| { key: 'lastClosed' | 'seenOpen' | 'foundOpen' | 'openSince' | 'together' | 'silentSince'; at: string }
	| { key: 'limit'; ms: number }
	| { key: 'noOpening' }
	| { key: 'openingBefore'; operation: string }
	| { key: 'didNotMove'; operations: string[] }
	| { key: 'chatter'; edges: number; ms: number }
	| { key: 'doors'; lockers: number[] }
	| { key: 'silences'; kinds: string[] }
	| { key: 'reason'; text: string }
	| { key: 'asked'; at: string; reason: string | undefined; locker: number | undefined; operation: string | undefined; kiosk: number | undefined };

type Given = Record<string, unknown>;

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const number = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.filter((it) => typeof it === 'string') : []);
const numbers = (value: unknown): number[] => (Array.isArray(value) ? value.filter((it) => typeof it === 'number') : []);

/** The facts of an alarm's evidence, in the order in which they happened. */
export function factsOf(evidence: unknown): Fact[] {
	const given = (evidence ?? {}) as Given;
	const facts: Fact[] = [];
	const at = (key: 'lastClosed' | 'seenOpen' | 'foundOpen' | 'openSince' | 'together' | 'silentSince', field: string): void => {
		const when = text(given[field]);
		if (when !== undefined) facts.push({ key, at: when });
	};
	const silences = (): void => {
		const kinds = texts(given['silences']);
		if (kinds.length > 0) facts.push({ key: 'silences', kinds });
	};
	switch (given['seen']) {
		case 'door_opened': {
			at('lastClosed', 'last_seen_closed');
			at('seenOpen', 'seen_open');
			const operation = text(given['last_opening']);
			facts.push(operation === undefined ? { key: 'noOpening' } : { key: 'openingBefore', operation });
			break;
		}
		case 'found_open':
			at('lastClosed', 'last_seen_closed');
			at('foundOpen', 'found_open');
			break;
		case 'stands_open':
			at('openSince', 'open_since');
			facts.push({ key: 'limit', ms: number(given['limit_ms']) ?? 0 });
			break;
		case 'door_did_not_move':
			facts.push({ key: 'didNotMove', operations: texts(given['openings']) });
			break;
		case 'chatter':
			facts.push({ key: 'chatter', edges: number(given['edges']) ?? 0, ms: number(given['window_ms']) ?? 0 });
			silences();
			break;
		case 'opened_together':
			at('together', 'at');
			facts.push({ key: 'doors', lockers: numbers(given['lockers']) });
			silences();
			break;
		case 'no_answer': {
			at('silentSince', 'since');
			const reason = text(given['reason']);
			if (reason !== undefined) facts.push({ key: 'reason', text: reason });
			break;
		}
		case 'asked_for_help':
			for (const request of Array.isArray(given['requests']) ? (given['requests'] as Given[]) : []) {
				facts.push({
					key: 'asked',
					at: text(request['at']) ?? '',
					reason: text(request['reason']),
					locker: number(request['locker_id']),
					operation: text(request['operation_id']),
					kiosk: number(request['kiosk_id'])
				});
			}
			break;
	}
	return facts;
}

/** The fact that says most in a narrow place. */
export function mainFact(evidence: unknown): Fact | undefined {
	const facts = factsOf(evidence);
	const main: Fact['key'][] = ['seenOpen', 'foundOpen', 'openSince', 'didNotMove', 'chatter', 'doors', 'silentSince'];
	return facts.find(({ key }) => main.includes(key)) ?? facts.findLast(({ key }) => key === 'asked');
}
