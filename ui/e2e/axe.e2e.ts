/** Every page without a violation that axe finds, with themes and languages in pairs, on phone and desktop. */
import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Desk } from './desk';
import { KIOSK, LOOKS, OPEN, OWN, STAFF } from './pages';
import { Site } from './site';

const FACES = { nobody: OPEN, student: OWN, kiosk: KIOSK, admin: STAFF };

let site: Site;
let desk: Desk;

beforeAll(async () => {
	site = await Site.start();
	desk = await Desk.of(site);
});
afterAll(() => site.stop());

describe.each(LOOKS)('$look.language $look.theme $look.width', ({ look, round }) => {
	test.each(Object.entries(FACES))('%s', async (who, all) => {
		// Pairwise: every page in two looks that differ in theme, language and width, its neighbour in the other two.
		const paths = all.filter((_, at) => at % 2 === round % 2);
		const visitor = await site.visitor(look);
		const { page } = visitor;
		if (who === 'student') await visitor.logIn(site.told.accounts['student']);
		if (who === 'admin') await visitor.logIn(site.told.accounts['admin'], '/staff');
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
