/** Staff look after people: a roster of 2,000 rows as Korean Excel writes it, one member found, kept out and let in. */
import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { people } from '../src/lib/i18n/people.ko';
import { Site, type Look } from './site';

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

/** The few syllables that the file needs, as EUC-KR has them; browsers and Node only read it. */
const EUC_KR: Record<string, [number, number]> = {
	가: [0xb0, 0xa1],
	나: [0xb3, 0xaa],
	다: [0xb4, 0xd9],
	학: [0xc7, 0xd0],
	번: [0xb9, 0xf8],
	이: [0xc0, 0xcc],
	름: [0xb8, 0xa7],
	전: [0xc0, 0xfc],
	화: [0xc8, 0xad],
	호: [0xc8, 0xa3]
};
const eucKr = (text: string): Buffer => Buffer.from([...text].flatMap((letter) => EUC_KR[letter] ?? [letter.charCodeAt(0)]));

const ROWS = 2000;

/** A roster of so many rows, five of them with something wrong: on lines 17, 31, 41, 51 and 61. */
function roster(): Buffer {
	const lines = ['학번,이름,전화번호,email'];
	for (let at = 0; at < ROWS; at += 1) {
		lines.push(`${2_026_000_000 + at},가나다${at},010${20_000_000 + at},s${at}@example.ac.kr`);
	}
	lines[16] = '2026000015,가나다15,0101234,';
	lines[30] = '20,가나다29,,';
	lines[40] = '2026000038,가나다39,,';
	lines[50] = '2026000049,가나다49,,s49';
	lines[60] = '2026000059,,,';
	return eucKr(`${lines.join('\r\n')}\r\n`);
}

/** A list, a student, the first step of an import, penalties; looked at before 2,000 people are there. */
const PAGES = ['/staff/members', '/staff/members/3', '/staff/members/import', '/staff/penalties'];
const LOOKS: Look[] = [
	{ language: 'ko', theme: 'dark', width: 820, height: 1180 },
	{ language: 'en', theme: 'light', width: 320, height: 640 }
];

test.each(LOOKS)('people have pages without a barrier: $language $theme $width', async (look) => {
	const visitor = await site.visitor(look);
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['admin'], '/staff/members');
	for (const path of PAGES) {
		await page.goto(path);
		await page.locator('h1').waitFor();
		await page.waitForLoadState('networkidle');
		const found = await new AxeBuilder({ page }).analyze();
		expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`), path).toEqual([]);
		const isWider = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
		expect(isWider, `${path} scrolls sideways`).toBe(false);
	}
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
}, 60_000);

test('a roster in EUC-KR comes in without its five wrong rows; a student of it is kept out and let in', async () => {
	const visitor = await site.visitor({ width: 1440, height: 900 });
	const { page } = visitor;
	const words = people.roster;
	await visitor.logIn(site.told.accounts['staff'], '/staff/members/import');

	await page.getByLabel(words.file).setInputFiles({ name: 'roster.csv', mimeType: 'text/csv', buffer: roster() });
	await page.getByText(words.readAs('EUC-KR')).waitFor();
	expect(await page.getByLabel(words.column('이름')).inputValue()).toBe('1');
	await page.getByText('가나다2', { exact: true }).waitFor();
	await page.getByRole('button', { name: words.check }).click();

	// Every wrong row is named with its column, its value and why; nothing was written.
	await page.getByRole('tab', { name: words.tabOf(words.tab.errors, '5') }).waitFor();
	const phone = page.getByRole('row').filter({ hasText: words.rowNo(17) });
	for (const said of ['전화번호', '0101234', words.wrong.phone]) expect(await phone.textContent()).toContain(said);
	for (const line of [31, 41, 51, 61]) await page.getByRole('rowheader', { name: words.rowNo(line) }).waitFor();
	await page.getByRole('tab', { name: words.tabOf(words.tab.made, '1,995') }).waitFor();
	const saving = page.waitForEvent('download');
	await page.getByRole('button', { name: words.download('5') }).click();
	expect((await saving).suggestedFilename()).toBe(words.fileName);

	await page.getByRole('button', { name: words.takeRest('5', '1,995') }).click();
	await page.getByText(words.done).waitFor();
	await page.getByText(words.result.made('1,995')).waitFor();

	// Found by a part of the id; the address keeps what was searched for.
	await page.goto('/staff/members');
	await page.getByLabel(people.list.search).fill('2026001234');
	await page.waitForURL('**/staff/members?q=2026001234');
	await page.getByRole('link', { name: '가나다1234' }).click();
	await page.getByRole('heading', { level: 1, name: '가나다1234' }).waitFor();

	const actions = page.getByRole('region', { name: people.actions.title });
	await actions.getByRole('button', { name: people.actions.disable }).click();
	const asking = page.getByRole('dialog');
	await asking.getByRole('button', { name: people.actions.disable }).click();
	// Without a reason nothing happens.
	await asking.getByLabel('이유').fill('시험');
	await asking.getByRole('button', { name: people.actions.disable }).click();
	await page.getByText(people.actions.disabled('가나다1234')).waitFor();
	await page.getByText(people.member.disabledWhy('시험')).waitFor();

	await actions.getByRole('button', { name: people.actions.enable }).click();
	await asking.getByRole('button', { name: people.actions.enable }).click();
	await page.getByText(people.actions.enabled('가나다1234')).waitFor();
	await actions.getByRole('button', { name: people.actions.disable, exact: true }).waitFor();
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
}, 60_000);
