/** Words for alarms and their places that several parts of the board need. */
import type { LiveAlarm } from '../alarms.svelte';
import { banks } from '../banks.svelte';
import { texts } from '../../i18n/texts.svelte';

export const kindOf = (alarm: Pick<LiveAlarm, 'kind'>): string =>
	texts.board.alarms.kinds[alarm.kind] ?? texts.board.alarms.other;

/** Where it is: `정보관 2층 · 사물함 101번 칸`, a board, a port. */
export function whereOf(alarm: LiveAlarm): string {
	const bank = banks.find(alarm.bank_id);
	const place = bank ? texts.name(bank.location) : '';
	if (alarm.locker_id !== null) return texts.common.place(place, texts.common.locker(alarm.locker_id)).trim();
	if (alarm.bus === null) return bank ? banks.nameOf(bank) : '';
	return alarm.board === null ? texts.board.alarms.bus(alarm.bus) : texts.board.alarms.board(alarm.bus, alarm.board);
}
