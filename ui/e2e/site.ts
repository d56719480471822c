/** A demonstration of the real program, and a browser that looks at it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import type { Language } from '../src/lib/i18n/language';

const PROGRAM = process.env['LOCKERD_BIN'] ?? fileURLToPath(new URL('../../target/debug/lockerd', import.meta.url));
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

interface Told {
	demo_url: string;
	sim_url: string;
	accounts: Record<string, { id: string; password: string }>;
}

export class Site {
	private constructor(
		private readonly program: ChildProcess,
		private readonly browser: Browser,
		readonly url: string,
		readonly told: Told
	) {}

	static async start(...options: string[]): Promise<Site> {
		if (!existsSync(PROGRAM)) throw new Error(`build the program first (cargo build): ${PROGRAM}`);
		if (!existsSync(CHROMIUM)) throw new Error(`install Chromium, or say in CHROMIUM where it is: ${CHROMIUM}`);
		const program = spawn(PROGRAM, ['demo', '--listen', '127.0.0.1:0', '--json', ...options], {
			stdio: ['ignore', 'pipe', 'inherit']
		});
		const told = await new Promise<Told>((resolve, reject) => {
			createInterface({ input: program.stdout }).once('line', (line) => resolve(JSON.parse(line) as Told));
			program.once('exit', (code) => reject(new Error(`the program ended (${code})`)));
		});
		const browser = await chromium.launch({
			executablePath: CHROMIUM,
			args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu']
		});
		return new Site(program, browser, new URL(told.demo_url).origin, told);
	}

	async stop(): Promise<void> {
		await this.browser.close();
		const ended = new Promise((resolve) => this.program.once('exit', resolve));
		this.program.kill('SIGINT');
		await ended;
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
		page.on('pageerror', (error) => this.complaints.push(String(error)));
		page.on('console', (message) => {
			// What the server refuses on purpose the browser notes, too.
			const isRefusal = message.text().startsWith('Failed to load resource');
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
