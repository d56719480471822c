/** An admin sets a site up: a term, rules that contradict each other and are mended, a kiosk that is paired. */
import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sites } from '../src/lib/i18n/sites.ko';
import { Site, type Look } from './site';

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

test('an admin makes a term, mends rules that contradict each other, and pairs a kiosk', async () => {
	const visitor = await site.visitor({ width: 1440, height: 900 });
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['admin'], '/staff/terms/new');

	// What is the wrong way round is told at its field before anything is sent.
	const fields = { name_ko: '2031학년도 1학기', opensDay: '2031-02-20', closesDay: '2031-02-10', startsOn: '2031-03-02', endsOn: '2031-06-19' };
	for (const [id, value] of Object.entries(fields)) await page.locator(`#${id}`).fill(value);
	await page.getByRole('button', { name: sites.terms.create }).click();
	await page.getByRole('alert').getByRole('link', { name: sites.terms.closesFirst }).click();
	expect(await page.evaluate(() => document.activeElement?.id)).toBe('closesDay');
	await page.locator('#closesDay').fill('2031-03-01');
	await page.getByRole('button', { name: sites.terms.create }).click();
	await page.waitForURL('**/staff/terms');
	await page.getByText(sites.terms.created).waitFor();
	await page.getByRole('rowheader', { name: fields.name_ko }).waitFor();

	// The server names both rules; each of them is led to.
	await page.goto('/staff/policies/1');
	await page.locator('#rule-options-extensions_max').fill('2');
	await page.getByRole('button', { name: sites.policy.review }).click();
	await page.getByRole('dialog').getByRole('button', { name: sites.policy.save }).click();
	const summary = page.getByRole('alert');
	for (const name of ['options.extensions_max', 'options.extension_days']) {
		await summary.getByRole('link', { name: sites.policy.fields[name]?.label ?? '', exact: true }).click();
		expect(await page.evaluate(() => document.activeElement?.id)).toBe(`rule-${name.replaceAll('.', '-')}`);
	}
	await page.locator('#rule-options-extension_days').fill('14');
	await page.getByRole('button', { name: sites.policy.review }).click();
	await page.getByRole('dialog').getByText('14일', { exact: true }).waitFor();
	await page.getByRole('dialog').getByRole('button', { name: sites.policy.save }).click();
	await page.getByText(sites.policy.saved).waitFor();
	await page.reload();
	await expect.poll(() => page.locator('#rule-options-extension_days').inputValue()).toBe('14');

	// The code is shown once: not any more after a reload.
	await page.goto('/staff/kiosks/new');
	await page.locator('#name').fill('정보관 키오스크');
	await page.locator('#banks input[type=checkbox]').first().check();
	await page.getByRole('button', { name: sites.kiosks.create }).click();
	const code = page.getByRole('heading', { name: sites.kiosks.code.title('정보관 키오스크') });
	await code.waitFor();
	expect(await page.locator('.number').innerText()).toMatch(/^[a-z0-9 ]{8,}$/);
	await page.reload();
	await page.getByRole('heading', { name: '정보관 키오스크', exact: true }).waitFor();
	expect(await code.count()).toBe(0);
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});

/** Forms as admins see them, lists as staff do. */
const LOOKS: (Look & { who: string; paths: string[] })[] = [
	{
		who: 'admin',
		language: 'ko',
		theme: 'dark',
		width: 820,
		height: 1180,
		paths: ['/staff/terms/new', '/staff/terms/1', '/staff/places/banks/1', '/staff/places/banks/1/layout', '/staff/kiosks/new']
	},
	{
		who: 'staff',
		language: 'en',
		theme: 'light',
		width: 320,
		height: 640,
		paths: ['/staff/terms', '/staff/places', '/staff/places?retired=1', '/staff/policies/8', '/staff/kiosks', '/staff/claim']
	}
];

test.each(LOOKS)('$who sees no page that axe complains of ($language $theme $width)', async ({ who, paths, ...look }) => {
	const visitor = await site.visitor(look);
	const { page } = visitor;
	await visitor.logIn(site.told.accounts[who], '/staff/terms');
	for (const path of paths) {
		await page.goto(path);
		await page.locator('h1').waitFor();
		await page.waitForLoadState('networkidle');
		const { violations } = await new AxeBuilder({ page }).analyze();
		expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`), path).toEqual([]);
		const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
		expect(isWider, `${path} scrolls sideways`).toBe(false);
	}
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
