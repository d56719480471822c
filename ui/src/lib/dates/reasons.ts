/** Reads from a refusal which of the calendar's own reasons it is. */
import type { Refusal } from '../api/problem';
import type { Reason } from './month';

/** Why days were refused, if it is one of the reasons that the calendar itself knows. */
export function reasonOf({ code, problem }: Pick<Refusal, 'code' | 'problem'>): Reason | undefined {
	const text = (field: string): string | undefined =>
		typeof problem[field] === 'string' ? problem[field] : undefined;
	const full = problem['full_days'];
	if (code === 'day_full' && Array.isArray(full) && typeof full[0] === 'string') return { kind: 'full', day: full[0] };
	if (code !== 'dates_refused') return undefined;
	const [first, last, shut, most] = [
		text('first_start_on'),
		text('last_start_on'),
		text('closed_on'),
		problem['days_max']
	];
	if (problem['reason'] === 'too_early' && first) return { kind: 'early', first };
	if (problem['reason'] === 'too_far' && last) return { kind: 'far', last };
	if (problem['reason'] === 'closed' && shut) return { kind: 'closed', day: shut };
	if (problem['reason'] === 'too_long' && typeof most === 'number') return { kind: 'most', most };
	return undefined;
}
