/** Staff who logged in long ago show once more who they are before many lockers open; then it goes on by itself. */
import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { staff } from '../../src/lib/i18n/staff.ko';
import { watch } from '../../src/lib/i18n/watch.ko';
import { Site } from '../site';

const words = watch.mass;

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

async function pass(seconds: number): Promise<void> {
	const answer = await fetch(`${site.told.sim_url}/clock`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({ advance_s: seconds })
	});
	if (!answer.ok) throw new Error(await answer.text());
}

test('a mass opening waits for the password and then begins once', async () => {
	const visitor = await site.visitor({ width: 820, height: 1180 });
	const { page } = visitor;
	const orders: string[] = [];
	page.on('request', (request) => {
		const isOrder = request.method() === 'POST' && new URL(request.url()).pathname === '/api/v1/mass-openings';
		const key = request.headers()['idempotency-key'];
		// Without a key it is the question how long it will take.
		if (isOrder && key !== undefined) orders.push(key);
	});
	await visitor.logIn(site.told.accounts['staff'], '/staff/mass/new');
	await pass(11 * 60);
	await page.getByRole('button', { name: words.allOfThem }).click();
	await page.locator('#reason').fill('소방 훈련');
	await page.getByRole('button', { name: words.toPreview }).click();
	await page.locator('#typed').fill('28');
	const start = page.getByRole('button', { name: words.start('28') });
	await start.click();

	// Called off: everything is as it was, and the focus is back.
	const question = page.getByRole('dialog', { name: staff.prove.title });
	await question.waitFor();
	await page.locator('#prove-password:focus').waitFor();
	const { violations } = await new AxeBuilder({ page }).analyze();
	expect(violations.map(({ id }) => id)).toEqual([]);
	if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/prove.png` });
	await page.keyboard.press('Escape');
	await question.waitFor({ state: 'hidden' });
	expect(await page.locator('#typed').inputValue()).toBe('28');
	expect(await page.getByRole('alert').count()).toBe(0);
	expect(await start.evaluate((it) => it === document.activeElement)).toBe(true);

	// A wrong password leaves the question; the right one lets the order go.
	await start.click();
	await page.locator('#prove-password:focus').waitFor();
	await page.keyboard.type('not the password');
	await page.keyboard.press('Enter');
	await question.getByText(staff.lock.wrong).waitFor();
	// After a wrong one the server lets nobody try again at once.
	await pass(5);
	await page.locator('#prove-password').fill(site.told.accounts['staff']?.password ?? '');
	await page.keyboard.press('Enter');
	await page.waitForURL(/\/staff\/mass\/[0-9a-f-]{36}$/);
	await page.getByRole('button', { name: words.stop }).click();
	await page.getByRole('status').getByText(/^중지했습니다\./).waitFor();

	// What was sent again is the very order that was refused, and there is one.
	expect(orders.length).toBe(3);
	expect(orders[2]).toBe(orders[1]);
	await page.goto('/staff/mass');
	const listed = page.locator('main a[href^="/staff/mass/0"]');
	await listed.first().waitFor();
	expect(await listed.count()).toBe(1);
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
