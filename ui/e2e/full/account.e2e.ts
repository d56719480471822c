/** Accounts: how one begins, is lost and found, is made safer, and ends on one device or on all. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { account as words } from '../../src/lib/i18n/account.ko';
import { common } from '../../src/lib/i18n/common.ko';
import { Caller } from '../api';
import { codeMailed } from '../mailbox';
import { Site, type Visitor } from '../site';
import { siteSeconds, turn } from '../time';
import { totp } from '../totp';

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

const NEW = { id: '2026100001', password: 'violet kettle northern map' };
const ADDRESS = 'new.student@example.ac.kr';

const path = (visitor: Visitor): string => new URL(visitor.page.url()).pathname;

/** Types id and password where they are asked for. */
async function type({ page }: Visitor, who: { id: string; password: string }): Promise<void> {
	await page.locator('#id').fill(who.id);
	await page.locator('#password').fill(who.password);
	await page.locator('form button[type=submit]').click();
}

/** Sends once more after a wrong try: the server may want a second's patience first, and the page counts it down. */
async function sendAgain({ page }: Visitor, then: string): Promise<void> {
	const button = page.locator('form button[type=submit]');
	const arrives = page.waitForURL((url) => url.pathname === then);
	const waits = button.and(page.locator('[aria-disabled]:not([aria-busy])'));
	await button.click();
	const isTold = await Promise.race([arrives.then(() => false), waits.waitFor().then(() => true, () => false)]);
	if (isTold) {
		await button.and(page.locator(':not([aria-disabled])')).waitFor();
		await button.click();
	}
	await arrives;
}

