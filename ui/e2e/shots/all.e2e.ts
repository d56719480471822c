/**
 * A picture of every page, phone and desktop, light and dark, Korean and English: `make screenshots` puts them
 * into `ui/screenshots`. They are there to be looked at: can a newcomer say in five seconds what happened, and what to
 * press next? `SHOTS=student.*-phone-en` makes only the pictures whose names it matches.
 */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPEN, OWN, STAFF } from '../pages';
import { Site, type Look } from '../site';

const FOLDER = fileURLToPath(new URL('../../screenshots', import.meta.url));
const ONLY = new RegExp(process.env['SHOTS'] ?? '');
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1440, height: 900 } };
const looks = Object.entries(SIZES).flatMap(([size, { width, height }]) =>
	(['ko', 'en'] as const).flatMap((language) =>
		(['light', 'dark'] as const).map((theme): [string, Look] => [
			`${size}-${language}-${theme}`,
			{ width, height, language, theme }
		])
	)
);
// The longest words on the narrowest screen.
looks.push(['narrow-en-light', { width: 320, height: 640, language: 'en' }]);

let site: Site;

beforeAll(async () => {
	mkdirSync(FOLDER, { recursive: true });
	site = await Site.start();
});
afterAll(() => site.stop());

describe.each(looks)('%s', (name, look) => {
	test.each([
		{ who: 'nobody', paths: OPEN },
		{ who: 'student', paths: OWN },
		{ who: 'admin', paths: STAFF }
	])('$who', async ({ who, paths }) => {
		const wanted = paths.map((path) => ({ path, file: `${who}${path.replace(/\W+/g, '-')}-${name}.png` }));
		const chosen = wanted.filter(({ file }) => ONLY.test(file));
		if (chosen.length === 0) return;
		const visitor = await site.visitor(look);
		if (who !== 'nobody') await visitor.logIn(site.told.accounts[who], '/me');
		for (const { path, file } of chosen) {
			await visitor.page.goto(path);
			await visitor.page.locator('h1').first().waitFor();
			await visitor.page.waitForLoadState('networkidle');
			await visitor.page.screenshot({ path: `${FOLDER}/${file}`, fullPage: true });
		}
		expect(visitor.complaints).toEqual([]);
		await visitor.leave();
	});
});
