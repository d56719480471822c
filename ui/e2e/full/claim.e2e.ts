/** The rush as a page sees it: before the window, a hold that ends, an answer that is lost. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bank as words } from '../../src/lib/i18n/bank.ko';
import { Caller } from '../api';
import { Site } from '../site';

let site: Site;
let admin: Caller;

beforeAll(async () => {
	site = await Site.start();
	admin = await Caller.logIn(site.url, site.told.accounts['admin']);
});
afterAll(() => site.stop());

const locker = (number: string): string => `[role=gridcell][aria-label*="${number}"]`;
/** Wrong on purpose: seven minutes before the server. */
const WRONG_MS = 7 * 60_000;

test('a window opens in view, by the clock of the server, without a reload', async () => {
	const { terms } = await admin.ask<{ terms: { term_id: number }[] }>('GET', '/terms');
	const term = terms[0]?.term_id;
	const opens = Date.now() + 12_000;
	await admin.ask('PATCH', `/terms/${term}`, { opens_at: new Date(opens).toISOString() });
	const visitor = await site.visitor();
	const { page } = visitor;
	await page.addInitScript((wrong) => {
		const now = Date.now.bind(Date);
		Date.now = () => now() - wrong;
	}, WRONG_MS);
	let loads = 0;
	page.on('load', () => (loads += 1));
	await visitor.logIn(site.told.accounts['student'], '/b/1');
	await page.getByText(words.window.countdown('').trim(), { exact: false }).first().waitFor();
	const before = loads;
	await page.getByText('신청을 받고 있습니다').first().waitFor({ timeout: 20_000 });
	const late = Date.now() - opens;
	expect(late).toBeGreaterThan(-1000);
	expect(late).toBeLessThan(4000);
	expect(loads).toBe(before);
	await page.locator(locker('101')).click();
	await page.getByRole('button', { name: words.sheet.hold('101') }).click();
	await page.waitForURL('**/b/1/hold');
	await page.getByRole('button', { name: words.hold.release }).click();
	await page.waitForURL('**/b/1');
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('a hold that ends in view says so, and the locker is free for others', async () => {
	const policy = await admin.ask('GET', '/banks/2/policy');
	await admin.ask('PUT', '/banks/2/policy', { ...policy, hold_seconds: 10 });
	const visitor = await site.visitor();
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['student'], '/b/2');
	const cell = page.locator('[role=gridcell]').first();
	await cell.click();
	await page.getByRole('button', { name: /이 칸 잡기|잡기/ }).last().click();
	await page.waitForURL('**/b/2/hold');
	await page.getByText('시간이 지나', { exact: false }).first().waitFor({ timeout: 20_000 });
	// The server notices on its own clock, and writes it down a moment later.
	const live = async () => (await admin.ask<{ rentals: unknown[] }>('GET', '/rentals?state=live&bank_id=2')).rentals;
	await expect.poll(live, { timeout: 5000 }).toEqual([]);
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('a confirmation whose answer is lost is made once, and a reload shows it', async () => {
	const visitor = await site.visitor();
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['staff'], '/b/4');
	await page.locator(locker('301')).click();
	await page.getByRole('button', { name: words.sheet.hold('301') }).click();
	await page.waitForURL('**/b/4/hold');
	let sent = 0;
	await page.route('**/confirm', async (route) => {
		sent += 1;
		// It arrives, and is carried out; only the answer does not come back.
		if (sent === 1) await route.fetch();
		// The page may have been left meanwhile.
		await route.abort().catch(() => undefined);
	});
	await page.getByRole('button', { name: words.hold.confirm }).click();
	await expect.poll(() => sent, { timeout: 10_000 }).toBeGreaterThan(0);
	await page.unroute('**/confirm');
	await page.reload();
	await page.getByText('301').first().waitFor();
	await expect
		.poll(
			async () =>
				(await admin.ask<{ rentals: { state: string }[] }>('GET', '/rentals?state=live&bank_id=4')).rentals.map(
					({ state }) => state
				),
			{ timeout: 10_000 }
		)
		.toEqual(['active']);
	await page.goto('/my');
	await page.getByText('301', { exact: false }).first().waitFor();
	await visitor.leave();
});

test('logged out everywhere: the other page leaves within two seconds', async () => {
	const [here, there] = [await site.visitor(), await site.visitor()];
	await here.logIn(site.told.accounts['student'], '/me/sessions');
	await there.logIn(site.told.accounts['student'], '/my');
	await there.page.waitForLoadState('networkidle');
	const caller = await Caller.logIn(site.url, site.told.accounts['student']);
	const began = Date.now();
	await caller.ask('POST', '/auth/logout-everywhere', { keep_this: true });
	await there.page.waitForURL('**/login**', { timeout: 5000 });
	expect(Date.now() - began).toBeLessThan(2000);
	await here.leave();
	await there.leave();
});
