/**
 * A map of 1,000 lockers on a slow phone: how long it takes to stand, what 300 changes in a second cost, how
 * long a tap waits under 200 changes a second, and how soon a change on the server is painted. Figures, by hand:
 * `make perf`. Nothing else should run meanwhile.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WebSocketRoute } from 'playwright-core';
import { Caller } from '../api';
import { Site, type Visitor } from '../site';

const LOCKERS = 1000;
const SLOWED = 4;

let site: Site;
let bank = 0;
let first = 0;

beforeAll(async () => {
	site = await Site.start();
	const admin = await Caller.logIn(site.url, site.told.accounts['admin']);
	const { location_id } = await admin.ask<{ location_id: number }>('POST', '/locations', {
		name: { ko: '큰 홀', en: 'Large hall' }
	});
	const made = await admin.ask<{ bank_id: number }>('POST', '/banks', {
		location_id,
		name: { ko: '천 칸', en: 'A thousand' }
	});
	bank = made.bank_id;
	first = 5001;
	for (let from = first; from < first + LOCKERS; from += 500)
		await admin.ask('POST', `/banks/${bank}/lockers`, { from, to: from + 499 });
});
afterAll(() => site.stop());

interface Watched {
	visitor: Visitor;
	/** Says something to the page as if the server had. */
	say: (changes: { locker_id: number; state: string }[]) => void;
	/** Tasks longer than 50 ms since the last call, in ms. */
	longTasks: () => Promise<number[]>;
}

async function watched(slowed: number): Promise<Watched> {
	const visitor = await site.visitor();
	const { page } = visitor;
	let route: WebSocketRoute | undefined;
	let version = 1_000_000;
	await page.routeWebSocket(/\/api\/v1\/ws$/, (socket) => {
		socket.connectToServer();
		route = socket;
	});
	await page.addInitScript(() => {
		const tasks: number[] = [];
		Object.assign(globalThis, { tasks });
		new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({
			type: 'longtask',
			buffered: true
		});
	});
	await visitor.logIn(site.told.accounts['student'], '/places');
	const devtools = await visitor.context.newCDPSession(page);
	await devtools.send('Emulation.setCPUThrottlingRate', { rate: slowed });
	return {
		visitor,
		say: (items) => {
			version += 1;
			const changes = [{ version, topic: 'lockers', bank, items }];
			route?.send(JSON.stringify({ type: 'delta', version, changes }));
		},
		longTasks: () => page.evaluate(() => (globalThis as unknown as { tasks: number[] }).tasks.splice(0))
	};
}

const percentile = (all: number[], share: number): number =>
	[...all].sort((one, other) => one - other)[Math.min(all.length - 1, Math.floor(all.length * share))] ?? 0;

test('a map of 1,000 lockers stands', async () => {
	const mounts: number[] = [];
	const { visitor, longTasks } = await watched(SLOWED);
	const { page } = visitor;
	for (let round = 0; round < 5; round += 1) {
		await page.goto('/places');
		await page.locator(`a[href="/b/${bank}"]`).first().waitFor();
		await page.waitForLoadState('networkidle');
		await longTasks();
		// From the moment at which the map's data were there until all of its cells are.
		const took = await page.evaluate(
			({ href, count }) =>
				new Promise<number>((resolve) => {
					let began = 0;
					new PerformanceObserver((list) => {
						for (const entry of list.getEntriesByType('resource'))
							if (entry.name.endsWith('/map')) began = (entry as PerformanceResourceTiming).responseEnd;
					}).observe({ type: 'resource' });
					const look = (): void => {
						if (document.querySelectorAll('[role=gridcell]').length < count) requestAnimationFrame(look);
						else requestAnimationFrame(() => resolve(performance.now() - began));
					};
					look();
					document.querySelector<HTMLElement>(`a[href="${href}"]`)?.click();
				}),
			{ href: `/b/${bank}`, count: LOCKERS }
		);
		mounts.push(took);
	}
	console.info(`1,000 cells mounted: ${mounts.map(Math.round).join(', ')} ms (limit 300)`);
	expect(mounts.length).toBe(5);
	await visitor.leave();
});

