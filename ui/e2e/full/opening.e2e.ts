/** Each way in which an opening may go, as the page of the student tells it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { student } from '../../src/lib/i18n/student.ko';
import { Caller } from '../api';
import { Boards, PULSE, type Wire } from '../boards';
import { Desk } from '../desk';
import { Renter } from '../renter';
import { Site } from '../site';

let site: Site;
let desk: Desk;
let boards: Boards;

beforeAll(async () => {
	site = await Site.start();
	desk = await Desk.of(site);
	boards = new Boards(site);
});
afterAll(() => site.stop());

const { steps, open: words } = student;

/** Where lockers hang: those of the first bus never acknowledge, those of the second always do. */
const on = (locker: number): Wire => {
	const board = { bus: 'bus2', board: 1 };
	if (locker > 600) return { ...board, lock: locker - 597 };
	if (locker > 500) return { ...board, lock: locker - 500 };
	if (locker > 400) return { bus: 'bus1', board: 0, lock: locker - 388 };
	return { bus: 'bus1', board: 0, lock: locker - 292 };
};

/** Ends the network of a page, or gives it back: the socket and every request. */
async function cut({ visitor }: Renter, isCut: boolean): Promise<void> {
	await visitor.context.setOffline(isCut);
}

async function leaves(renter: Renter): Promise<void> {
	expect(renter.visitor.complaints).toEqual([]);
	await renter.leave();
}

test('a door that opens: each step with its time, the closing, and a reload that opens nothing', async () => {
	const renter = await Renter.of(site, desk, 601);
	await renter.open();
	await renter.step(steps.opened('601')).waitFor();
	const operation = await renter.operation();
	const shown = await renter.page.getByRole('list', { name: words.steps }).getByRole('listitem').allInnerTexts();
	expect(shown.length).toBe(5);
	for (const [index, text] of [steps.requested, steps.sent, steps.acknowledgedDone, steps.opened('601')].entries()) {
		expect(shown[index]).toContain(text);
		expect(shown[index]).toMatch(/\d{2}:\d{2}:\d{2}/);
	}
	await boards.close(on(601));
	await renter.step(/^.*문이 닫혔습니다\. \(열려 있던 시간 .*초\)/).waitFor();
	await renter.page.reload();
	await renter.step(steps.opened('601')).waitFor();
	expect(await renter.operation()).toBe(operation);
	expect(renter.asked).toBe(1);
	expect(await boards.pulses(on(601))).toBe(1);
	await leaves(renter);
});

test('an acknowledgement that comes too late is not claimed, and the door that was seen counts', async () => {
	await boards.fault({ bus: 'bus2', board: 1, kind: 'late', ms: 400, command: PULSE, times: 1 });
	const renter = await Renter.of(site, desk, 602);
	await renter.open();
	await renter.step(steps.opened('602')).waitFor();
	expect(await renter.step(steps.acknowledgedDone).count()).toBe(0);
	expect(await boards.pulses(on(602))).toBe(1);
	await boards.mend();
	await leaves(renter);
});

test('a jam: never said to be open, tried again when the server says so, then staff are called', async () => {
	const renter = await Renter.of(site, desk, 603);
	const { page } = renter;
	const staff = await Caller.logIn(site.url, site.told.accounts['staff']);
	const elsewhere = await Caller.logIn(site.url, site.told.accounts['student']);
	await elsewhere.ask('POST', '/help', { locker_id: 603, reason: 'other' });
	// What the server says counts: here, longer than it would by itself.
	await page.route('**/api/v1/openings/*', async (route) => {
		const answer = await route.fetch();
		const opening = (await answer.json()) as { outcome?: string | null; retry_after_ms?: number | null };
		if (opening.outcome === 'door_did_not_open') opening.retry_after_ms = 4000;
		await route.fulfill({ response: answer, json: opening });
	});
	await boards.door(on(603), 'jam');
	await renter.open();
	await renter.step(steps.didNotOpen).waitFor();
	expect(await renter.step(steps.sentAgain).count()).toBe(1);
	const again = renter.button(words.again);
	await page.getByText(/^[1-4]초 뒤에 다시 열 수 있습니다\.$/).waitFor();
	// A press before that does nothing.
	await again.click({ force: true });
	expect(renter.asked).toBe(1);
	expect(await page.getByText(words.callStaff).count()).toBe(0);
	const first = await renter.operation();
	await page.getByRole('button', { name: words.again, exact: true, disabled: false }).waitFor();
	await again.click();
	await renter.step(steps.didNotOpenTwice).waitFor();
	expect(await renter.operation()).not.toBe(first);
	expect(renter.asked).toBe(2);
	expect(await renter.hasSaid(steps.opened('603'))).toBe(false);
	await page.reload();
	await renter.step(steps.didNotOpenTwice).waitFor();

	// Of this failure staff know nothing yet, whatever they were called for before.
	await renter.button(words.callAgain).click();
	await expect.poll(() => renter.button(words.callAgain).count()).toBe(0);
	await page.getByText(words.calledMore).waitFor();
	const { alarms } = await staff.ask<{ alarms: { alarm_id: number; locker_id: number; count: number }[] }>(
		'GET',
		'/alarms?kind=help'
	);
	expect(alarms).toMatchObject([{ locker_id: 603, count: 2 }]);
	await staff.ask('POST', `/alarms/${alarms[0]?.alarm_id}/acknowledge`, { note: '갑니다' });
	await page.getByText(words.callSeen).waitFor();
	await boards.mend(on(603));
	await leaves(renter);
});

