/** A student on a phone, from the log-in to the return, while the door does what doors do. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bank } from '../src/lib/i18n/bank.ko';
import { student } from '../src/lib/i18n/student.ko';
import { Site } from './site';

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

const locker = (number: string): string => `[role=gridcell][aria-label*="${number}"]`;

test('a student claims a locker, opens it, sees the truth of a jam, and gives it back', async () => {
	const visitor = await site.visitor();
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['student'], '/b/1');

	// Choosing sends nothing; holding does.
	await page.locator(locker('101')).click();
	await page.getByRole('button', { name: bank.sheet.hold('101') }).click();
	await page.waitForURL('**/b/1/hold');
	await page.getByRole('button', { name: bank.hold.confirm }).click();
	await page.getByRole('heading', { name: bank.hold.doneTitle }).waitFor();

	// A jam is told as one; what helps is another opening, which is a new operation.
	await site.door('bus1', 0, 1, 'jam');
	await page.goto('/my');
	await page.getByRole('main').getByText(student.card.openShort, { exact: true }).or(page.getByText(student.card.open('101'))).first().click();
	await page.waitForURL('**/my/open**');
	await page.getByText(student.steps.didNotOpen).first().waitFor();
	await site.door('bus1', 0, 1, 'unjam');
	await page.getByRole('button', { name: student.open.openAgain }).click();
	await page.getByText(student.steps.opened('101')).first().waitFor();
	// The address bears the operation: who loads the page again sees the same opening, and none is sent.
	await page.reload();
	await page.getByText(student.steps.opened('101')).first().waitFor();

	await page.goto('/my');
	await page.getByText(student.my.giveBack, { exact: true }).click();
	await page.waitForURL('**/my/return**');
	await page.getByRole('checkbox').check();
	await page.getByRole('button', { name: student.giveBack.button, exact: true }).click();
	await site.door('bus1', 0, 1, 'close');
	await page.getByText(student.giveBack.reopen).first().waitFor();
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('two students take the same cell: the second learns it, and which ones near it are free', async () => {
	const [first, second] = [await site.visitor(), await site.visitor()];
	await first.logIn(site.told.accounts['admin'], '/b/4');
	await second.logIn(site.told.accounts['staff'], '/b/4');
	await second.page.locator(locker('302')).click();
	await first.page.locator(locker('302')).click();
	await first.page.getByRole('button', { name: bank.sheet.hold('302') }).click();
	await first.page.waitForURL('**/b/4/hold');
	// The other page shows it without being asked.
	await second.page.locator(`${locker('302')}[aria-label*="${bank.states.held}"]`).waitFor();
	await first.page.getByRole('button', { name: bank.hold.release }).click();
	await second.page.locator(`${locker('302')}[aria-label*="${bank.states.free}"]`).waitFor();
	expect([...first.complaints, ...second.complaints]).toEqual([]);
	await first.leave();
	await second.leave();
});
