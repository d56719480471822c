/** A picture of every screen of the kiosk, upright and lying, Korean and English, light and dark, low and in large letters. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Kiosk } from '../../src/lib/i18n/kiosk.ko';
import { kiosk as english } from '../../src/lib/i18n/kiosk.en';
import { kiosk as korean } from '../../src/lib/i18n/kiosk.ko';
import { student as englishStudent } from '../../src/lib/i18n/student.en';
import { student as koreanStudent } from '../../src/lib/i18n/student.ko';
import type { Language } from '../../src/lib/i18n/language';
import { Desk } from '../desk';
import { signIn } from '../kiosk';
import { Site } from '../site';

const FOLDER = fileURLToPath(new URL('../../screenshots', import.meta.url));
const WORDS: Record<Language, Kiosk> = { ko: korean, en: english };
const STEPS = { ko: koreanStudent.steps, en: englishStudent.steps };
const UPRIGHT = { size: 'upright', width: 1080, height: 1920, diagonalMm: 686 };
const LYING = { size: 'lying', width: 1280, height: 800, diagonalMm: 257 };

const LOOKS = [
	{ ...UPRIGHT, language: 'ko', isDark: false, isLow: false, isLarge: false },
	{ ...UPRIGHT, language: 'en', isDark: true, isLow: true, isLarge: false },
	{ ...UPRIGHT, language: 'en', isDark: false, isLow: true, isLarge: true },
	{ ...LYING, language: 'ko', isDark: true, isLow: false, isLarge: false },
	{ ...LYING, language: 'en', isDark: false, isLow: false, isLarge: true },
	{ ...LYING, language: 'ko', isDark: false, isLow: true, isLarge: true }
] as const;

let site: Site;
let desk: Desk;

beforeAll(async () => {
	mkdirSync(FOLDER, { recursive: true });
	site = await Site.start();
	desk = await Desk.of(site);
});
afterAll(() => site.stop());

const nameOf = (look: (typeof LOOKS)[number]): string =>
	[look.size, look.language, look.isDark ? 'dark' : 'light', look.isLow && 'low', look.isLarge && 'large'].filter(Boolean).join('-');

test.each(LOOKS.map((look, at) => ({ ...look, name: nameOf(look), lock: at + 1 })))('$name', async ({ name, width, height, lock, ...settings }) => {
	const { language } = settings;
	const words = WORDS[language];
	const steps = STEPS[language];
	const visitor = await site.visitor({ width, height, language });
	const { page } = visitor;
	await page.clock.install();
	// Another locker in each look: a lock that was tried so often must rest.
	const locker = String(100 + lock);
	const { id, member } = await desk.renter(Number(locker));
	const shoot = (screen: string): Promise<unknown> =>
		page.screenshot({ path: `${FOLDER}/kiosk-${screen}-${name}.png`, fullPage: true });
	await page.addInitScript((kept) => localStorage.setItem('lockerd.kiosk', kept), JSON.stringify(settings));

	await page.goto('/kiosk/setup');
	await page.getByRole('button', { name: words.setup.pair }).waitFor();
	await shoot('pairing');
	await desk.pair(visitor, '로비', [1, 2]);
	await page.goto('/kiosk/setup');
	await page.locator('#diagonal').waitFor();
	await shoot('setup');
	await page.goto('/kiosk');
	await page.locator('[data-code]').first().waitFor();
	await shoot('home');
	await page.getByRole('button', { name: words.home.help }).click();
	await page.getByRole('heading', { name: words.help.title }).waitFor();
	await shoot('help');
	await page.getByRole('button', { name: words.keys.back }).click();
	await page.getByRole('button', { name: words.home.open }).click();
	await page.getByRole('heading', { name: words.id.title }).waitFor();
	await page.keyboard.type(id);
	await shoot('id');
	await page.keyboard.press('Enter');
	await page.getByRole('heading', { name: words.code.title }).waitFor();
	await page.keyboard.type('00000000');
	await page.keyboard.press('Enter');
	await page.getByText(words.code.wrong(undefined)).first().waitFor();
	await shoot('wrong');
	// The server's wait after a wrong one.
	await new Promise((resolve) => setTimeout(resolve, 3000));
	await page.keyboard.type(await desk.oneTimeCode(member));
	await shoot('code');
	await page.keyboard.press('Enter');
	await page.getByRole('button', { name: words.my.open(locker) }).waitFor();
	await shoot('my');
	await page.clock.fastForward(26_000);
	await page.getByRole('heading', { name: words.idle.title }).waitFor();
	await shoot('idle');
	await page.getByRole('button', { name: words.idle.stay }).click();
	await site.door('bus1', 0, lock, 'jam');
	await page.getByRole('button', { name: words.my.open(locker) }).click();
	await page.getByText(steps.didNotOpen).first().waitFor();
	await shoot('jammed');
	await site.door('bus1', 0, lock, 'unjam');
	await page.getByRole('button', { name: words.open.done }).click();
	await page.getByText(words.done.left).first().waitFor();
	await shoot('done');
	await page.clock.fastForward(6000);
	await page.locator('[data-code]').first().waitFor();
	await page.getByRole('button', { name: words.home.giveBack }).click();
	await signIn(visitor, id, await desk.oneTimeCode(member), words);
	await page.getByRole('button', { name: words.my.open(locker) }).click();
	await page.getByText(steps.opened(locker)).first().waitFor();
	await shoot('opened');
	await site.door('bus1', 0, lock, 'close');
	await page.getByText(steps.closed.replace(/\.$/, '')).first().waitFor();
	await page.getByRole('button', { name: words.my.giveBack }).click();
	await page.getByRole('button', { name: words.giveBack.yes }).waitFor();
	await shoot('return');
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
