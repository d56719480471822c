/** A database that nobody can write to, in view: doors open, changes say why they wait, and it heals by itself. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bank } from '../../src/lib/i18n/bank.ko';
import { common } from '../../src/lib/i18n/common.ko';
import { student } from '../../src/lib/i18n/student.ko';
import { hold } from '../database';
import { Desk } from '../desk';
import { Renter } from '../renter';
import { Site } from '../site';

let folder: string;
let site: Site;
let desk: Desk;
let letGo: (() => Promise<void>) | undefined;

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'lockerd-e2e-'));
	site = await Site.start('--data', folder);
	desk = await Desk.of(site);
});
afterAll(async () => {
	await letGo?.();
	await site.stop();
	await rm(folder, { recursive: true, force: true });
});

const locker = (number: string): string => `[role=gridcell][aria-label*="${number}"]`;

test('while the database fails doors open and claims explain themselves; it heals without a reload', async () => {
	const renter = await Renter.of(site, desk, 601);
	const claimer = await site.visitor();
	const { page } = claimer;
	await claimer.logIn(site.told.accounts['staff'], '/b/4');
	await page.locator(locker('302')).click();
	const take = page.getByRole('button', { name: bank.sheet.hold('302') });
	await take.waitFor();
	let loads = 0;
	for (const each of [page, renter.page]) each.on('load', () => (loads += 1));

	// Nobody knows before somebody tries: that one is told why.
	letGo = await hold(join(folder, 'lockerd.db'));
	await take.click();
	await take.and(page.locator('[aria-disabled]')).waitFor();
	for (const each of [page, renter.page]) {
		await each.getByRole('status').filter({ hasText: common.degraded }).first().waitFor();
	}
	// From then on the button itself says why, and sends nothing.
	const off = page.getByRole('button', { name: bank.sheet.hold('302'), disabled: true });
	await off.waitFor();
	let sent = 0;
	page.on('request', (request) => (sent += request.method() === 'POST' ? 1 : 0));
	await off.click({ force: true });
	expect(sent).toBe(0);
	expect(await page.locator(`${locker('302')}[aria-label*="${bank.states.free}"]`).count()).toBe(1);

	// What is inside can be fetched; giving back waits.
	await renter.open();
	await renter.step(student.steps.opened('601')).waitFor();
	await site.door('bus2', 1, 4, 'close');
	await renter.page.getByRole('link', { name: student.open.toReturn, exact: true }).click();
	await renter.page.waitForURL('**/my/return**');
	await renter.page.getByRole('checkbox').check();
	await renter.page.getByRole('button', { name: student.giveBack.button, exact: true, disabled: true }).waitFor();

	await letGo?.();
	for (const each of [page, renter.page]) {
		await expect.poll(() => each.getByText(common.degraded).count(), { timeout: 30_000 }).toBe(0);
	}
	expect(loads).toBe(0);
	await page.getByRole('button', { name: bank.sheet.hold('302'), disabled: false }).click();
	await page.waitForURL('**/b/4/hold');
	await page.getByRole('button', { name: bank.hold.release }).click();
	await renter.page.getByRole('button', { name: student.giveBack.button, exact: true, disabled: false }).click();
	await renter.page.getByText(student.giveBack.done).waitFor();
	expect(loads).toBe(0);
	expect([...claimer.complaints, ...renter.visitor.complaints]).toEqual([]);
	await claimer.leave();
	await renter.leave();
});
