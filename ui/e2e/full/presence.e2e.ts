/** A bank that opens only for who stands before it: the digits of its screen, typed or read by a camera. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { student } from '../../src/lib/i18n/student.ko';
import { Caller } from '../api';
import { Boards } from '../boards';
import { Desk } from '../desk';
import { Renter } from '../renter';
import { Site, type Visitor } from '../site';

const BANK = 7;
const LOCKER = 601;
const WIRE = { bus: 'bus2', board: 1, lock: 4 };
/** How long the screen shows a code. */
const STEP_S = 30;

let site: Site;
let desk: Desk;
let boards: Boards;
let kiosk: Visitor;
const { code: words, steps, open: opening } = student;

beforeAll(async () => {
	site = await Site.start();
	desk = await Desk.of(site);
	boards = new Boards(site);
	const admin = await Caller.logIn(site.url, site.told.accounts['admin']);
	await admin.ask('PUT', `/banks/${BANK}/opening`, { open_from: 'presence' });
	kiosk = await site.visitor();
	await desk.pair(kiosk, '문 앞', [BANK]);
});
afterAll(() => site.stop());
// Nobody uses a code twice: each walk has the next one, and a door that is closed.
beforeEach(async () => {
	await boards.close(WIRE);
	await boards.rest(WIRE);
	await boards.turn(STEP_S);
});

/** The digits on the screen now. */
async function shown(): Promise<string> {
	const answer = await kiosk.context.request.get('/api/v1/kiosk/presence', { headers: { 'X-Lockerd': '1' } });
	const { banks } = (await answer.json()) as { banks: { code: string }[] };
	return banks[0]?.code ?? '';
}

/** Digits that are on no screen. */
const other = (code: string): string => [...code].map((digit) => (Number(digit) + 5) % 10).join('');

async function type({ page }: Renter, code: string): Promise<void> {
	await page.getByLabel(words.label).fill(code);
	await page.getByLabel(words.label).press('Enter');
}

/** What the form says is wrong; it takes the focus. */
async function mistake({ page }: Renter): Promise<string> {
	const box = page.getByRole('alert').filter({ has: page.getByRole('link') });
	await box.waitFor();
	await expect.poll(() => box.evaluate((it) => it === document.activeElement)).toBe(true);
	return (await box.getByRole('listitem').first().innerText()).trim();
}

test('typed digits open, with blanks or without; too few are not sent', async () => {
	const renter = await Renter.of(site, desk, LOCKER);
	await renter.open();
	await renter.page.getByText(words.hint).waitFor();
	expect(renter.asked).toBe(0);
	const code = await shown();
	await type(renter, code.slice(0, 3));
	expect(await mistake(renter)).toBe(words.incomplete);
	expect(renter.asked).toBe(0);
	await type(renter, ` ${code.slice(0, 3)} ${code.slice(3)} `);
	await renter.step(steps.opened(String(LOCKER))).waitFor();
	expect(renter.asked).toBe(1);

	// The same digits a second time: another wish, and another code is needed.
	await boards.close(WIRE);
	await renter.page.getByRole('button', { name: opening.openAgain, exact: true, disabled: false }).click();
	await type(renter, code);
	const used = /^한 번 쓴 숫자입니다\. \d+초 뒤에 나오는 새 숫자를 써 주세요\.$/;
	expect(await mistake(renter)).toMatch(used);
	const before = await boards.pulses(WIRE);
	await boards.turn(STEP_S);
	await boards.rest(WIRE);
	await type(renter, await shown());
	await expect.poll(() => boards.pulses(WIRE)).toBe(before + 1);
	await renter.step(steps.opened(String(LOCKER))).waitFor();
	expect(renter.visitor.complaints).toEqual([]);
	await renter.leave();
});

test('wrong and expired digits open nothing, and who goes on guessing has to wait', async () => {
	const renter = await Renter.of(site, desk, LOCKER);
	const { page } = renter;
	const before = await boards.pulses(WIRE);
	const old = await shown();
	await boards.turn(2 * STEP_S);
	await renter.open();
	await type(renter, old);
	expect(await mistake(renter)).toBe(words.wrong(undefined));
	expect(await page.getByLabel(words.label).inputValue()).toBe('');
	// The wait after a wrong one is told with its length, and ends by itself.
	await type(renter, other(await shown()));
	await page.getByText('여러 번 틀려', { exact: false }).first().waitFor();
	await page.getByRole('button', { name: opening.again, exact: true, disabled: false }).click();
	await type(renter, await shown());
	await renter.step(steps.opened(String(LOCKER))).waitFor();
	expect(await boards.pulses(WIRE)).toBe(before + 1);
	expect(renter.visitor.complaints).toEqual([]);
	await renter.leave();
});

test('the code of the camera opens at once, and is gone from the address', async () => {
	const renter = await Renter.of(site, desk, LOCKER);
	const { page } = renter;
	const code = await shown();
	const addresses: string[] = [];
	page.on('request', (request) => addresses.push(request.url(), request.headers()['referer'] ?? ''));
	await page.goto(`/p/${BANK}#c=${code}`);
	await renter.step(steps.opened(String(LOCKER))).waitFor();
	expect(page.url()).not.toContain(code);
	expect(page.url()).not.toContain('#');
	// What a browser sends has no fragment.
	expect(addresses.filter((it) => it.split('#')[0]?.includes(code))).toEqual([]);
	expect(renter.asked).toBe(1);
	// The way back does not bring it back.
	await page.goBack();
	expect(page.url()).not.toContain(code);
	expect(renter.asked).toBe(1);
	expect(renter.visitor.complaints).toEqual([]);
	await renter.leave();
});

test('who is not logged in logs in first, and the camera need not look again', async () => {
	await desk.renter(LOCKER);
	const visitor = await site.visitor();
	const { page } = visitor;
	const code = await shown();
	await page.goto(`/p/${BANK}#c=${code}`);
	await page.getByRole('main').getByRole('link').first().click();
	await page.waitForURL('**/login**');
	expect(page.url()).not.toContain(code);
	await page.locator('#id').fill(site.told.accounts['student']?.id ?? '');
	await page.locator('#password').fill(site.told.accounts['student']?.password ?? '');
	await page.locator('form button[type=submit]').click();
	await page.getByText(steps.opened(String(LOCKER))).first().waitFor();
	// What was kept for the way is gone.
	expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain(code);
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('a picture of an old code asks for the digits that are shown now', async () => {
	const renter = await Renter.of(site, desk, LOCKER);
	const before = await boards.pulses(WIRE);
	const old = await shown();
	await boards.turn(2 * STEP_S);
	await renter.page.goto(`/p/${BANK}#c=${old}`);
	expect(await mistake(renter)).toBe(words.wrong(undefined));
	expect(await boards.pulses(WIRE)).toBe(before);
	await boards.turn(STEP_S);
	await type(renter, await shown());
	await renter.step(steps.opened(String(LOCKER))).waitFor();
	await renter.leave();
});
