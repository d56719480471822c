/** What a demonstration does not have: a clock that is not trusted, and doors that no sensor shows. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bank as words } from '../../src/lib/i18n/bank.ko';
import { student } from '../../src/lib/i18n/student.ko';
import { Caller } from '../api';
import { Boards } from '../boards';
import { Desk } from '../desk';
import { OwnSite } from '../own';
import { Renter } from '../renter';
import type { Site } from '../site';

let own: OwnSite;
let site: Site;
let desk: Desk;
let boards: Boards;
const { steps, code } = student;

beforeAll(async () => {
	own = await OwnSite.start();
	site = own.site;
	desk = await Desk.of(site);
	boards = new Boards(site);
});
afterAll(() => own?.stop());

const trusted = async (): Promise<boolean> => {
	const health = (await (await fetch(`${site.url}/api/v1/health`)).json()) as { clock: { trusted: boolean } };
	return health.clock.trusted;
};

test('a clock that nobody vouches for keeps the window shut and says so; it opens in view', async () => {
	expect(await trusted()).toBe(false);
	const visitor = await site.visitor();
	const { page } = visitor;
	let loads = 0;
	await visitor.logIn(site.told.accounts['student'], '/b/1');
	await page.getByText(words.window.clock_untrusted).first().waitFor();
	await page.locator('[role=gridcell]').first().click();
	const hold = words.sheet.hold('101');
	await page.getByRole('button', { name: hold, disabled: true }).waitFor();
	page.on('load', () => (loads += 1));
	await own.vouch(true);
	await page.getByRole('button', { name: hold, disabled: false }).waitFor({ timeout: 60_000 });
	await expect.poll(() => page.getByText(words.window.clock_untrusted).count()).toBe(0);
	await page.getByRole('button', { name: hold, disabled: false }).click();
	await page.waitForURL('**/b/1/hold');
	await page.getByRole('button', { name: words.hold.release }).click();
	await page.waitForURL('**/b/1');
	expect(loads).toBe(0);
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('the digits of the screen open also while the clock is not trusted', async () => {
	await expect.poll(trusted, { timeout: 60_000 }).toBe(true);
	const admin = await Caller.logIn(site.url, site.told.accounts['admin']);
	await admin.ask('PUT', '/banks/1/opening', { open_from: 'presence' });
	const kiosk = await site.visitor();
	await desk.pair(kiosk, '벽', [1]);
	const renter = await Renter.of(site, desk, 101);
	await own.vouch(false);
	await expect.poll(trusted, { timeout: 60_000 }).toBe(false);
	await renter.open();
	const shown = await kiosk.context.request.get('/api/v1/kiosk/presence', { headers: { 'X-Lockerd': '1' } });
	const { banks } = (await shown.json()) as { banks: { code: string }[] };
	await renter.page.getByLabel(code.label).fill(banks[0]?.code ?? '');
	await renter.page.getByLabel(code.label).press('Enter');
	await renter.step(steps.opened('101')).waitFor();
	await own.vouch(true);
	await expect.poll(trusted, { timeout: 60_000 }).toBe(true);
	expect(renter.visitor.complaints).toEqual([]);
	await renter.leave();
	await kiosk.leave();
});

test('without a sensor nothing is said of the door: not that it opened, not that it closed', async () => {
	const renter = await Renter.of(site, desk, 201);
	const { page } = renter;
	const lock = { bus: 'east', board: 2, lock: 1 };
	await page.getByText(student.card.doorUnknown).waitFor();
	await renter.open();
	await renter.step(steps.unseen).waitFor();
	expect(await renter.hasSaid(steps.opened('201'))).toBe(false);
	expect(await boards.pulses(lock)).toBe(1);
	await page.reload();
	await renter.step(steps.unseen).waitFor();

	// The word of the renter counts, and each opening makes it void.
	await page.goto('/my/return?locker=201');
	await page.getByRole('checkbox').check();
	await page.getByRole('button', { name: student.giveBack.button, exact: true }).click();
	await page.getByText(student.giveBack.done).waitFor();
	await boards.rest(lock);
	await renter.button(student.giveBack.reopen).click();
	await renter.step(steps.unseen).waitFor();
	expect(await boards.pulses(lock)).toBe(2);
	await page.goto('/my/return?locker=201');
	await page.getByText(student.waits.confirmation).waitFor();
	await renter.button(student.giveBack.emptiedButton).click();
	await page.getByText(student.giveBack.done).waitFor();
	expect(renter.visitor.complaints).toEqual([]);
	await renter.leave();
});
