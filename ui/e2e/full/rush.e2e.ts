/** The opening second: two hundred others want the same hundred lockers, and three pages tell the truth of it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bank as words } from '../../src/lib/i18n/bank.ko';
import { Caller, Refused } from '../api';
import { Site, type Visitor } from '../site';

const LOCKERS = 100;
const OTHERS = 200;
const PAGES = 3;
/** What nearly everybody wants first. */
const BEST = 50;
/** Within so long after the opening second the others press. */
const SPREAD_MS = 2000;
/** So old may be what a page shows of a cell that is gone. */
const OLD_MS = 1000;

interface Student {
	student_id: string;
	token: string;
}

let folder: string;
let site: Site;
let students: Student[];

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'lockerd-e2e-'));
	const tokens = join(folder, 'tokens');
	// One of the students has a password and stays at home.
	const options = ['--lockers', LOCKERS, '--students', OTHERS + PAGES + 1, '--tokens', tokens];
	site = await Site.start(...options.map(String));
	const lines = (await readFile(tokens, 'utf8')).trim().split('\n');
	students = lines.map((line) => JSON.parse(line) as Student).filter(({ student_id: id }) => id.startsWith('L'));
});
afterAll(async () => {
	await site.stop();
	await rm(folder, { recursive: true, force: true });
});

/** One of the others, a moment after the opening: what many want, then what chance gives, then whatever there is. */
async function claim(token: string): Promise<number | undefined> {
	await new Promise((resolve) => setTimeout(resolve, Math.random() * SPREAD_MS));
	const caller = Caller.with(site.url, token);
	const wishes = [BEST, ...Array.from({ length: 3 }, () => 1 + Math.floor(Math.random() * LOCKERS))];
	for (;;) {
		const wish = wishes.shift();
		const path = wish === undefined ? '/banks/1/hold' : `/lockers/${wish}/hold`;
		try {
			const { locker_id: locker } = await caller.ask<{ locker_id: number }>('POST', path);
			await caller.ask('POST', `/lockers/${locker}/confirm`);
			return locker;
		} catch (error) {
			if (!(error instanceof Refused)) throw error;
			if (error.code === 'no_free_locker') return undefined;
			expect(['locker_taken', 'overloaded']).toContain(error.code);
		}
	}
}

/** A page of a student, on the map before the window opens; it notes when each cell was first shown as gone. */
async function come({ student_id: id }: Student): Promise<Visitor> {
	const visitor = await site.visitor();
	const { page } = visitor;
	await page.goto('/login/roster?back=/b/1');
	await page.locator('#id').fill(id);
	await page.locator('#name').fill('부하 학생');
	await page.locator('#phone').fill(`0190${id.slice(1)}`);
	await page.locator('form button[type=submit]').click();
	await page.waitForURL('**/b/1');
	await page.locator(`[role=gridcell][aria-label*="${words.states.free}"]`).nth(LOCKERS - 1).waitFor();
	await page.evaluate(note, words.states.free);
	return visitor;
}

declare global {
	var shownGone: Map<number, number> | undefined;
}

function note(free: string): void {
	const shown = (globalThis.shownGone = new Map<number, number>());
	new MutationObserver((changes) => {
		for (const { target } of changes) {
			const label = (target as Element).getAttribute('aria-label') ?? '';
			const number = Number.parseInt(label, 10);
			if (!label.includes(free) && !shown.has(number)) shown.set(number, Date.now());
		}
	}).observe(document, { subtree: true, attributeFilter: ['aria-label'] });
}

const seenBy = async (page: Page): Promise<Map<number, number>> =>
	new Map(await page.evaluate(() => [...(globalThis.shownGone ?? [])]));

