/** A member of staff at the desk: the board, a bank, a locker that is opened and mended, an alarm that nobody asked for. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bank } from '../src/lib/i18n/bank.ko';
import { board } from '../src/lib/i18n/board.ko';
import { common } from '../src/lib/i18n/common.ko';
import { staff } from '../src/lib/i18n/staff.ko';
import { student } from '../src/lib/i18n/student.ko';
import { Site } from './site';

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

const locker = (number: string): string => `[role=gridcell][aria-label*="${number}"]`;

test('staff open a locker from the board, take it out of service and back, and see a forced door', async () => {
	const visitor = await site.visitor({ width: 1440, height: 900 });
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['staff'], '/staff');
	await page.getByRole('heading', { level: 1, name: board.title }).waitFor();
	await page.getByText(board.alarms.none).waitFor();

	// The board counts what the socket tells; a tile leads to its bank.
	const tile = page.locator('article', { has: page.locator('a[href="/staff/banks/1"]') });
	await tile.getByText(board.tile.answering(1, 1)).waitFor();
	await tile.locator('a[href="/staff/banks/1"]').click();
	await page.waitForURL('**/staff/banks/1');

	// Nobody has it: it opens without a question, and "opened" is said when the door was seen open.
	await page.locator(locker('101')).click();
	await page.getByRole('heading', { name: common.locker('101') }).waitFor();
	await page.getByText(board.drawer.nobody).waitFor();
	await page.getByRole('button', { name: board.drawer.open('101') }).click();
	await page.getByText(student.steps.opened('101')).first().waitFor();
	await page.locator(`${locker('101')}[aria-label*="${board.bank.marks.open}"]`).waitFor();
	// The address bears locker and operation: a reload shows the same and opens nothing.
	await page.waitForURL(/locker=101&op=/);
	await page.reload();
	await page.getByText(student.steps.opened('101')).first().waitFor();

	// Out of service needs a reason, which is shown with it from then on.
	await page.getByRole('button', { name: board.deeds.out.button }).click();
	const dialog = page.locator('dialog[open]');
	await dialog.getByRole('button', { name: board.deeds.out.button }).click();
	await dialog.locator('textarea[aria-invalid]').fill('경첩이 부러짐');
	await dialog.getByRole('button', { name: board.deeds.out.button }).click();
	await page.getByText(board.deeds.out.done('101')).waitFor();
	await page.locator(`${locker('101')}[aria-label*="${bank.states.out_of_service}"]`).waitFor();
	await page.getByText(board.drawer.outBecause('경첩이 부러짐')).waitFor();
	await page.getByRole('button', { name: board.deeds.back.button }).click();
	await dialog.locator('textarea').fill('고침');
	await dialog.getByRole('button', { name: board.deeds.back.button }).click();
	await page.locator(`${locker('101')}[aria-label*="${bank.states.free}"]`).waitFor();

	// Esc closes the drawer and gives the focus back to the cell.
	await page.locator('#drawer-title').focus();
	await page.keyboard.press('Escape');
	await page.locator(`${locker('101')}:focus`).waitFor();

	// A door that opens with no opening behind it comes to the board by itself.
	await page.getByRole('link', { name: board.bank.toBoard, exact: true }).first().click();
	await page.waitForURL('**/staff');
	await page.getByText(board.alarms.none).waitFor();
	await site.door('bus1', 0, 4, 'open');
	const alarm = page.getByRole('link', { name: board.alarms.kinds['forced_open'] ?? 'a kind without words' });
	await alarm.waitFor();
	expect(await alarm.textContent()).toContain('104');
	await page.locator('article', { has: page.locator('a[href="/staff/banks/2"]') }).getByText(board.tile.alarms('1')).waitFor();
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('a page that nobody touches is covered; the password brings back what was begun', async () => {
	const visitor = await site.visitor({ width: 820, height: 1180 });
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['admin'], '/staff/banks/1?locker=102');
	await page.getByRole('button', { name: board.deeds.note.button }).click();
	await page.locator('dialog[open] textarea').fill('half a note');
	// A quarter of an hour, as the device tells it.
	await page.evaluate(() => {
		const now = Date.now.bind(Date);
		Date.now = () => now() + 15 * 60_000;
		document.dispatchEvent(new Event('visibilitychange'));
	});
	await page.getByRole('heading', { name: staff.lock.title }).waitFor();
	expect(await page.locator('textarea').isVisible()).toBe(false);
	// Esc is no way out, nor is it the second time, when browsers close a dialog whatever the page says.
	await page.keyboard.press('Escape');
	await page.keyboard.press('Escape');
	await page.getByRole('heading', { name: staff.lock.title }).waitFor();
	await page.locator('#lock-password').fill('not the password');
	await page.keyboard.press('Enter');
	await page.getByText(staff.lock.wrong).waitFor();
	// After a wrong one the server lets nobody try again at once.
	await page.waitForTimeout(1500);
	await page.locator('#lock-password').fill(site.told.accounts['admin']?.password ?? '');
	await page.keyboard.press('Enter');
	await page.locator('textarea:focus').waitFor();
	expect(await page.locator('textarea').inputValue()).toBe('half a note');
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('an address of something that is not there says so and leads to its list', async () => {
	const visitor = await site.visitor({ width: 820, height: 1180 });
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['admin'], '/staff');
	for (const list of ['/staff/rentals', '/staff/overdue', '/staff/kiosks', '/staff/terms', '/staff/mass']) {
		await page.goto(`${list}/999`);
		const said = page.locator('main [role=status]', { has: page.locator(`a[href="${list}"]`) });
		await said.locator('a').click();
		await page.waitForURL((url) => url.pathname === list);
	}
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