test('a board that is silent leaves a doubt, and a pulled plug is told as such until it is back', async () => {
	const renter = await Renter.of(site, desk, 501);
	await boards.fault({ bus: 'bus2', board: 1, kind: 'silent' });
	await renter.open();
	await renter.step(steps.noAnswer).waitFor();
	expect(await renter.hasSaid(steps.acknowledged)).toBe(false);
	await boards.mend();

	await boards.plug('bus2', false);
	await renter.page.goto('/my');
	await renter.open();
	await renter.step(steps.unreachable).waitFor();
	expect(await renter.step(steps.sent).count()).toBe(0);
	await renter.button(words.callStaff).waitFor();
	await boards.plug('bus2', true);
	await expect.poll(() => boardOf('bus2'), { timeout: 20_000 }).toBe('online');
	await renter.page.getByRole('button', { name: words.again, exact: true, disabled: false }).click();
	await renter.step(steps.opened('501')).waitFor();
	expect(await boards.pulses(on(501))).toBe(1);
	await leaves(renter);
});

async function boardOf(bus: string): Promise<string | undefined> {
	const health = (await (await fetch(`${site.url}/api/v1/health`)).json()) as { buses: Record<string, string> };
	return health.buses[bus];
}

test('what is refused says by whom: the board, a lock that rests, a locker that is not mine', async () => {
	const renter = await Renter.of(site, desk, 502);
	const { page } = renter;
	await boards.fault({ bus: 'bus2', board: 1, kind: 'exception', code: 4, command: PULSE, times: 1 });
	await renter.open();
	await renter.step(steps.refused).waitFor();
	expect(await boards.pulses(on(502))).toBe(0);

	await page.goto('/my');
	const elsewhere = await Caller.logIn(site.url, site.told.accounts['student']);
	let id = '';
	await expect
		.poll(async () => {
			// Also after a refusal the lock rests for a moment.
			const opened = elsewhere.ask<{ operation_id: string }>('POST', '/lockers/502/open');
			id = await opened.then(({ operation_id }) => operation_id, () => '');
			return id;
		}, { timeout: 5000 })
		.not.toBe('');
	await elsewhere.ask('GET', `/openings/${id}?wait_s=10`);
	await renter.open();
	await page.getByText('잠금 장치를 쉬게 합니다', { exact: false }).first().waitFor();
	expect(await boards.pulses(on(502))).toBe(1);
	await page.getByRole('button', { name: words.again, exact: true, disabled: false }).click();
	await renter.step(steps.alreadyOpen).waitFor();

	await page.goto('/my/open?locker=304');
	await renter.button(words.button('304')).click();
	await page.getByText(words.notNow(words.returned)).first().waitFor();
	expect(await renter.button(words.again).count()).toBe(0);
	expect(await boards.pulses(on(304))).toBe(0);
	await leaves(renter);
});

