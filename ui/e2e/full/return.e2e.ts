/** Giving a locker back: the open door, the way back in and its end, and doors that nobody can see. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { student } from '../../src/lib/i18n/student.ko';
import { Caller } from '../api';
import { Boards } from '../boards';
import { Desk } from '../desk';
import { Renter } from '../renter';
import { Site } from '../site';

/** How long a bank of a demonstration lets its former renter in. */
const GRACE_S = 600;

let site: Site;
let desk: Desk;
let boards: Boards;
const { giveBack: words, waits, steps, open: opening } = student;

beforeAll(async () => {
	site = await Site.start();
	desk = await Desk.of(site);
	boards = new Boards(site);
});
afterAll(() => site.stop());

const on = (locker: number) => ({ bus: 'bus2', board: 1, lock: locker > 600 ? locker - 597 : locker - 500 });

/** From the page of one's own locker through the check; the door is as it was. */
async function giveBack({ page, locker }: Renter): Promise<void> {
	await page.goto('/my');
	await page.getByRole('link', { name: student.my.giveBack, exact: true }).click();
	await page.waitForURL(`**/my/return?locker=${locker}`);
	await page.getByRole('checkbox', { name: words.emptied }).check();
	await page.getByRole('button', { name: words.button, exact: true }).click();
}

async function leaves(renter: Renter): Promise<void> {
	expect(renter.visitor.complaints).toEqual([]);
	await renter.leave();
}

test('an open door is waited for in view; then there is a way back, and its end refuses', async () => {
	const renter = await Renter.of(site, desk, 601);
	const { page } = renter;
	await renter.open();
	await renter.step(steps.opened('601')).waitFor();

	// Nothing is given back that was not looked through.
	await page.goto('/my/return?locker=601');
	await page.getByRole('button', { name: words.button, exact: true }).click();
	const mistakes = page.getByRole('alert').filter({ hasText: words.emptiedNeeded });
	await mistakes.waitFor();
	await mistakes.getByRole('link').click();
	expect(await page.getByRole('checkbox').evaluate((it) => it === document.activeElement)).toBe(true);

	await giveBack(renter);
	await page.getByText(waits.doorOpen).waitFor();
	expect(await page.getByText(words.done).count()).toBe(0);
	await boards.close(on(601));
	await page.getByText(words.done).waitFor();
	await page.getByText(/^두고 온 물건이 있으면 (10:00|9:\d\d|10분|9분.*) 안에 다시 열 수 있습니다\.$/).waitFor();

	// The way back in: it waits for the door anew, and grants its whole time anew.
	await boards.rest(on(601));
	await boards.turn(GRACE_S / 2);
	await renter.button(words.reopen).click();
	await renter.step(steps.opened('601')).waitFor();
	await page.goto('/my/return?locker=601');
	await page.getByText(waits.doorOpen).waitFor();
	await boards.close(on(601));
	await page.getByText(words.done).waitFor();
	await boards.turn(GRACE_S / 2 + 1);
	await page.reload();
	await renter.button(words.reopen).waitFor();

	// Elsewhere a page stands open that knows nothing of the end.
	const other = await page.context().newPage();
	await other.goto('/my/open?locker=601');
	await other.getByRole('button', { name: opening.button('601') }).waitFor();
	await boards.turn(GRACE_S / 2);
	await expect.poll(() => renter.button(words.reopen).count(), { timeout: 20_000 }).toBe(0);
	await page.getByText(words.done).waitFor();
	const pulses = await boards.pulses(on(601));
	await other.getByRole('button', { name: opening.button('601') }).click();
	await other.getByText(opening.notNow(opening.returned)).first().waitFor();
	expect(await boards.pulses(on(601))).toBe(pulses);
	await page.goto('/my');
	await page.getByText(student.my.empty).waitFor();
	await leaves(renter);
});

test('a locker that was never opened is free at once, for others too', async () => {
	const renter = await Renter.of(site, desk, 602);
	await giveBack(renter);
	await renter.page.getByText(words.done).waitFor();
	expect(await renter.button(words.reopen).count()).toBe(0);
	const staff = await Caller.logIn(site.url, site.told.accounts['staff']);
	expect(await staff.ask('GET', '/lockers/602')).toMatchObject({ state: 'free' });
	await leaves(renter);
});

test('a door that cannot be seen: the word of the renter, each opening makes it void', async () => {
	const renter = await Renter.of(site, desk, 502);
	const { page } = renter;
	await renter.open();
	await renter.step(steps.opened('502')).waitFor();
	await blind(502);
	await giveBack(renter);
	await page.getByText(words.done).waitFor();
	await boards.rest(on(502));
	await renter.button(words.reopen).click();
	await renter.page.waitForURL('**op=**');
	await page.goto('/my/return?locker=502');
	await page.getByText(waits.confirmation).waitFor();
	await renter.button(words.emptiedButton).click();
	await page.getByText(words.done).waitFor();
	await boards.mend();
	await leaves(renter);
});

test('a door that cannot be seen, where staff look: they finish it, and the page learns it by itself', async () => {
	const admin = await Caller.logIn(site.url, site.told.accounts['admin']);
	const policy = await admin.ask<{ returns: object }>('GET', '/banks/7/policy');
	await admin.ask('PUT', '/banks/7/policy', { ...policy, returns: { ...policy.returns, unseen: 'staff' } });
	const renter = await Renter.of(site, desk, 603);
	const { page } = renter;
	await renter.open();
	await renter.step(steps.opened('603')).waitFor();
	await blind(603);
	await giveBack(renter);
	await page.getByText(waits.staff).waitFor();
	await page.goto('/my');
	await page.getByText(waits.staff).waitFor();
	await page.goBack();
	await page.getByText(waits.staff).waitFor();
	await admin.ask('POST', '/lockers/603/free', { reason: '비어 있음' });
	await page.getByText(words.done).waitFor();
	await boards.mend();
	await leaves(renter);
});

/** Lets a sensor chatter until nobody believes it; it goes on for a minute. */
async function blind(locker: number): Promise<void> {
	await boards.fault({ ...on(locker), kind: 'bounce', edges: 120, ms: 500 });
	const caller = await Caller.logIn(site.url, site.told.accounts['student']);
	const isFaulty = async (): Promise<boolean> => {
		const { alarms } = await caller.ask<{ alarms: { kind: string; locker_id: number; cleared_at: unknown }[] }>(
			'GET',
			'/me/alarms'
		);
		return alarms.some((it) => it.kind === 'sensor_fault' && it.locker_id === locker && !it.cleared_at);
	};
	await expect.poll(isFaulty, { timeout: 20_000 }).toBe(true);
}
