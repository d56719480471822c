/**
 * A Chromium of its own that Lighthouse drives from outside. Whoever logs in here first is logged in there, too:
 * nothing else is attached to it while it is measured.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

export class Chromium {
	private constructor(
		private readonly program: ChildProcess,
		private readonly folder: string,
		readonly port: number
	) {}

	static async start(): Promise<Chromium> {
		const folder = mkdtempSync(join(tmpdir(), 'lighthouse-'));
		const flags = ['--headless', '--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--no-first-run'];
		const program = spawn(
			CHROMIUM,
			[...flags, '--lang=ko', '--accept-lang=ko', '--remote-debugging-port=0', `--user-data-dir=${folder}`, 'about:blank'],
			{ stdio: 'ignore' }
		);
		return new Chromium(program, folder, await portIn(folder));
	}

	/** Lets somebody do something in it, and lets go of it. */
	async visit<T>(deed: (page: Page) => Promise<T>): Promise<T> {
		const browser = await chromium.connectOverCDP(`http://127.0.0.1:${this.port}`);
		const [context] = browser.contexts();
		if (!context) throw new Error('the browser has no window');
		const page = await context.newPage();
		const result = await deed(page);
		await page.close();
		await browser.close();
		return result;
	}

	async stop(): Promise<void> {
		const ended = new Promise((resolve) => this.program.once('exit', resolve));
		this.program.kill();
		await ended;
		rmSync(this.folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
	}
}

/** Chromium writes there which port it took. */
async function portIn(folder: string): Promise<number> {
	for (let tries = 0; tries < 200; tries += 1) {
		try {
			return Number(readFileSync(join(folder, 'DevToolsActivePort'), 'utf8').split('\n')[0]);
		} catch {
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	}
	throw new Error('Chromium did not start');
}
