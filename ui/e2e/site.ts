/**
 * A demonstration of the real program, and a browser that looks at it.
 *
 * `LOCKERD_BIN` says which program. Its pages are those that it was compiled with; with `LOCKERD_UI=build` the
 * files of that folder (`npx vite build`) take their place, so that a changed page is tried without compiling.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { Language } from '../src/lib/i18n/language';

export const PROGRAM = process.env['LOCKERD_BIN'] ?? fileURLToPath(new URL('../../target/debug/lockerd', import.meta.url));
const PAGES = process.env['LOCKERD_UI'];
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export interface Told {
	demo_url: string;
	sim_url: string;
	accounts: Record<string, { id: string; password: string }>;
}

/** What the tests are told in the environment is no setting of the program. */
export const ENVIRONMENT = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LOCKERD_')));

/** Starts the program; gives its first line, which it prints when it is ready. */
export async function begin(args: string[]): Promise<{ program: ChildProcess; line: string }> {
	if (!existsSync(PROGRAM)) throw new Error(`build the program first (cargo build): ${PROGRAM}`);
	const program = spawn(PROGRAM, args, { stdio: ['ignore', 'pipe', 'inherit'], env: ENVIRONMENT });
	const line = await new Promise<string>((resolve, reject) => {
		createInterface({ input: program.stdout }).once('line', resolve);
		program.once('exit', (code) => reject(new Error(`the program ended (${code})`)));
	});
	return { program, line };
}

export class Site {
	private constructor(
		private readonly programs: ChildProcess[],
		private readonly browser: Browser,
		readonly url: string,
		readonly told: Told
	) {}

	static async start(...options: string[]): Promise<Site> {
		const { program, line } = await begin(['demo', '--listen', '127.0.0.1:0', '--json', ...options]);
		return Site.around(JSON.parse(line) as Told, program);
	}

	/** What runs by now; these programs end with it, the last one first. */
	static async around(told: Told, ...programs: ChildProcess[]): Promise<Site> {
		if (!existsSync(CHROMIUM)) throw new Error(`install Chromium, or say in CHROMIUM where it is: ${CHROMIUM}`);
		const launched = chromium.launch({
			executablePath: CHROMIUM,
			args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', ...(PAGES ? FOREIGN_PAGES : [])]
		});
		const browser = await launched.catch((error: unknown) => {
			// Nobody else would end them.
			for (const program of programs) program.kill('SIGINT');
			throw error;
		});
		return new Site(programs, browser, new URL(told.demo_url).origin, told);
	}

	async stop(): Promise<void> {
		await this.browser.close();
		for (const program of [...this.programs].reverse()) {
			const ended = new Promise((resolve) => program.once('exit', resolve));
			program.kill('SIGINT');
			await ended;
		}
	}

	/** Somebody with a browser of their own. */
	async visitor(look: Look = {}): Promise<Visitor> {
		const { width = 390, height = 844, language = 'ko', theme = 'light' } = look;
		const context = await this.browser.newContext({
			viewport: { width, height },
			locale: language === 'ko' ? 'ko-KR' : 'en-GB',
			colorScheme: theme,
			reducedMotion: 'reduce',
			baseURL: this.url
		});
		if (PAGES !== undefined) await serveFrom(PAGES, context);
		return new Visitor(context, await context.newPage());
	}

	/** Does something to a simulated door, like `jam`. */
	async door(bus: string, board: number, lock: number, action: string): Promise<void> {
		const answer = await fetch(`${this.told.sim_url}/doors/${bus}/${board}/${lock}`, {
			method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify({ action })
		});
		if (!answer.ok) throw new Error(`the simulated door refused: ${await answer.text()}`);
	}

	/** Lets time pass: the clock of the demonstration jumps. */
	async turn(seconds: number): Promise<void> {
		const answer = await fetch(`${this.url}/demo/api/clock`, {
			method: 'POST',
			headers: { 'Content-Type': 'application/json', Origin: this.url },
			body: JSON.stringify({ advance_s: seconds })
		});
		if (!answer.ok) throw new Error(`the clock refused: ${await answer.text()}`);
	}
}

/** Pages that a test hands over are strangers to the browser: it would not let them call this machine. */
const FOREIGN_PAGES = ['--disable-features=LocalNetworkAccessChecks'];

/** What the program answers itself, whatever the pages are. */
const PROGRAMS_OWN = /^\/(api|demo|mailbox|swagger)/;

/** Lets pages come from a folder instead of the program. */
async function serveFrom(folder: string, context: BrowserContext): Promise<void> {
	await context.route(
		(url) => !PROGRAMS_OWN.test(url.pathname),
		async (route) => {
			const path = join(folder, new URL(route.request().url()).pathname);
			await route.fulfill({ path: extname(path) && existsSync(path) ? path : join(folder, 'index.html') });
		}
	);
}

export interface Look {
	width?: number;
	height?: number;
	language?: Language;
	theme?: 'light' | 'dark';
}

export class Visitor {
	/** What the browser complained of: a page must leave it empty. */
	readonly complaints: string[] = [];

	constructor(
		readonly context: BrowserContext,
		readonly page: Page
	) {
		page.on('pageerror', (error) => this.complaints.push(error.stack ?? String(error)));
		page.on('console', (message) => {
			// What the server refuses on purpose the browser notes, too, and each try to reach it without a network.
			const isRefusal = /^Failed to load resource|^WebSocket connection to .*ERR_INTERNET_DISCONNECTED/.test(message.text());
			if (message.type() === 'error' && !isRefusal) this.complaints.push(message.text());
		});
	}

	/** Logs in as pages do and goes to an address. */
	async logIn(account: { id: string; password: string } | undefined, then = '/'): Promise<void> {
		await this.page.goto(`/login?back=${encodeURIComponent(then)}`);
		await this.page.locator('#id').fill(account?.id ?? '');
		await this.page.locator('#password').fill(account?.password ?? '');
		await this.page.locator('form button[type=submit]').click();
		await this.page.waitForURL((url) => url.pathname + url.search === then);
	}

	async leave(): Promise<void> {
		await this.context.close();
	}
}
