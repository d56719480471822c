/** An admin before a wall whose first two wires are crossed, with a tablet; then the proof that the audit log is whole. */
import { readFile } from 'node:fs/promises';
import AxeBuilder from '@axe-core/playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { system } from '../src/lib/i18n/system.ko';
import { wiring } from '../src/lib/i18n/wiring.ko';
import { Site } from './site';

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

/** Locks of the simulated board. */
const LOCKS = 16;

test('a board with two crossed wires is proven, its layout follows, and the labels tell the doors as they are', async () => {
	const visitor = await site.visitor({ width: 820, height: 1180 });
	const { page } = visitor;
	const words = wiring.proof;
	const button = (name: string) => page.getByRole('button', { name, exact: true });
	const heading = (name: string) => page.getByRole('heading', { name, exact: true });
	await visitor.logIn(site.told.accounts['admin'], '/staff/system/bus/bus1');
	await button(wiring.prove.begin(0)).click();
	await page.waitForURL('**/staff/system/bus/proofs/bus1-0');

	// Nothing opens before somebody says that people stand there.
	await heading(words.pulseTitle(1)).waitFor();
	expect(await button(words.pulse(1)).getAttribute('aria-disabled')).toBe('true');

	const prove = async (lock: number, number: number): Promise<void> => {
		await page.getByRole('checkbox', { name: words.there }).check();
		await button(words.pulse(lock)).click();
		await heading(words.numberTitle(lock)).waitFor();
		for (const digit of String(number)) await page.getByRole('button', { name: words.key('') + digit }).click();
		await button(words.opened).click();
		await heading(words.closeTitle(number)).waitFor();
		await site.door('bus1', 0, lock, 'close');
		await button(words.closed).click();
		await heading(words.pulseTitle(lock + 1)).waitFor();
	};
	await prove(1, 102);
	// Whoever comes back goes on, and says anew that somebody is there.
	await page.reload();
	await heading(words.pulseTitle(2)).waitFor();
	expect(await page.getByRole('checkbox', { name: words.there }).isChecked()).toBe(false);
	await prove(2, 101);
	for (let lock = 3; lock <= LOCKS; lock += 1) {
		await heading(words.pulseTitle(lock)).waitFor();
		await button(words.skip).click();
	}
	await heading(words.doneTitle).waitFor();
	await page.getByText(wiring.findings.swapped(1, 102, 2, 101)).waitFor();
	expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);

	await button(wiring.apply.open).click();
	await button(wiring.apply.verb).click();
	await page.getByText(wiring.apply.done(2)).waitFor();
	await page.reload();
	await page.getByText(wiring.apply.wired).waitFor();

	await page.getByRole('link', { name: wiring.report.go }).click();
	await page.getByRole('cell', { name: '102', exact: true }).waitFor();
	expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
	const [labels] = await Promise.all([page.waitForEvent('download'), button(wiring.report.labels).click()]);
	const text = await readFile(await labels.path(), 'utf8');
	expect(text).toContain('<b>101</b><small>bus1/0/2</small>');
	expect(text).toContain('<b>102</b><small>bus1/0/1</small>');

	// All of it is in the log, and the log is whole.
	await page.goto('/staff/system/audit?action=commissioning.');
	await page.getByText('commissioning.apply').waitFor();
	expect(await page.getByText('commissioning.pulse').count()).toBe(2);
	await button(system.audit.verifyButton).click();
	await page.getByText(/^기록이 온전합니다/).waitFor();
	expect(visitor.complaints).toEqual([]);
	await visitor.leave();
});
