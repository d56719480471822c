/**
 * Pictures of what pages show only at a certain moment: a hold that is about to end, each outcome of an opening, full
 * days, mistakes, a lost connection, a rental that is over. Part of `make screenshots`; `SHOTS` narrows it down to
 * looks (`phone-ko-light`).
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WebSocketRoute } from 'playwright-core';
import { bank as bankKo } from '../../src/lib/i18n/bank.ko';
import { bank as bankEn } from '../../src/lib/i18n/bank.en';
import { dates as datesKo } from '../../src/lib/i18n/dates.ko';
import { dates as datesEn } from '../../src/lib/i18n/dates.en';
import { student as studentKo } from '../../src/lib/i18n/student.ko';
import { student as studentEn } from '../../src/lib/i18n/student.en';
import { Caller } from '../api';
import { Site, type Look, type Visitor } from '../site';

const FOLDER = fileURLToPath(new URL('../../screenshots', import.meta.url));
const ONLY = new RegExp(process.env['SHOTS'] ?? '');
const KO = { bank: bankKo, dates: datesKo, student: studentKo };
const EN = { bank: bankEn, dates: datesEn, student: studentEn };
const LOOKS: [string, Look][] = [
	['phone-ko-light', { language: 'ko', theme: 'light' }],
	['phone-en-dark', { language: 'en', theme: 'dark' }],
	['narrow-en-light', { language: 'en', theme: 'light', width: 320, height: 640 }],
	['desktop-ko-light', { language: 'ko', theme: 'light', width: 1440, height: 900 }]
];
const LOCKERS = 60;
const FIRST = 6001;
/** As people see it who have one kind of cones less, or as a grey print shows it. */
const EYES = ['protanopia', 'deuteranopia', 'achromatopsia'] as const;