test('somebody signs up with the code from the mail, and what was typed wrong is told at its field', async () => {
	const visitor = await site.visitor();
	const { page } = visitor;
	const next = page.getByRole('button', { name: common.next });
	await page.goto('/login');
	await page.getByRole('link', { name: common.signUp }).click();
	await page.waitForURL('**/signup');

	await next.click();
	await page.getByRole('alert').getByRole('link', { name: words.need.studentId }).click();
	expect(await page.evaluate(() => document.activeElement?.id)).toBe('id');
	expect(await page.title()).toContain(common.error);
	await page.locator('#id').fill(NEW.id);
	await page.locator('#name').fill('한새봄');
	await page.locator('#phone').fill('010-2600-0001');
	await next.click();
	await page.waitForURL('**/signup/mail');
	await page.locator('#email').fill(ADDRESS);
	await next.click();
	await page.waitForURL('**/signup/password');
	await page.locator('#password').fill(NEW.password);
	await page.locator('#consent').check();
	const code = await codeMailed(site, ADDRESS, () =>
		page.getByRole('button', { name: words.signUp.password.send }).click()
	);

	await page.waitForURL('**/signup/code');
	const finish = page.getByRole('button', { name: words.signUp.code.finish });
	await page.locator('#code').fill(code === '00000000' ? '11111111' : '00000000');
	await finish.click();
	await page.locator('#code[aria-invalid=true]').waitFor();
	await page.locator('#code').fill(code);
	await finish.click();
	await page.waitForURL((url) => url.pathname === '/');
	await page.getByRole('link', { name: common.nav.my }).waitFor();

	// The password is nowhere but in what the person remembers.
	const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
	expect(kept).not.toContain(NEW.password);
	const me = await (await Caller.logIn(site.url, NEW)).ask<{ name: string }>('GET', '/auth/me');
	expect(me.name).toBe('한새봄');
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('a forgotten password is set anew by mail, and the old one and its log-ins end', async () => {
	const [visitor, elsewhere] = [await site.visitor(), await site.visitor()];
	await elsewhere.logIn(NEW, '/my');
	await elsewhere.page.getByText(common.live, { exact: true }).waitFor();
	const { page } = visitor;
	await page.goto('/login');
	await page.getByRole('link', { name: words.logIn.forgot }).click();
	await page.waitForURL('**/password');
	await page.locator('#id').fill(NEW.id);
	const code = await codeMailed(site, ADDRESS, () => page.getByRole('button', { name: words.forgot.send }).click());
	await page.waitForURL('**/password/new');
	await page.locator('#code').fill(code);
	// Too short, and then one that a password must not be.
	for (const weak of ['short', NEW.id]) {
		await page.locator('#password').fill(weak);
		await page.getByRole('button', { name: words.forgot.set }).click();
		await page.locator('#password[aria-invalid=true]').waitFor();
	}
	const old = { ...NEW };
	NEW.password = 'seven quiet paper boats';
	await page.locator('#password').fill(NEW.password);
	await page.getByRole('button', { name: words.forgot.set }).click();
	await page.waitForURL('**/login?said=password');
	await page.getByText(words.logIn.passwordSet).waitFor();
	await elsewhere.page.waitForURL('**/login?back=%2Fmy');
	await elsewhere.page.getByText(words.logIn.ended).waitFor();

	await type(visitor, old);
	await page.getByRole('alert').waitFor();
	expect(path(visitor)).toBe('/login');
	await page.locator('#id').fill(NEW.id);
	await page.locator('#password').fill(NEW.password);
	await sendAgain(visitor, '/');
	// The other browser goes on where it was.
	await type(elsewhere, NEW);
	await elsewhere.page.waitForURL('**/my');
	expect([...visitor.complaints, ...elsewhere.complaints]).toEqual([]);
	await visitor.leave();
	await elsewhere.leave();
});

test('an authenticator app is set up, asked for at the log-in, and replaced by a recovery code', async () => {
	const visitor = await site.visitor();
	const { page } = visitor;
	await visitor.logIn(NEW, '/me/totp');
	await page.getByRole('button', { name: words.totp.start }).click();
	await page.waitForURL('**/me/totp/app');
	await page.getByAltText(words.totp.app.alt).waitFor();
	const secret = (await page.locator('p.code').innerText()).replace(`${words.totp.app.keyLabel}:`, '').trim();
	expect(await page.getByRole('link', { name: words.totp.app.open }).getAttribute('href')).toContain(
		secret.replace(/\s/g, '')
	);
	const code = async (later = 0): Promise<string> => totp(secret, await siteSeconds(site), later);
	await page.getByRole('link', { name: words.totp.app.next }).click();
	await page.waitForURL('**/me/totp/code');
	const good = await code();
	await page.locator('#code').fill(good === '000000' ? '111111' : '000000');
	await page.getByRole('button', { name: words.totp.code.confirm }).click();
	await page.getByRole('alert').getByRole('link', { name: words.second.wrong }).waitFor();
	await page.locator('#code').fill(await code());
	await sendAgain(visitor, '/me/totp/recovery');
	const [recovery = ''] = (await page.locator('p.code').innerText())
		.replace(`${words.totp.recovery.list}:`, '')
		.trim()
		.split('\n');
	await page.getByRole('button', { name: words.totp.recovery.saved }).click();
	await page.getByText(words.totp.on).waitFor();
	// The key is never shown again: not by the way back either.
	await page.goBack();
	await page.waitForURL('**/me/totp**');
	expect(await page.locator('main').innerText()).not.toContain(secret);

	await page.goto('/me');
	await page.getByRole('button', { name: common.logOut }).click();
	await page.waitForURL((url) => url.pathname === '/');
	await page.goto('/login?back=%2Fme%2Fsessions');
	await type(visitor, NEW);
	await page.waitForURL('**/login/code**');
	await page.locator('#code').fill(await code(1));
	await page.getByRole('button', { name: common.logIn }).click();
	await page.waitForURL('**/me/sessions');
	await page.getByText(words.sessions.strong, { exact: false }).first().waitFor();

	// Without the app a recovery code lets in, once.
	for (const isFirst of [true, false]) {
		const other = await site.visitor();
		await other.page.goto('/login?back=%2Fme%2Ftotp');
		await type(other, NEW);
		await other.page.waitForURL('**/login/code**');
		await other.page.getByRole('button', { name: words.second.useRecovery }).click();
		await other.page.getByLabel(words.second.recovery).fill(recovery);
		await other.page.getByRole('button', { name: common.logIn }).click();
		if (isFirst) {
			await other.page.waitForURL('**/me/totp');
			await other.page.getByText(words.totp.codesLeft(9)).waitFor();
		} else {
			await other.page.getByRole('alert').getByRole('link', { name: words.second.wrongRecovery }).waitFor();
		}
		expect(other.complaints).toEqual([]);
		await other.leave();
	}
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('one device, then all others are logged out: each leaves within two seconds, its second tab too', async () => {
	const student = site.told.accounts['student'];
	const [here, lost, there] = [await site.visitor(), await site.visitor(), await site.visitor()];
	// One is known by the time at which it logged in alone, so they do not come at once.
	await here.logIn(student, '/me/sessions');
	const { page } = here;
	await there.logIn(student, '/my');
	const tab = await there.context.newPage();
	await tab.goto('/me');
	for (const one of [there.page, tab]) await one.getByText(common.live, { exact: true }).waitFor();
	await lost.logIn(student, '/my');
	await lost.page.getByText(common.live, { exact: true }).waitFor();

	await page.reload();
	const devices = page.locator('main li');
	await expect.poll(() => devices.count()).toBe(3);
	expect(await page.getByText(words.sessions.this, { exact: true }).count()).toBe(1);
	// This one's line has no button; the newest comes first among the others.
	await devices.nth(0).waitFor();
	await page.getByRole('button', { name: new RegExp(`^${words.sessions.end} `) }).first().click();
	const dialog = page.getByRole('dialog');
	await dialog.getByRole('button', { name: words.sessions.end }).click();
	await expect.poll(() => devices.count()).toBe(2);
	await page.getByText(words.sessions.ended, { exact: true }).waitFor();
	const isLostOut = await lost.page.waitForURL('**/login**', { timeout: 2000 }).then(() => true, () => false);
	const stays = isLostOut ? [there.page, tab] : [lost.page];

	await page.getByRole('button', { name: words.sessions.others }).click();
	const began = performance.now();
	await dialog.getByRole('button', { name: words.sessions.others }).click();
	for (const one of stays) await one.waitForURL('**/login**', { timeout: 5000 });
	expect(performance.now() - began).toBeLessThan(2000);
	await page.getByText(words.sessions.othersEnded(1)).waitFor();
	await page.getByText(words.sessions.alone).waitFor();
	expect(path(here)).toBe('/me/sessions');
	expect([...here.complaints, ...there.complaints, ...lost.complaints]).toEqual([]);
	for (const one of [here, lost, there]) await one.leave();
});

describe.each([{ locks: true }, { locks: false }])('with locks of the browser: $locks', ({ locks }) => {
	test('two tabs whose token ends at once renew it and stay logged in', async () => {
		const visitor = await site.visitor();
		// A page from a plain address on a LAN has no locks.
		if (!locks)
			await visitor.context.addInitScript(() => {
				Object.defineProperty(navigator, 'locks', { value: undefined });
			});
		await visitor.logIn(site.told.accounts['staff'], '/me');
		const tabs = [visitor.page, await visitor.context.newPage()];
		let renewed = 0;
		for (const tab of tabs) {
			await tab.goto('/me');
			await tab.getByText(common.live, { exact: true }).waitFor();
			tab.on('response', (answer) => {
				if (answer.url().endsWith('/auth/refresh') && answer.ok()) renewed += 1;
			});
		}
		// Longer than a token is good for.
		await turn(site, 31 * 60);
		await Promise.all(tabs.map((tab) => tab.getByRole('link', { name: words.me.sessions }).click()));
		for (const tab of tabs) {
			await tab.getByText(words.sessions.this, { exact: true }).waitFor();
			expect(new URL(tab.url()).pathname).toBe('/me/sessions');
		}
		expect(renewed).toBeGreaterThanOrEqual(2);
		// And so after a reload, when each asks anew.
		await Promise.all(tabs.map((tab) => tab.reload()));
		for (const tab of tabs) await tab.getByText(words.sessions.this, { exact: true }).waitFor();
		expect(visitor.complaints).toEqual([]);
		await visitor.leave();
	});
});
