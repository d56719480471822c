/** Without a mouse: a locker is chosen on the map, opened and given back; an alarm is taken note of, every door opened. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bank } from '../../src/lib/i18n/bank.ko';
import { staff } from '../../src/lib/i18n/staff.ko';
import { student } from '../../src/lib/i18n/student.ko';
import { watch } from '../../src/lib/i18n/watch.ko';
import { Hands } from '../hands';
import { Site, type Look, type Visitor } from '../site';

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

async function somebody(look?: Look): Promise<{ visitor: Visitor; hands: Hands }> {
	const visitor = await site.visitor(look);
	const hands = new Hands(visitor.page);
	await hands.watch();
	return { visitor, hands };
}

// Low enough that the sheet and the bar at the bottom have something to lie over.
test.each([
	{ width: 390, height: 640, who: 'student', bankId: 1, first: 101, lock: 1 },
	{ width: 1280, height: 800, who: 'staff', bankId: 2, first: 104, lock: 4 }
])(
	'somebody takes a locker on the map, opens it and gives it back ($width px)',
	async ({ width, height, who, bankId, first, lock }) => {
		const { visitor, hands } = await somebody({ width, height });
		const { page } = visitor;
		const cell = (number: string) => page.locator(`[role=gridcell][aria-label*="${number}"]`);
		const isAt = (number: string) => cell(number).and(page.locator(':focus')).waitFor();
		const [one, two, three] = [first, first + 1, first + 2].map(String) as [string, string, string];
		await hands.logIn(site.told.accounts[who], `/b/${bankId}`);
		await page.getByRole('heading', { level: 1 }).and(page.locator(':focus')).waitFor();

		// One stop of Tab for the whole map; in it by arrows, by digits, and to the next free one.
		await hands.to(page.locator('[role=gridcell][tabindex="0"]'));
		await isAt(one);
		await hands.press('ArrowRight');
		await isAt(two);
		await hands.press('End');
		await isAt(three);
		await hands.press('f');
		await isAt(one);
		await hands.press(...two);
		await isAt(two);

		// Chosen: the sheet has the focus; Esc gives it back to the cell.
		const sheet = page.getByRole('region', { name: bank.sheet.label });
		await hands.press('Enter');
		await sheet.getByRole('heading', { level: 2 }).and(page.locator(':focus')).waitFor();
		await hands.press('Escape');
		await isAt(two);
		await hands.press('Home', 'Enter');
		await hands.choose(page.getByRole('button', { name: bank.sheet.hold(one) }));
		await page.waitForURL(`**/b/${bankId}/hold`);
		await hands.choose(page.getByRole('button', { name: bank.hold.confirm }));
		await page.getByRole('heading', { name: bank.hold.doneTitle }).and(page.locator(':focus')).waitFor();

		await hands.choose(page.getByRole('main').getByRole('link', { name: bank.hold.open }));
		await page.waitForURL('**/my/open**');
		await hands.choose(page.getByRole('main').getByRole('button', { name: student.card.open(one) }));
		await page.getByText(student.steps.opened(one)).first().waitFor();
		await site.door('bus1', 0, lock, 'close');
		await page.getByText(student.steps.closed).first().waitFor();
		await hands.see('the closed door');

		// By the bar at the bottom, which comes last.
		await hands.choose(page.getByRole('navigation').locator('a[href="/my"]'));
		await page.waitForURL('**/my');
		await hands.choose(page.getByRole('main').getByText(student.my.giveBack, { exact: true }));
		await page.waitForURL('**/my/return**');
		await hands.choose(page.getByRole('button', { name: student.giveBack.button, exact: true }));
		// What is missing is told, with a way to it.
		await hands.choose(page.getByRole('alert').getByRole('link'));
		await hands.press('Space');
		await hands.choose(page.getByRole('button', { name: student.giveBack.button, exact: true }));
		await page.getByText(student.giveBack.reopen).first().waitFor();
		await hands.see('the return');
		expect(visitor.complaints).toEqual([]);
		await visitor.leave();
	}
);

test('staff take note of an alarm and open every door of a bank', async () => {
	const { visitor, hands } = await somebody({ width: 1280, height: 800 });
	const { page } = visitor;
	await site.door('bus1', 0, 7, 'open');
	await hands.logIn(site.told.accounts['admin'], '/staff');
	await hands.choose(page.getByRole('navigation').getByRole('link', { name: staff.places.alarms }));
	await page.waitForURL('**/staff/alarms');
	await hands.choose(page.getByRole('row', { name: '201' }).getByRole('link').first());
	const dialog = page.locator('dialog[open]');
	const words = watch.alarms;
	await hands.choose(dialog.getByRole('button', { name: words.acknowledge }));
	await dialog.getByText(words.noteMissing).waitFor();
	await dialog.getByLabel(words.note).and(page.locator(':focus')).waitFor();
	await hands.type('가 보니 문이 열려 있었음');
	await hands.choose(dialog.getByRole('button', { name: words.acknowledge }));
	await dialog.getByText(words.acknowledgedByMe('').trim()).first().waitFor();
	await page.keyboard.press('Escape');
	await dialog.waitFor({ state: 'detached' });
	await hands.see('Escape');

	await hands.choose(page.getByRole('navigation').getByRole('link', { name: staff.places.mass }));
	await page.waitForURL('**/staff/mass');
	await hands.choose(page.getByRole('link', { name: watch.mass.new }));
	await page.waitForURL('**/staff/mass/new');
	await hands.to(page.getByRole('main').getByRole('checkbox').first());
	await hands.press('Space');
	await hands.to(page.locator('#reason'));
	await hands.type('소방 훈련');
	await hands.choose(page.getByRole('button', { name: watch.mass.toPreview }));
	await hands.to(page.locator('#typed'));
	const start = page.getByRole('main').locator('form button[type=submit]');
	await hands.type(/\d+/.exec(await start.innerText())?.[0] ?? '');
	await hands.choose(start);
	await page.waitForURL(/\/staff\/mass\/[0-9a-f-]{36}$/);
	await page.getByText(watch.mass.results['opened'] ?? '').first().waitFor();
	await hands.see('the start');
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
