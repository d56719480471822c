/** A fire drill that is stopped about half way: what the page says is what the simulated locks did. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { watch } from '../src/lib/i18n/watch.ko';
import { Site } from './site';

const words = watch.mass;
/** Every locker of the demonstration. */
const ALL = 28;

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

/** How many locks got a pulse since the start. */
async function pulsed(): Promise<number> {
	const answer = await fetch(`${site.told.sim_url}/state`);
	const { buses } = (await answer.json()) as { buses: { boards: { locks: { pulses: number }[] }[] }[] };
	return buses.flatMap(({ boards }) => boards).flatMap(({ locks }) => locks).filter(({ pulses }) => pulses > 0).length;
}

test('staff open every locker, stop half way, and open the others later', async () => {
	const visitor = await site.visitor({ width: 820, height: 1180 });
	const { page } = visitor;
	await visitor.logIn(site.told.accounts['staff'], '/staff/mass');
	await site.door('bus1', 0, 2, 'jam');
	await page.getByText(words.empty).waitFor();
	await page.getByRole('link', { name: words.new }).click();
	await page.waitForURL('**/staff/mass/new');

	// What is missing is named; nothing is sent before the number was typed.
	await page.getByRole('button', { name: words.toPreview }).click();
	await page.getByRole('alert').getByText(words.reasonMissing).waitFor();
	await page.getByRole('button', { name: words.allOfThem }).click();
	await page.locator('#reason').fill('소방 훈련');
	await page.getByRole('button', { name: words.toPreview }).click();
	await page.getByText(words.sentence(String(ALL), '16초')).waitFor();
	await page.locator('#typed').fill('27');
	const start = page.getByRole('button', { name: words.start(String(ALL)) });
	await start.click();
	await page.getByText(words.typeWrong(ALL)).waitFor();
	expect(await pulsed()).toBe(0);
	await page.locator('#typed').fill(String(ALL));
	await start.click();
	await page.waitForURL(/\/staff\/mass\/[0-9a-f-]{36}$/);

	// Somebody who leaves and comes back sees the same; about half way it is stopped.
	await page.getByRole('button', { name: words.stop }).waitFor();
	await page.reload();
	await page.waitForFunction(() => (document.querySelector('progress')?.value ?? 0) >= 12);
	await page.getByRole('button', { name: words.stop }).click();
	const said = page.getByRole('status').getByText(/^중지했습니다\./);
	await said.waitFor();
	const [opened, left] = ((await said.textContent()) ?? '').match(/\d+/g)?.map(Number) ?? [];
	expect(opened).toBeGreaterThanOrEqual(11);
	expect(left).toBeGreaterThan(0);
	// The jammed one got its pulse, too, and is neither.
	expect(ALL - (opened ?? 0) - (left ?? 0)).toBe(1);
	await page.getByRole('row', { name: '102' }).getByText(words.results['did_not_open'] ?? '').waitFor();
	expect(await pulsed()).toBe((opened ?? 0) + 1);
	await new Promise((resolve) => setTimeout(resolve, 2500));
	expect(await pulsed()).toBe((opened ?? 0) + 1);

	// The others as a new order, by their numbers.
	await page.getByRole('link', { name: words.againButton(String((left ?? 0) + 1)) }).click();
	await page.waitForURL('**/staff/mass/new?again=*');
	await page.getByText(words.again('소방 훈련')).waitFor();
	expect((await page.locator('#numbers').inputValue()).split(',')).toHaveLength((left ?? 0) + 1);
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
