/** What the audit log is asked with. */
import { addDays, isDay } from '../../format';
import { rfcOf } from './days';

export type AuditFilter = 'actor' | 'action' | 'subject' | 'from' | 'to';

/** Filters as the server wants them: days of the site become instants, the last day is included. */
export function queryOf(set: Partial<Record<AuditFilter, string>>, zone: string): Record<string, string> {
	const { from, to, ...rest } = set;
	return {
		...rest,
		...(from && isDay(from) ? { from: rfcOf(from, '00:00', zone) } : {}),
		...(to && isDay(to) ? { to: rfcOf(addDays(to, 1), '00:00', zone) } : {})
	};
}
