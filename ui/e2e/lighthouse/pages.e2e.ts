/**
 * What Lighthouse says of the pages that most students open, on its slow phone (150 ms, 1.6 Mbit/s, CPU 4 times
 * slowed): 95 of 100 in each of its four categories, and limits of our own for what a person waits for. Figures, by
 * hand: `make lighthouse`. Nothing else should run meanwhile. The report of each page goes into `ui/lighthouse`.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bank as bankTexts } from '../../src/lib/i18n/bank.ko';
import { student } from '../../src/lib/i18n/student.ko';
import { Caller } from '../api';
import { Site } from '../site';
import { Chromium } from './chromium';
import { inFrontOf } from './folder';

const LIGHTHOUSE = fileURLToPath(new URL('node_modules/lighthouse/cli/index.js', import.meta.url));
const FOLDER = fileURLToPath(new URL('../../lighthouse', import.meta.url));
const FROM_FOLDER = process.env['LOCKERD_UI'];
/** Of an odd number of runs the middle one counts: one alone depends on what else the machine does. */
const RUNS = Number(process.env['LIGHTHOUSE_RUNS'] ?? 3);
const LOCKERS = 200;
const FIRST = 5001;

const CATEGORIES = ['performance', 'accessibility', 'best-practices', 'seo'];
const LIMITS: Record<string, number> = {
	'largest-contentful-paint': 2000,
	'total-blocking-time': 150,
	'cumulative-layout-shift': 0.02
};

interface Report {
	categories: Record<string, { score: number | null; auditRefs: { id: string; weight: number }[] }>;
	audits: Record<string, { title: string; score: number | null; numericValue?: number }>;
	runtimeError?: { message: string };
}

let site: Site;
let chromium: Chromium;
let url = '';
let bank = 0;
let stop = (): void => undefined;

beforeAll(async () => {
	if (!existsSync(LIGHTHOUSE)) throw new Error('make lighthouse installs Lighthouse first: npm ci in ui/e2e/lighthouse');
	mkdirSync(FOLDER, { recursive: true });
	site = await Site.start();
	url = site.url;
	if (FROM_FOLDER !== undefined) {
		const front = await inFrontOf(site.url, FROM_FOLDER);
		url = front.url;
		stop = () => void front.server.close();
	}
	bank = await bankOf(LOCKERS);
	chromium = await Chromium.start();
});
afterAll(async () => {
	await chromium.stop();
	stop();
	await site.stop();
});

async function bankOf(lockers: number): Promise<number> {
	const admin = await Caller.logIn(site.url, site.told.accounts['admin']);
	const { location_id } = await admin.ask<{ location_id: number }>('POST', '/locations', {
		name: { ko: '과학도서관 6층', en: 'Science Library 6F' }
	});
	const name = { ko: '큰 사물함', en: 'Large bank' };
	const made = await admin.ask<{ bank_id: number }>('POST', '/banks', { location_id, name });
	await admin.ask('POST', `/banks/${made.bank_id}/lockers`, { from: FIRST, to: FIRST + lockers - 1 });
	return made.bank_id;
}

/** What Lighthouse says of a page, in the browser as it is: its cookies stay, its cache is emptied. */
async function look(path: string, name: string): Promise<Report> {
	const file = `${FOLDER}/${name}`;
	const options = [
		`--port=${chromium.port}`,
		'--no-enable-error-reporting',
		'--quiet',
		'--output=json',
		'--output=html',
		`--output-path=${file}`
	];
	await promisify(execFile)(process.execPath, [LIGHTHOUSE, url + path, ...options]);
	const report = JSON.parse(readFileSync(`${file}.report.json`, 'utf8')) as Report;
	if (report.runtimeError) throw new Error(report.runtimeError.message);
	return report;
}

const scoreOf = (report: Report, category: string): number => Math.round((report.categories[category]?.score ?? 0) * 100);
const figureOf = (report: Report, audit: string): number => report.audits[audit]?.numericValue ?? Number.NaN;

/** What took points, so that a red line says where to look. */
function lost(report: Report, category: string): string[] {
	return (report.categories[category]?.auditRefs ?? [])
		.filter(({ id, weight }) => weight > 0 && (report.audits[id]?.score ?? 1) < 1)
		.map(({ id }) => `${id} (${report.audits[id]?.title})`);
}

async function measure(path: string, name: string): Promise<void> {
	const reports: Report[] = [];
	for (let run = 0; run < RUNS; run += 1) reports.push(await look(path, name));
	reports.sort((one, other) => figureOf(one, 'total-blocking-time') - figureOf(other, 'total-blocking-time'));
	const middle = reports[reports.length >> 1] as Report;
	const scores = CATEGORIES.map((category) => `${category} ${scoreOf(middle, category)}`).join(', ');
	const figures = Object.entries(LIMITS)
		.map(([audit, limit]) => `${audit} ${Number(figureOf(middle, audit).toFixed(3))} (limit ${limit})`)
		.join(', ');
	console.info(`${name}: ${scores}\n  ${figures}`);
	for (const category of CATEGORIES)
		expect.soft(scoreOf(middle, category), `${category}: ${lost(middle, category).join(', ')}`).toBeGreaterThanOrEqual(95);
	for (const [audit, limit] of Object.entries(LIMITS))
		expect.soft(figureOf(middle, audit), audit).toBeLessThanOrEqual(limit);
}

test('the front page of somebody who is not logged in', () => measure('/', 'home'));

test('the log-in', () => measure('/login', 'login'));

test(`a map of ${LOCKERS} lockers`, async () => {
	await chromium.visit(async (page) => {
		await page.goto(`${url}/login?back=/me`);
		await page.locator('#id').fill(site.told.accounts['student']?.id ?? '');
		await page.locator('#password').fill(site.told.accounts['student']?.password ?? '');
		await page.locator('form button[type=submit]').click();
		await page.waitForURL(`${url}/me`);
	});
	await measure(`/b/${bank}`, 'map');
});

test('an opening', async () => {
	const opening = await chromium.visit(async (page) => {
		await page.goto(`${url}/b/1`);
		await page.locator('[role=gridcell][aria-label*="101"]').click();
		await page.getByRole('button', { name: bankTexts.sheet.hold('101') }).click();
		await page.getByRole('button', { name: bankTexts.hold.confirm }).click();
		await page.getByRole('heading', { name: bankTexts.hold.doneTitle }).waitFor();
		await page.goto(`${url}/my`);
		await page.getByText(student.card.openShort, { exact: true }).or(page.getByText(student.card.open('101'))).first().click();
		await page.getByText(student.steps.opened('101')).first().waitFor();
		return page.url().slice(url.length);
	});
	await measure(opening, 'opening');
});
