/** The audit log with its filters in the page's address: whoever searched can send the link. */
import { api, ask, type Schemas } from '../../api/client';
import { texts } from '../../i18n/texts.svelte';
import { Filters } from '../filters.svelte';
import { pageAt, Paged } from '../paged.svelte';
import { queryOf, type AuditFilter } from './audit-query';

export type AuditRow = Schemas['AuditRowReply'];
export class AuditLog extends Paged<AuditRow> {
	constructor(readonly filters: Filters<AuditFilter>) {
		super(async (cursor) => {
			const { actor, ...rest } = queryOf(filters.query, texts.zone);
			const query = { ...rest, ...(actor === undefined ? {} : { actor: Number(actor) }), ...pageAt(cursor) };
			const { rows, next_cursor: next } = await ask(api.GET('/api/v1/audit', { params: { query } }));
			return { rows, next };
		});
	}
}

/**
 * The number of the member with a student id.
 * @returns nothing when nobody has it.
 */
export async function memberOf(studentId: string): Promise<number | undefined> {
	const query = { student_id: studentId };
	const { members } = await ask(api.GET('/api/v1/members', { params: { query } }));
	return members[0]?.member_id;
}
