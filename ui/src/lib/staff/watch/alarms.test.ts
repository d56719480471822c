import { expect, it, vi } from 'vitest';

const liveAlarms = { all: [] as { alarm_id: number }[], open: [] as object[] };
let answer = (_: object): void => {};
vi.mock('../../api/client', () => ({
	api: { GET: () => new Promise((resolve) => (answer = resolve)) },
	ask: (asked: Promise<unknown>) => asked
}));
vi.mock('../alarms.svelte', () => ({ liveAlarms }));
vi.mock('../../i18n/texts.svelte', () => ({ texts: { zone: 'Asia/Seoul' } }));
const { AlarmList } = await import('./alarms.svelte');

const alarm = (alarm_id: number) => ({ alarm_id, kind: 'jammed', severity: 'warning', state: 'live', bank_id: 1, locker_id: 1 });
const tell = (...ids: number[]): void => {
	liveAlarms.all = ids.map(alarm);
	liveAlarms.open = liveAlarms.all;
};

it('an alarm that begins while the list is on its way is told as new', async () => {
	tell(1, 2);
	const list = new AlarmList({ tab: 'open', kind: '', severity: '', bank: '', locker: '', from: '', to: '' });
	const loading = list.load();
	tell(1, 2, 3);
	answer({ alarms: [alarm(2), alarm(1)] });
	await loading;
	expect(list.fresh.map(({ alarm_id }) => alarm_id)).toEqual([3]);
});

it('what the socket tells only after the list came is not new', async () => {
	tell();
	const list = new AlarmList({ tab: 'open', kind: '', severity: '', bank: '', locker: '', from: '', to: '' });
	const loading = list.load();
	answer({ alarms: [alarm(60)] });
	await loading;
	// Older ones stand on further pages.
	tell(1, 60);
	expect(list.fresh).toEqual([]);
});
