/** Which mark stands before a word of state. */
export type Mark = 'good' | 'careful' | 'bad' | 'idle' | 'now';

const GOOD = ['ok', 'online', 'done', 'sent', 'alone', 'proven'];
const BAD = ['degraded', 'offline', 'silent', 'failed', 'dead'];
const CAREFUL = ['due', 'suspected', 'unsteady', 'mend'];

/** The mark of a state by its name in the API. */
export function markOf(state: string): Mark {
	if (GOOD.includes(state)) return 'good';
	if (BAD.includes(state)) return 'bad';
	return CAREFUL.includes(state) ? 'careful' : 'idle';
}