/** Wants one cell; whoever does not get it learns why, beside the button that was pressed. */
async function want(page: Page, number: string): Promise<void> {
	const { why } = words.sheet;
	const told = [words.missed.lost(number), why['held'] ?? '', why['taken'] ?? ''].map((text) => page.getByText(text));
	const lost = told.reduce((one, other) => one.or(other)).first();
	await Promise.race([
		page.getByRole('button', { name: words.sheet.hold(number), exact: true }).click({ force: true }),
		lost.waitFor({ timeout: 60_000 })
	]);
	await Promise.race([page.waitForURL('**/b/1/hold', { timeout: 60_000 }), lost.waitFor({ timeout: 60_000 })]);
}

/** Takes whatever there is until there is a locker or the page says why not. */
async function strive(page: Page): Promise<string> {
	const held = page.waitForURL('**/b/1/hold', { timeout: 60_000 }).then(() => 'held', () => 'not held');
	const none = page.getByText(words.missed.none).or(page.getByText(words.missed.coming)).first();
	const any = page.getByRole('button', { name: words.any, exact: true });
	if (!page.url().endsWith('/hold')) await any.click({ timeout: 60_000 });
	const came = await Promise.race([held, none.waitFor({ timeout: 60_000 }).then(() => 'none')]);
	if (came !== 'held') return came;
	await page.getByRole('button', { name: words.hold.confirm }).click();
	await page.getByRole('heading', { name: words.hold.doneTitle }).waitFor({ timeout: 60_000 });
	return 'rented';
}

test('each ends with a locker or a true reason, and what is gone is not shown as free', async () => {
	const admin = await Caller.logIn(site.url, site.told.accounts['admin']);
	const { terms } = await admin.ask<{ terms: { term_id: number }[] }>('GET', '/terms');
	const opensIn = (ms: number): Promise<unknown> =>
		admin.ask('PATCH', `/terms/${terms[0]?.term_id}`, { opens_at: new Date(Date.now() + ms).toISOString() });
	await opensIn(3_600_000);
	const mine = students.slice(0, PAGES);
	const visitors: Visitor[] = [];
	for (const student of mine) visitors.push(await come(student));
	const [quick, eager, late] = visitors.map(({ page }) => page) as [Page, Page, Page];

	// What the eager one wants is what all want.
	await eager.locator(`[role=gridcell][aria-label^="${BEST}번"]`).click();
	await opensIn(8000);
	const opened = quick.getByText('신청을 받고 있습니다').first().waitFor({ timeout: 20_000 });
	const others = opened.then(() => Promise.all(students.slice(PAGES, PAGES + OTHERS).map(({ token }) => claim(token))));
	const wish = opened.then(() => want(eager, String(BEST)));
	const ends = await Promise.all([
		opened.then(() => strive(quick)),
		wish.then(() => strive(eager)),
		others.then(() => strive(late)),
		others
	]);
	const [, , lateEnd, rented] = ends;
	const { rentals } = await admin.ask<{ rentals: { locker_id: number; held_at: string }[] }>(
		'GET',
		'/rentals?state=live&bank_id=1&limit=100'
	);
	expect(new Set(rentals.map(({ locker_id: id }) => id)).size).toBe(LOCKERS);

	// The last one saw the whole rush from the map: no cell was shown as free for long after it was gone.
	const shown = await seenBy(late);
	const ages = rentals.map(({ locker_id: id, held_at: at }) => (shown.get(id) ?? Infinity) - Date.parse(at));
	console.log(`${ends.slice(0, PAGES).join(', ')}; ${rented.filter(Boolean).length} of ${OTHERS} others have one`);
	console.log(`shown as gone after ${Math.max(...ages)} ms at most`);
	expect(Math.max(...ages)).toBeLessThan(OLD_MS);

	// What pages say is what the server has written down.
	for (const [index, { token }] of mine.entries()) {
		const { locker } = await Caller.with(site.url, token).ask<{ locker: { state: string } | null }>('GET', '/lockers/me');
		expect(locker?.state ?? 'none').toBe(ends[index] === 'rented' ? 'active' : 'none');
	}
	expect(lateEnd).toBe('none');
	for (const { complaints } of visitors) expect(complaints).toEqual([]);
	for (const visitor of visitors) await visitor.leave();
});
