/** A door that opened with nobody asking: what its renter is told and answers, and what staff see of the answer. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { student } from '../../src/lib/i18n/student.ko';
import { watch } from '../../src/lib/i18n/watch.ko';
import { Caller } from '../api';
import { Boards } from '../boards';
import { Desk } from '../desk';
import { Renter } from '../renter';
import { Site } from '../site';

let site: Site;
let desk: Desk;
let boards: Boards;
const { warnings: words } = student;

beforeAll(async () => {
	site = await Site.start();
	desk = await Desk.of(site);
	boards = new Boards(site);
});
afterAll(() => site.stop());

interface Alarms {
	alarms: { alarm_id: number; kind: string; locker_id: number }[];
}

/** The newest alarm of a kind at a locker, as staff know it. */
async function alarmOf(staff: Caller, kind: string, locker: number): Promise<number> {
	const { alarms } = await staff.ask<Alarms>('GET', `/alarms?kind=${kind}&locker_id=${locker}&state=all`);
	return alarms[0]?.alarm_id ?? Number.NaN;
}

test('a forced door: the renter says that it was them, and staff read it without a reload', async () => {
	const renter = await Renter.of(site, desk, 601);
	const { page } = renter;
	await page.getByText(student.card.doors['closed'] ?? '', { exact: true }).first().waitFor();
	await boards.door({ bus: 'bus2', board: 1, lock: 4 }, 'open');
	const banner = page.getByRole('alert').filter({ hasText: '요청 없이 열렸습니다.' });
	await banner.waitFor();
	expect(await banner.innerText()).toMatch(/^601번 칸 문이 .*\d{1,2}:\d{2}에 요청 없이 열렸습니다\. 직접 연 것이 아니면 알려 주세요\./);
	// It stays until somebody has answered, also when the door is closed again; and it stands on the front page.
	await boards.close({ bus: 'bus2', board: 1, lock: 4 });
	await page.getByText(student.card.doors['closed'] ?? '', { exact: true }).first().waitFor();
	await page.goto('/');
	await banner.waitFor();

	const staff = await site.visitor({ width: 1440, height: 900 });
	await staff.logIn(site.told.accounts['staff'], '/staff/alarms');
	const caller = await Caller.logIn(site.url, site.told.accounts['staff']);
	const alarm = await alarmOf(caller, 'forced_open', 601);
	await staff.page.goto(`/staff/alarms?alarm=${alarm}`);
	const claim = staff.page.getByText('“제가 열었습니다”라고 답했습니다', { exact: false });
	await staff.page.getByText(watch.alarms.renterTitle).first().waitFor();
	expect(await claim.count()).toBe(0);

	await banner.getByRole('button', { name: words.itWasMe }).click();
	await page.getByText(words.thanks).waitFor();
	await expect.poll(() => banner.count()).toBe(0);
	await claim.first().waitFor();
	await page.reload();
	await page.getByRole('heading', { level: 1 }).waitFor();
	await page.getByText('601번 칸', { exact: false }).first().waitFor();
	expect(await banner.count()).toBe(0);
	expect([...renter.visitor.complaints, ...staff.complaints]).toEqual([]);
	await staff.leave();
	await renter.leave();
});

test('a forced door that was not the renter: staff are told from the banner, and say that they have seen it', async () => {
	const renter = await Renter.of(site, desk, 501);
	const { page } = renter;
	await page.getByText(student.card.doors['closed'] ?? '', { exact: true }).first().waitFor();
	await boards.door({ bus: 'bus2', board: 1, lock: 1 }, 'open');
	const banner = page.getByRole('alert').filter({ hasText: '요청 없이 열렸습니다.' });
	await banner.getByRole('button', { name: words.tellStaff }).click();
	await banner.getByText('직원에게 알렸습니다.', { exact: false }).waitFor();
	// It was told once: a reload knows, and does not offer it again.
	await page.reload();
	await banner.getByText('직원에게 알렸습니다.', { exact: false }).waitFor();
	expect(await banner.getByRole('button', { name: words.tellStaff }).count()).toBe(0);
	const staff = await Caller.logIn(site.url, site.told.accounts['staff']);
	const call = await alarmOf(staff, 'help', 501);
	expect(call).not.toBeNaN();
	// Who has taken note of the alarm itself ends the question to the renter.
	await staff.ask('POST', `/alarms/${await alarmOf(staff, 'forced_open', 501)}/acknowledge`, { note: '가서 봅니다' });
	await expect.poll(() => banner.count()).toBe(0);
	expect(renter.visitor.complaints).toEqual([]);
	await renter.leave();
});