test('300 changes in a second, and taps under 200 a second', async () => {
	const { visitor, say, longTasks } = await watched(SLOWED);
	const { page } = visitor;
	await page.goto(`/b/${bank}`);
	await page.locator('[role=gridcell]').nth(LOCKERS - 1).waitFor();
	await page.waitForTimeout(2000);
	await longTasks();
	// As the server gathers them: every 50 ms what happened meanwhile.
	const storm = async (aSecond: number, seconds: number): Promise<void> => {
		const each = aSecond / 20;
		for (let beat = 0; beat < seconds * 20; beat += 1) {
			const items = Array.from({ length: each }, (_, at) => ({
				locker_id: first + ((beat * each + at) * 37) % LOCKERS,
				state: beat % 2 ? 'free' : 'held'
			}));
			say(items);
			await new Promise((resolve) => setTimeout(resolve, 50));
		}
	};
	await storm(300, 1);
	await page.waitForTimeout(500);
	const tasks = await longTasks();
	console.info(`300 changes in a second: tasks over 50 ms: ${tasks.map(Math.round).join(', ') || 'none'} (limit: none)`);

	const raging = storm(200, 6);
	const taps: number[] = [];
	for (let at = 0; at < 10; at += 1) {
		taps.push(
			await page.evaluate(
				(number) =>
					new Promise<number>((resolve) => {
						const cell = [...document.querySelectorAll<HTMLElement>('[role=gridcell]')][number];
						const began = performance.now();
						cell?.click();
						const look = (): void => {
							if (cell?.getAttribute('aria-selected') === 'true')
								requestAnimationFrame(() => resolve(performance.now() - began));
							else requestAnimationFrame(look);
						};
						look();
					}),
				at * 7
			)
		);
		await page.waitForTimeout(300);
	}
	await raging;
	console.info(`a tap under 200 changes a second: ${taps.map(Math.round).join(', ')} ms (limit 200)`);
	expect(taps.length).toBe(10);
	await visitor.leave();
});

test.each([
	{ slowed: 1, limit: 100 },
	{ slowed: SLOWED, limit: 250 }
])('a change on the server is painted ($slowed times slowed)', async ({ slowed, limit }) => {
	const { visitor } = await watched(slowed);
	const { page } = visitor;
	await page.goto(`/b/${bank}`);
	await page.locator('[role=gridcell]').nth(LOCKERS - 1).waitFor();
	await page.waitForTimeout(1000);
	// Somebody else holds a locker and gives it back, again and again.
	const other = await Caller.logIn(site.url, site.told.accounts['staff']);
	const times: number[] = [];
	for (let at = 0; at < 30; at += 1) {
		const seen = page.evaluate(
			(index) =>
				new Promise<number>((resolve) => {
					const cell = [...document.querySelectorAll<HTMLElement>('[role=gridcell]')][index];
					const was = cell?.getAttribute('aria-label');
					const look = (): void => {
						if (cell?.getAttribute('aria-label') !== was) requestAnimationFrame(() => resolve(Date.now()));
						else requestAnimationFrame(look);
					};
					look();
				}),
			at >> 1
		);
		await page.waitForTimeout(100);
		await other.ask('POST', `/lockers/${first + (at >> 1)}/${at % 2 ? 'release-hold' : 'hold'}`);
		const answered = Date.now();
		times.push((await seen) - answered);
	}
	const p95 = percentile(times, 0.95);
	console.info(`committed to painted, CPU ${slowed} times slowed: p50 ${percentile(times, 0.5)}, p95 ${p95} ms (limit ${limit})`);
	expect(times.length).toBe(30);
	await visitor.leave();
});