test('a door that is left open is spoken of, and forgotten when it is closed', async () => {
	const renter = await Renter.of(site, desk, 301);
	const { page } = renter;
	await renter.open();
	await renter.step(steps.opened('301')).waitFor();
	// The doors of a demonstration fall shut by themselves: its sensor is to see it open all the while.
	await boards.fault({ ...on(301), kind: 'sensor_open' });
	await boards.turn(190);
	await page.reload();
	await renter.step(steps.leftOpen('3분')).waitFor();
	await page.goto('/my');
	await page.getByText(student.warnings.leftOpen('301')).waitFor();
	await page.goBack();
	await renter.step(steps.leftOpen('3분')).waitFor();
	await boards.mend();
	await boards.close(on(301));
	await renter.step(/문이 닫혔습니다\. \(열려 있던 시간 3분/).waitFor();
	await page.goto('/my');
	await page.getByText(student.card.doors['closed'] ?? '', { exact: true }).first().waitFor();
	await expect.poll(() => page.getByText(student.warnings.leftOpen('301')).count()).toBe(0);
	await leaves(renter);
});

test('a sensor that chatters is no witness: neither opened nor stuck is said', async () => {
	const renter = await Renter.of(site, desk, 503);
	await boards.fault({ ...on(503), kind: 'bounce', edges: 10, ms: 500 });
	const caller = await Caller.logIn(site.url, site.told.accounts['student']);
	const faults = async (): Promise<number> => {
		const { alarms } = await caller.ask<{ alarms: { kind: string; locker_id: number; cleared_at: unknown }[] }>(
			'GET',
			'/me/alarms'
		);
		return alarms.filter((it) => it.kind === 'sensor_fault' && it.locker_id === 503 && !it.cleared_at).length;
	};
	await expect.poll(faults, { timeout: 20_000 }).toBe(1);
	await boards.fault({ ...on(503), kind: 'sensor_closed' });
	await renter.open();
	await renter.step(steps.sensorFaulty).waitFor();
	expect(await renter.hasSaid(steps.opened('503'))).toBe(false);
	expect(await renter.hasSaid(steps.didNotOpen)).toBe(false);
	await boards.mend();
	await leaves(renter);
});

test('cut off after the command: nothing is sent again, and what became of it is shown when it is back', async () => {
	const renter = await Renter.of(site, desk, 401);
	const { page } = renter;
	// The request arrives and is answered; from then on nothing does.
	await page.route('**/lockers/401/open', async (route) => {
		const answer = await route.fetch();
		await route.fulfill({ response: answer });
		await cut(renter, true);
	});
	await renter.open();
	await page.getByText(words.cutOff).first().waitFor();
	expect(await renter.hasSaid(steps.opened('401'))).toBe(false);
	await expect.poll(() => boards.pulses(on(401))).toBe(1);
	await cut(renter, false);
	await renter.step(steps.opened('401')).waitFor();
	await expect.poll(() => page.getByText(words.cutOff).count()).toBe(0);
	const operation = await renter.operation();
	await page.reload();
	await renter.step(steps.opened('401')).waitFor();
	expect(await renter.operation()).toBe(operation);
	expect(renter.asked).toBe(1);
	expect(await boards.pulses(on(401))).toBe(1);
	await leaves(renter);
});

test('an answer that is lost with its page is looked for by the next one; the door is pulsed once', async () => {
	const renter = await Renter.of(site, desk, 402);
	const { page } = renter;
	await page.route('**/lockers/402/open', async (route) => {
		await route.fetch();
		await cut(renter, true);
		await route.abort();
	});
	await renter.open();
	await page.getByText(words.cutOff).first().waitFor();
	expect(await renter.button(words.again).count()).toBe(0);
	await cut(renter, false);
	await page.goto('/my/open?locker=402');
	await renter.step(steps.opened('402')).waitFor();
	expect(renter.asked).toBe(1);
	expect(await boards.pulses(on(402))).toBe(1);
	await leaves(renter);
});

test('a request that never arrived is told as such, and may be made anew', async () => {
	const renter = await Renter.of(site, desk, 403);
	const { page } = renter;
	await page.route('**/lockers/403/open', (route) => route.abort(), { times: 1 });
	await renter.open();
	await page.getByText(words.unsent).waitFor({ timeout: 20_000 });
	expect(await boards.pulses(on(403))).toBe(0);
	await renter.button(words.button('403')).click();
	await renter.step(steps.opened('403')).waitFor();
	expect(await boards.pulses(on(403))).toBe(1);
	await leaves(renter);
});
