/** Every page in both languages, changed in place: nothing is left in the other one, and nothing is cut off. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Page } from 'playwright-core';
import type { Language } from '../../src/lib/i18n/language';
import { Caller } from '../api';
import { Desk } from '../desk';
import { KIOSK, OPEN, OWN, STAFF } from '../pages';
import { Site, type Visitor } from '../site';
import { Sent, cutOff, ownTexts, wrongWords } from '../spoken';

const FACES = { nobody: OPEN, student: OWN, kiosk: KIOSK, admin: STAFF };
const OTHER: Record<Language, Language> = { ko: 'en', en: 'ko' };
const NAMES: Record<Language, string> = { ko: '한국어', en: 'English' };

let site: Site;
let desk: Desk;
let own: Awaited<ReturnType<typeof ownTexts>>;

beforeAll(async () => {
	site = await Site.start();
	desk = await Desk.of(site);
	own = await ownTexts();
	// Something on the pages: a rental, an alarm, a door that does not open.
	await desk.renter(101);
	await site.door('bus1', 0, 2, 'open');
	await site.door('bus1', 0, 4, 'jam');
	const admin = await Caller.logIn(site.url, site.told.accounts['admin']);
	await admin.ask('POST', '/lockers/104/open', {});
});
afterAll(() => site.stop());

async function enter(who: string, visitor: Visitor): Promise<void> {
	if (who === 'kiosk') await desk.pair(visitor, '로비', [1, 2]);
	else if (who !== 'nobody') await visitor.logIn(site.told.accounts[who], '/me');
}

async function see(page: Page, path: string): Promise<void> {
	await page.goto(path);
	await page.locator('h1').first().waitFor();
	await page.waitForLoadState('networkidle');
	if (path.startsWith('/kiosk')) await page.locator('[data-code], #diagonal').first().waitFor();
}

/** Presses the name of the other language, and sees that the page stays. By script: a drawer may lie over the head. */
async function speak(page: Page, language: Language): Promise<void> {
	const address = page.url();
	await page.evaluate(() => Object.assign(window, { sameDocument: true }));
	await page.locator(`button:is([lang=${language}], :has([lang=${language}]))`, { hasText: NAMES[language] }).first().dispatchEvent('click');
	await page.locator(`html[lang=${language}]`).waitFor({ state: 'attached' });
	expect(await page.evaluate(() => 'sameDocument' in window), 'loaded anew').toBe(true);
	expect(page.url()).toBe(address);
}

describe.each(Object.entries(FACES))('%s', (who, paths) => {
	test('changes the language where they are, and everything follows', async () => {
		const visitor = await site.visitor({ width: 1024 });
		const { page } = visitor;
		const sent = new Sent(page);
		const found: string[] = [];
		await enter(who, visitor);
		for (const path of paths) {
			await see(page, path);
			const first = (await page.locator('html').getAttribute('lang')) as Language;
			for (const language of [OTHER[first], first]) {
				await speak(page, language);
				const wrong = await wrongWords(page, language, sent, own);
				found.push(...wrong.map((text) => `${path} ${language}: ${text}`));
			}
		}
		expect(found).toEqual([]);
		expect(visitor.complaints).toEqual([]);
		await visitor.leave();
	});

	test('reads every button and heading to its end at 320 px in English', async () => {
		const visitor = await site.visitor({ width: 320, height: 640, language: 'en' });
		const found: string[] = [];
		await enter(who, visitor);
		for (const path of paths) {
			await see(visitor.page, path);
			found.push(...(await cutOff(visitor.page)).map((text) => `${path}: ${text}`));
		}
		expect(found).toEqual([]);
		await visitor.leave();
	});
});
