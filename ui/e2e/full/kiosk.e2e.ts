/** The rest of what a kiosk can do: the demonstration's way to one, a hold and a reservation, by a number pad alone. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kiosk } from '../../src/lib/i18n/kiosk.ko';
import { student } from '../../src/lib/i18n/student.ko';
import { Caller } from '../api';
import { Desk } from '../desk';
import { signIn } from '../kiosk';
import { Site, type Visitor } from '../site';
import { turn } from '../time';

const LOOK = { width: 1080, height: 1920 };
/** In pool mode. */
const POOL = 8;

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

const renter = async (): Promise<Caller> => Caller.logIn(site.url, site.told.accounts['student']);

/** Who the student is, and a code for one sign-in. */
async function pass(desk: Desk): Promise<[string, string]> {
	const { member_id } = await (await renter()).ask<{ member_id: number }>('GET', '/auth/me');
	return [site.told.accounts['student']?.id ?? '', await desk.oneTimeCode(member_id)];
}

/** By + and - to a button, then Enter. */
async function press({ page }: Visitor, name: string, key: '+' | '-' = '+'): Promise<void> {
	const button = page.getByRole('button', { name, exact: true });
	await button.waitFor();
	const isThere = (): Promise<boolean> => button.evaluate((element) => element === document.activeElement);
	for (let steps = 0; !(await isThere()); steps += 1) {
		expect(steps, `no way to ${name}`).toBeLessThan(30);
		await page.keyboard.press(key);
	}
	// Whoever uses the pad sees where they are.
	expect(await button.evaluate((element) => getComputedStyle(element).outlineStyle)).toBe('solid');
	await page.keyboard.press('Enter');
}

test('the demonstration makes a browser its kiosk', async () => {
	const visitor = await site.visitor({ width: 1280, height: 800 });
	await visitor.page.goto('/demo');
	await visitor.page.getByRole('button', { name: '키오스크 화면 보기' }).click();
	await visitor.page.waitForURL('**/kiosk');
	await visitor.page.locator('[data-code]').first().waitFor();
	await visitor.page.getByRole('button', { name: kiosk.home.open }).waitFor();
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('by a number pad alone a hold becomes a rental, is opened, and somebody goes', async () => {
	const visitor = await site.visitor(LOOK);
	const { page } = visitor;
	const desk = await Desk.of(site);
	await desk.pair(visitor, '로비', [1]);
	await (await renter()).ask('POST', '/lockers/102/hold');
	await page.goto('/kiosk');
	await page.locator('[data-code]').first().waitFor();
	await press(visitor, kiosk.home.open);
	await signIn(visitor, ...(await pass(desk)));
	await page.getByText(kiosk.my.held).waitFor();
	// It cannot be opened before it is one's own.
	expect(await page.getByRole('button', { name: kiosk.my.open('102') }).count()).toBe(0);
	await press(visitor, kiosk.my.confirm);
	await page.getByRole('button', { name: kiosk.my.open('102') }).waitFor();
	const { locker } = await (await renter()).ask<{ locker: { state: string } }>('GET', '/lockers/me');
	expect(locker.state).toBe('active');
	await press(visitor, kiosk.my.open('102'), '-');
	await page.getByText(student.steps.opened('102')).first().waitFor();
	await site.door('bus1', 0, 2, 'close');
	await page.getByText(student.steps.closed).first().waitFor();
	await press(visitor, kiosk.open.done);
	await page.getByText(kiosk.done.closed).first().waitFor();
	await press(visitor, kiosk.keys.end);
	await page.locator('[data-code]').first().waitFor();
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('a reservation is checked in on its day, and its locker opened', async () => {
	const { locker } = await (await renter()).ask<{ locker?: { locker_id: number } }>('GET', '/lockers/me');
	if (locker) await (await renter()).ask('POST', `/lockers/${locker.locker_id}/release`, { emptied: true });
	interface Calendar {
		reservations: { first_start_on: string };
	}
	const { reservations } = await (await renter()).ask<Calendar>('GET', `/banks/${POOL}/calendar`);
	const day = reservations.first_start_on;
	await (await renter()).ask('POST', `/banks/${POOL}/reservations`, { starts_on: day, ends_on: day });

	const visitor = await site.visitor(LOOK);
	const { page } = visitor;
	await (await Desk.of(site)).pair(visitor, '학생회관', [POOL]);
	const arrive = async (): Promise<void> => {
		await page.goto('/kiosk');
		await page.locator('[data-code]').first().waitFor();
		await page.getByRole('button', { name: kiosk.home.reservations }).click();
		await signIn(visitor, ...(await pass(await Desk.of(site))));
		await page.getByRole('heading', { name: kiosk.my.reservations }).waitFor();
	};
	await arrive();
	await page.getByText(/부터 체크인할 수 있습니다/).waitFor();
	expect(await page.getByRole('button', { name: kiosk.my.checkIn }).count()).toBe(0);
	await page.getByRole('button', { name: kiosk.keys.end }).click();

	await turn(site, 86_400);
	await arrive();
	await page.getByRole('button', { name: kiosk.my.checkIn }).click();
	const open = page.getByRole('button', { name: /^70\d번 칸 열기$/ });
	await open.click();
	await page.getByText(/70\d번 칸 문이 열렸습니다/).first().waitFor();
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
