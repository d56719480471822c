/**
 * What a page weighs: every budget of its first load, as the browser asks for it, in files and in kB as gzip has
 * them (the program sends brotli, which is smaller). A budget that is broken fails; all are printed.
 */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Desk } from './desk';
import { STAFF } from './pages';
import { Site } from './site';

const BUILD = process.env['LOCKERD_UI'] ?? fileURLToPath(new URL('../build', import.meta.url));

interface Budget {
	path: string;
	who: 'nobody' | 'student' | 'admin' | 'kiosk';
	/** JavaScript in all, kB. */
	js: number;
	files: number;
	/** Texts of one language, kB; part of the JavaScript. */
	texts: number;
}

/** What most first visits load, and what they load in a rush; then pages that take one room more. */
const BUDGETS: Budget[] = [
	{ path: '/', who: 'nobody', js: 80, files: 12, texts: 12 },
	{ path: '/', who: 'student', js: 80, files: 12, texts: 12 },
	{ path: '/b/1', who: 'student', js: 95, files: 12, texts: 12 },
	{ path: '/my', who: 'student', js: 85, files: 14, texts: 13 },
	{ path: '/b/8', who: 'student', js: 95, files: 14, texts: 13 },
	// A kiosk is loaded anew after everybody who was there.
	{ path: '/kiosk', who: 'kiosk', js: 75, files: 12, texts: 12 },
	// The frame of staff with its live board; every other page of theirs may add 35 kB.
	{ path: '/staff', who: 'admin', js: 120, files: 20, texts: 20 },
	...STAFF.filter((path) => !['/staff', '/staff?alarms=1'].includes(path)).map(
		(path): Budget => ({ path, who: 'admin', js: 155, files: 26, texts: 30 })
	)
];
/** Style sheets and the page itself: kB. */
const CSS = 15;
const HTML = 3;
/** The whole app as it lies in the program, each file as its smallest copy: kB. */
const WHOLE = 1500;

let site: Site;

beforeAll(async () => {
	site = await Site.start();
});
afterAll(() => site.stop());

const kB = (bytes: number): number => Math.round(bytes / 100) / 10;

const bytesOf = (path: string): number | undefined => statSync(join(BUILD, path), { throwIfNoEntry: false })?.size;

/** What a file of the build has as gzip; the smallest ones are sent as they are. */
const sizeOf = (path: string): number => bytesOf(`${path}.gz`) ?? bytesOf(path) ?? 0;

/** The files of texts, by the names they have in the build. */
function textFiles(): Set<string> {
	const manifest = fileURLToPath(new URL('../.svelte-kit/output/client/.vite/manifest.json', import.meta.url));
	const built = JSON.parse(readFileSync(manifest, 'utf8')) as Record<string, { file: string }>;
	const texts = Object.entries(built).filter(([source]) => /^src\/lib\/i18n\/\w+\.(ko|en)\.ts$/.test(source));
	return new Set(texts.map(([, { file }]) => `/${file}`));
}

test.each(BUDGETS)('$path for $who', async ({ path, who, ...most }) => {
	const visitor = await site.visitor();
	const { page } = visitor;
	if (who === 'kiosk') await (await Desk.of(site)).pair(visitor, '로비', [1, 2]);
	else if (who !== 'nobody') await visitor.logIn(site.told.accounts[who], '/me');
	// As at the first visit: nothing of it is known.
	const asked = new Set<string>();
	const fresh = await visitor.context.newPage();
	fresh.on('request', (request) => asked.add(new URL(request.url()).pathname));
	await fresh.goto(path);
	await fresh.locator('h1').waitFor();
	await fresh.waitForLoadState('networkidle');
	const of = (ending: string): string[] => [...asked].filter((file) => file.endsWith(ending));
	const sum = (found: string[]): number => kB(found.map(sizeOf).reduce((one, other) => one + other, 0));
	const found = textFiles();
	const seen = {
		js: sum(of('.js')),
		files: of('.js').length,
		texts: sum(of('.js').filter((file) => found.has(file))),
		css: sum(of('.css'))
	};
	console.info(
		`${path} ${who}: ${seen.js} of ${most.js} kB in ${seen.files} of ${most.files} files, ` +
			`texts ${seen.texts} of ${most.texts} kB, CSS ${seen.css} of ${CSS} kB`
	);
	// Which ones were found to be too much.
	if (seen.js > most.js || seen.files > most.files)
		console.info(of('.js').map((file) => `${file} ${kB(sizeOf(file))}`).join('\n'));
	expect(seen.js).toBeLessThanOrEqual(most.js);
	expect(seen.files).toBeLessThanOrEqual(most.files);
	expect(seen.texts).toBeGreaterThan(0);
	expect(seen.texts).toBeLessThanOrEqual(most.texts);
	expect(seen.css).toBeLessThanOrEqual(CSS);
	await visitor.leave();
});

test('the page and the whole', () => {
	const html = kB(sizeOf('index.html'));
	const all = readdirSync(BUILD, { recursive: true, encoding: 'utf8' }).filter((file) => !/\.(br|gz)$/.test(file));
	const smallest = (file: string): number =>
		Math.min(...[file, `${file}.br`, `${file}.gz`].map((copy) => bytesOf(copy) ?? Infinity));
	const files = all.filter((file) => statSync(join(BUILD, file)).isFile());
	const whole = kB(files.map(smallest).reduce((one, other) => one + other, 0));
	console.info(`page ${html} of ${HTML} kB; whole app ${whole} of ${WHOLE} kB`);
	expect(html).toBeGreaterThan(0);
	expect(html).toBeLessThanOrEqual(HTML);
	expect(whole).toBeLessThanOrEqual(WHOLE);
});