describe.each(LOOKS.filter(([name]) => ONLY.test(name)))('%s', (name, look) => {
	const words = look.language === 'en' ? EN : KO;
	let site: Site;
	let admin: Caller;
	let visitor: Visitor;
	let socket: WebSocketRoute | undefined;
	let large = 0;

	/** The whole page, with the bar at its end as on a long screen. */
	async function shoot(what: string): Promise<void> {
		const { page } = visitor;
		const { width = 390, height = 844 } = look;
		const whole = await page.evaluate(() => document.documentElement.scrollHeight);
		await page.setViewportSize({ width, height: Math.max(height, whole) });
		await page.screenshot({ path: `${FOLDER}/state-${what}-${name}.png` });
		await page.setViewportSize({ width, height });
	}

	beforeAll(async () => {
		mkdirSync(FOLDER, { recursive: true });
		site = await Site.start();
		admin = await Caller.logIn(site.url, site.told.accounts['admin']);
		const { location_id } = await admin.ask<{ location_id: number }>('POST', '/locations', {
			name: { ko: '과학도서관 6층', en: 'Science Library 6F' }
		});
		const names = { ko: '큰 사물함', en: 'Large bank' };
		({ bank_id: large } = await admin.ask<{ bank_id: number }>('POST', '/banks', { location_id, name: names }));
		await admin.ask('POST', `/banks/${large}/lockers`, { from: FIRST, to: FIRST + LOCKERS - 1 });
		const policy = await admin.ask<{ options: object }>('GET', '/banks/1/policy');
		const options = { ...policy.options, hold_extension: true };
		await admin.ask('PUT', '/banks/1/policy', { ...policy, hold_seconds: 15, options });
		visitor = await site.visitor(look);
		await visitor.page.routeWebSocket(/\/api\/v1\/ws$/, (route) => {
			route.connectToServer();
			socket = route;
		});
		await visitor.logIn(site.told.accounts['student'], '/me');
	});
	afterAll(async () => {
		expect(visitor.complaints).toEqual([]);
		await site.stop();
	});

	test('a map with every state, as different eyes see it', async () => {
		const { page } = visitor;
		const cells = page.locator('[role=gridcell]');
		await page.goto(`/b/${large}`);
		await cells.nth(LOCKERS - 1).waitFor();
		await page.waitForLoadState('networkidle');
		const states = ['taken', 'free', 'held', 'taken', 'taken', 'out_of_service', 'mine', 'taken', 'my_hold'];
		const state = (at: number): string | undefined => (at > 45 ? 'free' : states[at % states.length]);
		const items = Array.from({ length: LOCKERS }, (_, at) => ({ locker_id: FIRST + at, state: state(at) }));
		const version = 1_000_000;
		const changes = [{ version, topic: 'lockers', bank: large, items }];
		socket?.send(JSON.stringify({ type: 'delta', version, changes }));
		await cells.first().and(page.locator('[data-look=taken]')).waitFor();
		await shoot('map');
		const devtools = await visitor.context.newCDPSession(page);
		for (const type of EYES) {
			await devtools.send('Emulation.setEmulatedVisionDeficiency', { type });
			await shoot(`map-${type}`);
		}
		await devtools.send('Emulation.setEmulatedVisionDeficiency', { type: 'none' });
		await cells.nth(51).click();
		await page.getByRole('button', { name: words.bank.sheet.hold(String(FIRST + 51)) }).waitFor();
		await shoot('map-chosen');
		await cells.first().click();
		await page.getByText(words.bank.sheet.near).waitFor();
		await shoot('map-taken');
		await page.getByRole('button', { name: words.bank.map.asList }).click();
		await page.getByRole('table').waitFor();
		await shoot('map-list');
		await page.getByRole('button', { name: words.bank.map.asMap }).click();
	});

	test('a hold at 12 seconds, one that is over, one that is confirmed', async () => {
		const { page } = visitor;
		const hold = async (): Promise<void> => {
			await page.goto('/b/1');
			await page.locator('[role=gridcell][aria-label*="101"]').click();
			await page.getByRole('button', { name: words.bank.sheet.hold('101') }).click();
			await page.waitForURL('**/b/1/hold');
		};
		await hold();
		await page.getByText(/\b12\b/).first().waitFor();
		await shoot('hold-12');
		await page.getByRole('heading', { name: words.bank.hold.expiredTitle }).waitFor({ timeout: 30_000 });
		await shoot('hold-over');
		await hold();
		await page.getByRole('button', { name: words.bank.hold.confirm }).click();
		await page.getByRole('heading', { name: words.bank.hold.doneTitle }).waitFor();
		await shoot('hold-done');
	});

	test('an opening that jams twice, one that succeeds, the return', async () => {
		const { page } = visitor;
		const { open, steps, card, giveBack } = words.student;
		await page.goto('/');
		await page.getByText(card.open('101')).first().waitFor();
		await shoot('home-rented');
		await page.goto('/my');
		await page.getByText(card.open('101')).or(page.getByText(card.openShort, { exact: true })).first().waitFor();
		await page.waitForLoadState('networkidle');
		await shoot('my-rented');
		await site.door('bus1', 0, 1, 'jam');
		await page.goto('/my/open?locker=101');
		await page.getByRole('button', { name: open.button('101') }).waitFor();
		await shoot('open-ready');
		await page.getByRole('button', { name: open.button('101') }).click();
		await page.getByText(steps.didNotOpen).first().waitFor();
		await page.getByRole('button', { name: open.again }).waitFor();
		await shoot('open-jam');
		await page.getByRole('button', { name: open.again }).click();
		await page.getByText(steps.didNotOpenTwice).first().waitFor();
		await shoot('open-jam-twice');
		await site.door('bus1', 0, 1, 'unjam');
		await page.getByRole('button', { name: open.again }).click();
		await page.getByText(steps.opened('101')).first().waitFor();
		await shoot('open-opened');
		await page.goto('/my/return?locker=101');
		await page.getByText(giveBack.doorOpen).waitFor();
		await page.getByRole('button', { name: giveBack.button, exact: true }).click();
		await page.getByText(giveBack.emptiedNeeded).first().waitFor();
		await shoot('return-mistake');
		await page.getByRole('checkbox').check();
		await page.getByRole('button', { name: giveBack.button, exact: true }).click();
		await page.getByText(words.student.waits.doorOpen).waitFor();
		await shoot('return-open');
		await site.door('bus1', 0, 1, 'close');
		await page.getByText(words.student.waits.free).first().waitFor();
		await shoot('return-given');
	});

	test('full days, chosen days, mistakes', async () => {
		const { page } = visitor;
		const pick = words.dates.pick;
		const { lockers } = await admin.ask<{ lockers: { locker_id: number }[] }>('GET', '/banks/8/lockers?limit=100');
		for (const { locker_id } of lockers.slice(1))
			await admin.ask('PUT', `/lockers/${locker_id}/service`, { in_service: false, reason: '점검' });
		const day = (from: number): string => new Date(Date.now() + from * 86_400_000).toISOString().slice(0, 10);
		const staff = await Caller.logIn(site.url, site.told.accounts['staff']);
		await staff.ask('POST', '/banks/8/reservations', { starts_on: day(5), ends_on: day(7) });
		await page.goto('/b/8');
		await page.locator('[role=gridcell]').first().waitFor();
		await page.getByRole('button', { name: pick.reserve }).click();
		await page.getByText(pick.noFrom).first().waitFor();
		await shoot('days-mistake');
		await page.getByLabel(pick.from, { exact: true }).fill(day(2));
		await page.getByLabel(pick.from, { exact: true }).blur();
		await shoot('days-first');
		await page.getByLabel(pick.to, { exact: true }).fill(day(3));
		await page.getByLabel(pick.to, { exact: true }).blur();
		await page.getByRole('button', { name: pick.reserve }).click();
		await page.waitForLoadState('networkidle');
		await shoot('days-reserved');
	});

	test('a lost connection', async () => {
		const { page } = visitor;
		await page.goto('/b/2');
		await page.locator('[role=gridcell]').first().click();
		await page.routeWebSocket(/\/api\/v1\/ws$/, (route) => route.close());
		await visitor.context.setOffline(true);
		await socket?.close();
		await page.getByRole('status').locator('p').first().waitFor({ timeout: 30_000 });
		await shoot('offline');
		await visitor.context.setOffline(false);
	});

	test('a rental that is over', async () => {
		const mine = await Caller.logIn(site.url, site.told.accounts['student']);
		const { reservations } = await mine.ask<{ reservations: { reservation_id: number }[] }>('GET', '/reservations/me');
		for (const { reservation_id } of reservations) await mine.ask('DELETE', `/reservations/${reservation_id}`);
		await mine.ask('POST', '/lockers/104/hold');
		await mine.ask('POST', '/lockers/104/confirm');
		await site.turn(125 * 86_400);
		const late = await site.visitor(look);
		await late.logIn(site.told.accounts['student'], '/');
		visitor = late;
		await late.page.waitForLoadState('networkidle');
		await shoot('home-late');
		await late.page.goto('/my');
		await late.page.waitForLoadState('networkidle');
		await shoot('my-late');
	});
});
