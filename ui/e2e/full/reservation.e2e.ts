/** Reserving by days: by keys alone, by typed days, while somebody else is quicker, and taken back before it begins. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import { dates } from '../../src/lib/i18n/dates.ko';
import { Caller } from '../api';
import { Hands } from '../hands';
import { Site } from '../site';
import { turn } from '../time';

/** In pool mode. */
const BANK = 8;

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

/** Where the focus is in the month, as its number. */
const focused = (page: Page): Promise<string> =>
	page.evaluate(() => document.activeElement?.querySelector('.figure')?.textContent ?? '');

/** A day of the site, so many after another one. */
function after(day: string, days: number): string {
	const at = new Date(`${day}T12:00:00Z`);
	at.setUTCDate(at.getUTCDate() + days);
	return at.toISOString().slice(0, 10);
}

/** The first day on which a reservation may begin. */
async function firstDay(caller: Caller): Promise<string> {
	interface Calendar {
		reservations: { first_start_on: string };
	}
	return (await caller.ask<Calendar>('GET', `/banks/${BANK}/calendar`)).reservations.first_start_on;
}

/** The days that the form stands for. */
const typed = (page: Page): Promise<string[]> =>
	Promise.all(['#reserve-from', '#reserve-to'].map((field) => page.locator(field).inputValue()));

async function reserved(caller: Caller): Promise<{ starts_on: string; ends_on: string }[]> {
	interface Mine {
		reservations: { status: string; starts_on: string; ends_on: string }[];
	}
	const { reservations } = await caller.ask<Mine>('GET', '/reservations/me');
	return reservations.filter(({ status }) => status === 'reserved');
}

test('by keys alone: days are chosen in the month, reserved, and the reservation is taken back', async () => {
	const visitor = await site.visitor({ width: 390, height: 640 });
	const { page } = visitor;
	const hands = new Hands(page);
	await hands.watch();
	await hands.logIn(site.told.accounts['student'], `/b/${BANK}`);
	await hands.to(page.locator('[role=gridcell][tabindex="0"]'));
	const student = await Caller.logIn(site.url, site.told.accounts['student']);
	const first = await firstDay(student);
	const number = String(Number(first.slice(8)));
	expect(await focused(page)).toBe(number);
	await hands.press('ArrowDown', 'ArrowLeft', 'ArrowRight', 'ArrowUp');
	expect(await focused(page)).toBe(number);
	const month = page.getByRole('heading', { level: 3 }).first();
	const shown = await month.innerText();
	await hands.press('PageDown');
	expect(await month.innerText()).not.toBe(shown);
	await hands.press('PageUp');
	expect(await month.innerText()).toBe(shown);

	// A day that was chosen and a day before it: that one is the new start.
	await hands.press('ArrowRight', 'ArrowRight', 'Enter');
	await expect.poll(() => typed(page)).toEqual([after(first, 2), '']);
	await hands.press('ArrowLeft', 'Enter');
	await expect.poll(() => typed(page)).toEqual([after(first, 1), '']);
	await hands.press('ArrowRight', 'ArrowRight', 'Enter');
	await expect.poll(() => typed(page)).toEqual([after(first, 1), after(first, 3)]);
	await hands.choose(page.getByRole('button', { name: dates.pick.reserve }));
	await page.getByText(dates.done.title).first().waitFor();
	await hands.see('the reservation');
	expect(await reserved(student)).toMatchObject([{ starts_on: after(first, 1), ends_on: after(first, 3) }]);

	await hands.choose(page.getByRole('main').getByRole('button', { name: dates.mine.cancel }));
	const dialog = page.locator('dialog[open]');
	await dialog.waitFor();
	// Nobody takes it back by one Enter too many.
	await hands.press('Escape');
	await dialog.waitFor({ state: 'detached' });
	await page.getByRole('button', { name: dates.mine.cancel }).and(page.locator(':focus')).waitFor();
	await hands.press('Enter');
	await hands.choose(dialog.getByRole('button', { name: dates.cancel.yes }));
	await page.getByText(dates.cancel.done).first().waitFor();
	await hands.see('the cancellation');
	expect(await reserved(student)).toEqual([]);
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

test('by typed days, while somebody else takes the last place of one of them', async () => {
	const [admin, staff, student] = await Promise.all(
		['admin', 'staff', 'student'].map((who) => Caller.logIn(site.url, site.told.accounts[who]))
	);
	if (!admin || !staff || !student) throw new Error('the demonstration has no sample accounts');
	const first = await firstDay(student);
	const [day, lost] = [after(first, 4), after(first, 6)];
	// One place a day is left.
	const { lockers } = await admin.ask<{ lockers: { locker_id: number }[] }>('GET', `/banks/${BANK}/lockers?limit=100`);
	for (const { locker_id } of lockers.slice(1)) {
		await admin.ask('PUT', `/lockers/${locker_id}/service`, { in_service: false, reason: '경첩이 부러짐' });
	}

	const visitor = await site.visitor();
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['student'], `/b/${BANK}`);
	const reserve = page.getByRole('button', { name: dates.pick.reserve });
	// What is no day is told at its field, in a summary that leads there.
	await page.locator('#reserve-from').fill('내일');
	await reserve.click();
	await page.getByRole('alert').getByRole('link', { name: dates.pick.noTo }).waitFor();
	await page.getByRole('alert').getByRole('link').first().click();
	expect(await page.evaluate(() => document.activeElement?.id)).toBe('reserve-from');
	await page.locator('#reserve-from').fill(day);
	await page.locator('#reserve-to').fill(lost);
	await page.locator('#reserve-to').press('Tab');
	await expect.poll(() => page.locator('[role=gridcell][aria-selected=true]').count()).toBeGreaterThan(0);

	await staff.ask('POST', `/banks/${BANK}/reservations`, { starts_on: lost, ends_on: lost });
	// Days are asked for anew from time to time, and when somebody comes back to the page.
	await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
	await page.getByText(dates.justFull(lost)).waitFor();
	// Nothing that was typed is gone; pressed all the same, it says why not.
	expect(await typed(page)).toEqual([day, lost]);
	await reserve.click();
	await page.locator('#reserve-to[aria-invalid=true]').waitFor();
	expect(await reserved(student)).toEqual([]);
	// Taken in the very moment: the server knows, and the page with it.
	await page.locator('#reserve-to').fill(after(lost, -1));
	await page.locator('#reserve-to').press('Tab');
	await page.getByText(dates.pick.chosen('', '2일').trim(), { exact: false }).waitFor();
	await admin.ask('POST', `/banks/${BANK}/reservations`, { starts_on: after(lost, -1), ends_on: after(lost, -1) });
	await reserve.click();
	await page.getByText(dates.justFull(after(lost, -1))).waitFor();
	expect(await reserved(student)).toEqual([]);
	await page.locator('#reserve-to').fill(day);
	await reserve.click();
	await page.getByText(dates.done.title).first().waitFor();
	expect(await reserved(student)).toMatchObject([{ starts_on: day, ends_on: day }]);

	// From the first day on it is too late to take it back: then it is checked in.
	await page.getByRole('button', { name: dates.mine.cancel }).waitFor();
	await turn(site, 5 * 24 * 3600);
	await visitor.leave();
	const later = await site.visitor();
	await later.logIn(site.told.accounts['student'], '/my');
	await later.page.getByRole('button', { name: dates.mine.checkIn, exact: true }).waitFor();
	expect(await later.page.getByRole('button', { name: dates.mine.cancel }).count()).toBe(0);
	expect([...visitor.complaints, ...later.complaints]).toEqual([]);
	await later.leave();
});
