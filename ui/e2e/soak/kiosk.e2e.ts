/**
 * A kiosk for hours: somebody signs in, opens and goes away, again and again, and somebody else only looks, while a
 * second kiosk stands untouched. `SOAK_MINUTES` says how long. What the pages keep in memory is noted each minute,
 * and must not grow.
 */
import type { CDPSession } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kiosk } from '../../src/lib/i18n/kiosk.ko';
import { student } from '../../src/lib/i18n/student.ko';
import { Desk } from '../desk';
import { signIn } from '../kiosk';
import { Site, type Visitor } from '../site';

const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 120);
const LOOK = { width: 1080, height: 1920 };
/** One visit each. */
const VISIT_MS = 15_000;
const MINUTE_MS = 60_000;
/** What is in memory at the end, at most, of what was there once all was loaded. */
const MOST = 1.3;

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

interface Memory {
	mb: number;
	nodes: number;
	listeners: number;
}

/** What a page keeps that it still needs. */
async function memory(tools: CDPSession): Promise<Memory> {
	await tools.send('HeapProfiler.collectGarbage');
	const { metrics } = await tools.send('Performance.getMetrics');
	const of = (name: string): number => metrics.find((one) => one.name === name)?.value ?? 0;
	return { mb: of('JSHeapUsedSize') / 2 ** 20, nodes: of('Nodes'), listeners: of('JSEventListeners') };
}

/** A kiosk on its front page, and a way into its memory. */
async function front(desk: Desk, name: string): Promise<{ visitor: Visitor; tools: CDPSession }> {
	const visitor = await site.visitor(LOOK);
	await desk.pair(visitor, name, [1]);
	await visitor.page.goto('/kiosk');
	await home(visitor);
	const tools = await visitor.context.newCDPSession(visitor.page);
	await tools.send('Performance.enable');
	return { visitor, tools };
}

const home = ({ page }: Visitor): Promise<void> => page.locator('[data-code]').first().waitFor();

async function opens(visitor: Visitor, desk: Desk, { id, member }: { id: string; member: number }): Promise<void> {
	const { page } = visitor;
	await page.getByRole('button', { name: kiosk.home.open }).click();
	await signIn(visitor, id, await desk.oneTimeCode(member));
	await page.getByRole('button', { name: kiosk.my.open('101') }).click();
	await page.getByText(student.steps.opened('101')).first().waitFor();
	await site.door('bus1', 0, 1, 'close');
	await page.getByText(student.steps.closed).first().waitFor();
	await page.getByRole('button', { name: kiosk.open.done }).click();
	await page.getByText(kiosk.done.closed).first().waitFor();
	await page.getByRole('button', { name: kiosk.keys.end }).click();
	await home(visitor);
}

/** Somebody who thinks better of it: the page is not loaded anew after them. */
async function looks(visitor: Visitor): Promise<void> {
	const { page } = visitor;
	await page.getByRole('button', { name: kiosk.home.reservations }).click();
	await page.getByRole('heading', { name: kiosk.id.title }).waitFor();
	await page.keyboard.type('2023');
	await page.getByRole('button', { name: kiosk.keys.cancel }).click();
	await home(visitor);
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

test(`${MINUTES} minutes of visits`, { timeout: (MINUTES + 10) * MINUTE_MS }, async () => {
	expect(MINUTES).toBeGreaterThanOrEqual(6);
	let desk = await Desk.of(site);
	const used = await front(desk, '로비');
	const idle = await front(desk, '복도');
	const renter = await desk.renter(101);
	const seen: { used: Memory; idle: Memory }[] = [];
	const began = performance.now();
	for (let visits = 1; seen.length < MINUTES; visits += 1) {
		// A log-in is good for half an hour.
		if (visits % 40 === 0) desk = await Desk.of(site);
		await opens(used.visitor, desk, renter);
		await looks(used.visitor);
		if (performance.now() - began >= (seen.length + 1) * MINUTE_MS) {
			const now = { used: await memory(used.tools), idle: await memory(idle.tools) };
			seen.push(now);
			const told = Object.entries(now).map(
				([which, { mb, nodes, listeners }]) => `${which} ${mb.toFixed(2)} MB, ${nodes} nodes, ${listeners} listeners`
			);
			console.info(`minute ${seen.length}, ${visits} visits: ${told.join('; ')}`);
		}
		// People come one after the other; nothing is waited for here.
		const rest = began + visits * VISIT_MS - performance.now();
		if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
	}
	for (const which of ['used', 'idle'] as const) {
		for (const what of ['mb', 'nodes', 'listeners'] as const) {
			const all = seen.map((one) => one[which][what]);
			// The first minute still loads what is used later.
			const early = median(all.slice(1, 4));
			const late = median(all.slice(-3));
			console.info(`${which} ${what}: ${early.toFixed(2)} at first, ${late.toFixed(2)} at last`);
			expect(late, `${which} ${what}`).toBeLessThanOrEqual(early * MOST);
		}
	}
	expect([...used.visitor.complaints, ...idle.visitor.complaints]).toEqual([]);
});
