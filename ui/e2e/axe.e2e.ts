/** Every page without a violation that axe finds, with themes and languages in pairs, on phone and desktop. */
import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Desk } from './desk';
import { Site, type Look } from './site';

/** What somebody sees who is not logged in. */
const OPEN = ['/', '/places', '/login', '/login/roster', '/signup', '/password'];
/** What a student sees. */
const OWN = [
	'/',
	'/places',
	'/b/1',
	// In pool mode: a calendar.
	'/b/8',
	// There is none.
	'/b/99',
	'/b/1/hold',
	'/my',
	'/my/open',
	'/my/return',
	'/my/swap',
	'/me',
	'/me/display',
	'/me/sessions',
	'/me/totp',
	'/me/email',
	'/me/password',
	'/me/penalty',
	'/me/data',
	'/me/delete'
];

/** What a kiosk shows; the looks are those of its device. */
const KIOSK = ['/kiosk', '/kiosk/setup'];

/** Each theme with each language, and each of them with each width. */
const LOOKS: Look[] = [
	{ language: 'ko', theme: 'light', width: 390 },
	{ language: 'ko', theme: 'dark', width: 1440, height: 900 },
	{ language: 'en', theme: 'light', width: 1440, height: 900 },
	{ language: 'en', theme: 'dark', width: 320, height: 640 }
];

let site: Site;
let desk: Desk;

beforeAll(async () => {
	site = await Site.start();
	desk = await Desk.of(site);
});
afterAll(() => site.stop());

describe.each(LOOKS)('$language $theme $width', (look) => {
	test.each([
		{ who: 'nobody', paths: OPEN },
		{ who: 'student', paths: OWN },
		{ who: 'kiosk', paths: KIOSK }
	])('$who', async ({ who, paths }) => {
		const visitor = await site.visitor(look);
		const { page } = visitor;
		if (who === 'student') await visitor.logIn(site.told.accounts['student']);
		if (who === 'kiosk') {
			await desk.pair(visitor, '로비', [1, 2]);
			const settings = JSON.stringify({ language: look.language, isDark: look.theme === 'dark' });
			await page.addInitScript((kept) => localStorage.setItem('lockerd.kiosk', kept), settings);
		}
		for (const path of paths) {
			await page.goto(path);
			await page.locator('h1').waitFor();
			await page.waitForLoadState('networkidle');
			if (who === 'kiosk') await page.locator('[data-code], #diagonal').first().waitFor();
			const found = await new AxeBuilder({ page }).analyze();
			const told = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
			expect(told, path).toEqual([]);
			const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
			expect(isWider, `${path} scrolls sideways`).toBe(false);
		}
		expect(visitor.complaints).toEqual([]);
		await visitor.leave();
	});
});
