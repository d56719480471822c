/** A locker that was not given back: the student is told, staff go the chain to its end, the locker is free again. */
import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { lending } from '../src/lib/i18n/lending.ko';
import { student } from '../src/lib/i18n/student.ko';
import { Site, type Look } from './site';

const LOCKER = '101';
const DAY_S = 86_400;
let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

/** Calls the API as somebody, without a browser. */
async function call<T>(token: string | undefined, method: string, path: string, body?: unknown): Promise<T> {
	const answer = await fetch(`${site.url}${path}`, {
		method,
		headers: { 'Content-Type': 'application/json', ...(token ? { Authorization: `Bearer ${token}` } : {}) },
		...(body === undefined ? {} : { body: JSON.stringify(body) })
	});
	if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
	return (await answer.json()) as T;
}

async function tokenOf(who: string): Promise<string> {
	const { access_token } = await call<{ access_token: string }>(undefined, 'POST', '/api/v1/auth/login', site.told.accounts[who]);
	return access_token;
}

/** A rental of the student whose last day was yesterday; gives its overdue case. */
async function beLate(): Promise<number> {
	const token = await tokenOf('admin');
	const { server_time } = await call<{ server_time: string }>(undefined, 'GET', '/demo/api/clock');
	const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Seoul' }).format(Date.parse(server_time));
	await call(token, 'POST', '/api/v1/rentals', {
		locker_id: Number(LOCKER),
		student_id: site.told.accounts['student']?.id,
		ends_on: today,
		reason: 'one day'
	});
	await call(undefined, 'POST', '/demo/api/clock', { advance_s: DAY_S });
	// The log-in from before is over by now.
	const later = await tokenOf('admin');
	for (;;) {
		const { cases } = await call<{ cases: { case_id: number }[] }>(later, 'GET', '/api/v1/overdue');
		if (cases[0]) return cases[0].case_id;
		await new Promise((resolve) => setTimeout(resolve, 500));
	}
}

test('an overdue locker goes from the banner of its renter to the hands that fetch the things', async () => {
	const id = await beLate();
	const late = await site.visitor();
	await late.logIn(site.told.accounts['student'], '/');
	await late.page.getByText(student.warnings.late('1일')).first().waitFor();
	await late.leave();

	const look = { width: 1440, height: 900 };
	const [staff, other] = [await site.visitor(look), await site.visitor(look)];
	await staff.logIn(site.told.accounts['staff'], '/staff/overdue');
	await other.logIn(site.told.accounts['admin'], `/staff/overdue/${id}`);
	const { page } = staff;
	await page.getByRole('rowheader', { name: LOCKER }).getByRole('link').click();
	await page.getByRole('button', { name: lending.case.seal, exact: true }).click();
	await page.getByText(lending.case.sealDone).first().waitFor();

	// Somebody with the page of before is told who was first, and goes on from there.
	await other.page.getByRole('button', { name: lending.case.seal, exact: true }).click();
	await other.page.getByText(lending.case.stepWords['sealed'] ?? '').first().waitFor();
	await other.page.getByRole('button', { name: lending.case.collect }).waitFor();

	// Nothing is collected from a locker that nobody opened, without saying why.
	await page.getByText(lending.case.notOpened).waitFor();
	await page.getByRole('button', { name: lending.case.openLocker(LOCKER) }).click();
	await page.getByText(student.steps.opened(LOCKER)).first().waitFor();
	await page.getByText(lending.case.doorOpen).waitFor();
	await site.door('bus1', 0, 1, 'close');
	await page.getByText(lending.case.doorClosed).waitFor();

	const collect = page.getByRole('button', { name: lending.case.collect });
	await collect.click();
	await page.getByRole('alert').getByText(lending.case.mistakes['items'] ?? '').waitFor();
	await page.getByLabel(lending.case.item(1), { exact: true }).fill('검은 가방');
	await page.getByRole('button', { name: lending.case.addItem }).click();
	await page.getByLabel(lending.case.item(2), { exact: true }).fill('우산');
	await page.locator('#storage').fill('선반 3번');
	await collect.click();
	await page.getByText(lending.case.collectDone).first().waitFor();
	await page.getByText('검은 가방').waitFor();

	// Who comes to fetch them finds the case among those that are kept.
	await page.goto('/staff/overdue?state=collected');
	await page.getByRole('link', { name: lending.overdue.next['handBack'] ?? '' }).click();
	await page.getByRole('button', { name: lending.case.handBack }).click();
	await page.getByText(lending.case.handBackDone).first().waitFor();
	await page.getByText(lending.case.nothing).waitFor();

	const { lockers } = await call<{ lockers: { locker_id: number; state: string }[] }>(
		await tokenOf('admin'),
		'GET',
		'/api/v1/lockers'
	);
	expect(lockers.find(({ locker_id }) => String(locker_id) === LOCKER)?.state).toBe('free');
	expect([...late.complaints, ...staff.complaints, ...other.complaints]).toEqual([]);
	await staff.leave();
	await other.leave();
});

const PAGES = [
	'/staff/overdue?state=all',
	'/staff/overdue/1',
	'/staff/rentals?state=all',
	'/staff/rentals/1',
	'/staff/rentals/bulk-end',
	'/staff/waiting',
	'/staff/returns',
	'/staff/shortages',
	'/staff/stats'
];

test('its pages are without fault on the narrowest screen', async () => {
	const look: Look = { language: 'en', theme: 'dark', width: 320, height: 640 };
	const staff = await site.visitor(look);
	await staff.logIn(site.told.accounts['staff'], '/staff/overdue');
	for (const path of PAGES) {
		await staff.page.goto(path);
		await staff.page.locator('h1').waitFor();
		await staff.page.waitForLoadState('networkidle');
		const found = await new AxeBuilder({ page: staff.page }).analyze();
		expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`), path).toEqual([]);
		const isWider = await staff.page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
		expect(isWider, `${path} scrolls sideways`).toBe(false);
	}
	expect(staff.complaints).toEqual([]);
	await staff.leave();
});
