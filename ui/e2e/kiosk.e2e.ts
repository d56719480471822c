/** The kiosk, from the pairing to the way back that shows nothing, by keys and by touch. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kiosk } from '../src/lib/i18n/kiosk.ko';
import { student } from '../src/lib/i18n/student.ko';
import { Desk } from './desk';
import { signIn } from './kiosk';
import { Site, type Visitor } from './site';

let site: Site;
let desk: Desk;

beforeAll(async () => {
	site = await Site.start();
	desk = await Desk.of(site);
});
afterAll(() => site.stop());

const LOOK = { width: 1080, height: 1920 };
const codes = (visitor: Visitor) => visitor.page.locator('[data-code]');

test('a kiosk is paired, lets a student in, opens, takes back and forgets', async () => {
	const visitor = await site.visitor(LOOK);
	const { page } = visitor;
	await page.clock.install();
	const { id, member } = await desk.renter(101);

	// An unpaired device asks for its code; the keys on the screen are enough.
	await page.goto('/kiosk');
	await page.waitForURL('**/kiosk/setup');
	for (const key of await desk.pairingCode('로비', [1])) {
		await page.getByRole('button', { name: key, exact: true }).click();
	}
	await page.getByRole('button', { name: kiosk.setup.pair }).click();
	await page.getByRole('button', { name: kiosk.setup.inches('27', '686') }).click();
	await page.getByText(kiosk.setup.letters('12.0')).waitFor();
	await page.getByRole('button', { name: kiosk.setup.save }).click();
	await codes(visitor).first().waitFor();

	// What was wrong is not told; the id stays, the code does not.
	await page.getByRole('button', { name: kiosk.home.open }).click();
	await signIn(visitor, id, '00000000');
	await page.getByText(kiosk.code.wrong(undefined)).first().waitFor();
	// The wait after a wrong one is the server's: no clock of the page makes it shorter.
	await new Promise((resolve) => setTimeout(resolve, 3000));
	await page.keyboard.type(await desk.oneTimeCode(member));
	await page.keyboard.press('Enter');
	await page.getByText('101번 칸', { exact: true }).waitFor();

	await page.getByRole('button', { name: kiosk.my.open('101') }).click();
	await page.getByText(student.steps.opened('101')).first().waitFor();
	await site.door('bus1', 0, 1, 'close');
	await page.getByText('문이 닫혔습니다.').first().waitFor();

	await page.getByRole('button', { name: kiosk.my.giveBack }).click();
	await page.getByRole('button', { name: kiosk.giveBack.yes }).click();
	await page.getByRole('button', { name: student.giveBack.reopen }).waitFor();
	await page.getByRole('button', { name: kiosk.keys.end }).click();
	await page.getByText(kiosk.done.returned).first().waitFor();
	await page.clock.fastForward(6000);
	await codes(visitor).first().waitFor();

	// Nothing of the student is left: not behind the way back, not in what the browser keeps.
	await page.goBack().catch(() => null);
	await page.goto('/kiosk');
	await codes(visitor).first().waitFor();
	const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]));
	expect(kept).not.toContain(id);
	expect(kept).not.toContain('101');
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('whoever leaves is warned, then signed out, and their language with them', async () => {
	const visitor = await site.visitor(LOOK);
	const { page } = visitor;
	await page.clock.install();
	const { id, member } = await desk.renter(102);
	await desk.pair(visitor, '현관', [1]);
	await page.goto('/kiosk');
	await page.getByRole('button', { name: 'English' }).click();
	await page.getByRole('button', { name: kiosk.look.language.ko }).click();
	await page.getByRole('button', { name: kiosk.home.giveBack }).click();
	await signIn(visitor, id, await desk.oneTimeCode(member));
	const number = page.getByText('102번 칸', { exact: true });
	await number.waitFor();

	// A key says that somebody is here, as often as they like.
	const warning = page.getByRole('heading', { name: kiosk.idle.title });
	for (let time = 0; time < 2; time += 1) {
		await page.clock.fastForward(26_000);
		await warning.waitFor();
		await page.keyboard.press('Enter');
		await warning.waitFor({ state: 'hidden' });
		await number.waitFor();
	}
	await page.clock.fastForward(26_000);
	await warning.waitFor();
	await page.clock.fastForward(20_500);
	await codes(visitor).first().waitFor();
	expect(await number.count()).toBe(0);
	expect(await desk.isAnybodyAt('현관')).toBe(false);

	// The way back leads to where the browser was before, and forward again to the front page.
	await page.goBack().catch(() => null);
	expect(await number.count()).toBe(0);
	await page.goForward().catch(() => null);
	expect(await number.count()).toBe(0);
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('without a server there is no code, and it comes back by itself', async () => {
	const visitor = await site.visitor({ width: 1280, height: 800 });
	const { page } = visitor;
	await desk.pair(visitor, '복도', [1, 2]);
	await page.goto('/kiosk');
	await codes(visitor).nth(1).waitFor();
	await visitor.context.setOffline(true);
	await page.getByText('서버와 연결이 끊겼습니다.').first().waitFor();
	expect(await codes(visitor).count()).toBe(0);
	await visitor.context.setOffline(false);
	await codes(visitor).nth(1).waitFor();
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
