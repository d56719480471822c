/** What the audit log is asked with. */
import { isDay } from '../../format';
import { beginOf, endOf } from '../days';

export type AuditFilter = 'actor' | 'action' | 'subject' | 'from' | 'to';

/** Filters as the server wants them: days of the site become instants, the last day is included. */
export function queryOf(set: Partial<Record<AuditFilter, string>>, zone: string): Record<string, string> {
	const { from, to, ...rest } = set;
	return {
		...rest,
		...(from && isDay(from) ? { from: beginOf(from, zone) } : {}),
		...(to && isDay(to) ? { to: endOf(to, zone) } : {})
	};
}
