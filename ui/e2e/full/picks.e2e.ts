/** Several lockers at once on a bank's map: picked by mouse, keyboard and kind; served, ended and opened together. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { board } from '../../src/lib/i18n/board.ko';
import { Desk } from '../desk';
import { Site } from '../site';

const words = board.picks;

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

/** Nothing is in anybody's way, and the page does not scroll sideways. */
async function demandOpen(page: Page): Promise<void> {
	const { violations } = await new AxeBuilder({ page }).analyze();
	expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)).toEqual([]);
	expect(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth)).toBe(false);
}

test('what is picked on the map is taken out of service and put back with one reason', async () => {
	const visitor = await site.visitor({ width: 1440, height: 900 });
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['staff'], '/staff/banks/1');
	const cell = (number: number) => page.getByRole('gridcell', { name: new RegExp(`^${number}번 칸`) });
	const shot = (name: string) =>
		process.env['SHOTS'] ? page.screenshot({ path: `${process.env['SHOTS']}/${name}.png` }) : undefined;

	// A locker that is looked at is the first one; Shift takes what stands between, Ctrl lets go of one.
	await cell(101).click();
	await cell(103).click({ modifiers: ['Shift'] });
	await page.getByRole('heading', { name: words.title }).waitFor();
	expect(new URL(page.url()).search).toBe('');
	const picked = async (): Promise<number> => page.getByRole('gridcell', { name: new RegExp(words.picked) }).count();
	const all = await picked();
	expect(all).toBeGreaterThan(1);
	await cell(101).click({ modifiers: ['Control'] });
	expect(await picked()).toBe(all - 1);
	await shot('picked');

	await page.getByRole('button', { name: words.out.button }).click();
	const question = page.getByRole('dialog', { name: words.out.title(String(all - 1)) });
	await question.waitFor();
	await question.getByRole('button', { name: words.out.button }).click();
	await question.locator('textarea[aria-invalid="true"]').waitFor();
	await question.locator('textarea').fill('경첩 교체');
	await question.getByRole('button', { name: words.out.button }).click();
	await page.getByRole('status').getByText(words.out.done(String(all - 1))).waitFor();
	await page.getByRole('gridcell', { name: /^103번 칸.*사용 불가/ }).waitFor();
	// All were done: none is left picked.
	expect(await picked()).toBe(0);
	await shot('served');

	// All of a kind, and back again; those in service stay as they are.
	await page.locator('#pick-kind').selectOption('out');
	await page.getByRole('button', { name: words.all }).click();
	const out = await picked();
	expect(out).toBeGreaterThanOrEqual(all - 1);
	await cell(101).click();
	expect(await picked()).toBe(out + 1);
	await page.getByRole('button', { name: words.back.button }).click();
	const back = page.getByRole('dialog', { name: words.back.title(String(out)) });
	await back.getByText(words.back.others('1')).waitFor();
	await back.locator('textarea').fill('교체함');
	await back.getByRole('button', { name: words.back.button }).click();
	await page.getByRole('status').getByText(words.back.done(String(out))).waitFor();
	await page.getByRole('gridcell', { name: /^103번 칸.*사용 불가/ }).waitFor({ state: 'detached' });
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('with the keyboard alone lockers are picked, a rental is ended, the rest is taken to a mass opening', async () => {
	const desk = await Desk.of(site);
	await desk.renter(103);
	const visitor = await site.visitor({ width: 820, height: 1180 });
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['admin'], '/staff/banks/1');
	await page.getByRole('button', { name: words.begin }).focus();
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: words.title }).waitFor();
	await page.getByRole('gridcell', { name: /^102번 칸/ }).focus();
	await page.keyboard.press('Enter');
	await page.keyboard.press('ArrowRight');
	await page.keyboard.press('Space');
	const status = page.getByRole('status').filter({ hasText: words.count('2') });
	await status.waitFor();
	await page.setViewportSize({ width: 320, height: 800 });
	await demandOpen(page);
	if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/narrow.png` });
	await page.setViewportSize({ width: 820, height: 1180 });
	if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/tablet.png` });

	await page.getByRole('button', { name: words.end.button }).click();
	const question = page.getByRole('dialog', { name: words.end.title });
	await question.getByText(words.end.text('1', undefined)).waitFor();
	await question.getByText('103번 칸').waitFor();
	if (process.env['SHOTS']) await page.screenshot({ path: `${process.env['SHOTS']}/end.png` });
	await demandOpen(page);
	await question.locator('textarea').fill('학기 말');
	await question.getByRole('button', { name: words.end.button }).click();
	await page.getByRole('status').getByText(words.end.done('1')).waitFor();

	await page.locator('#pick-kind').selectOption('all');
	await page.getByRole('button', { name: words.all }).click();
	const link = page.getByRole('link', { name: /칸 열기$/ });
	const [count] = ((await link.textContent()) ?? '').match(/\d+/) ?? [];
	await link.click();
	await page.waitForURL('**/staff/mass/new?lockers=*');
	await page.locator('#numbers').waitFor();
	expect(await page.locator('#numbers').inputValue()).toMatch(/^10\d-/);
	await page.getByText(`${count}칸`).first().waitFor();

	// Leaving gives the focus back to where it began.
	await page.goBack();
	await page.getByRole('button', { name: words.begin }).click();
	await page.getByRole('button', { name: words.stop }).click();
	await page.locator('#pick button:focus').waitFor();
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
