/** A student in a browser of their own who rents a locker and opens it, and what their page said meanwhile. */
import type { Locator } from 'playwright-core';
import { student } from '../src/lib/i18n/student.ko';
import type { Desk } from './desk';
import type { Look, Site, Visitor } from './site';

export class Renter {
	/** How many openings this page has asked for. */
	asked = 0;

	private constructor(
		readonly visitor: Visitor,
		readonly locker: number
	) {
		visitor.page.on('request', (request) => {
			if (request.method() === 'POST' && request.url().endsWith('/open')) this.asked += 1;
		});
	}

	/** The sample student with this locker, at the page of their own locker. */
	static async of(site: Site, desk: Desk, locker: number, look: Look = {}): Promise<Renter> {
		await desk.renter(locker);
		const renter = new Renter(await site.visitor(look), locker);
		await renter.visitor.page.addInitScript(listen);
		await renter.visitor.logIn(site.told.accounts['student'], '/my');
		return renter;
	}

	get page(): Visitor['page'] {
		return this.visitor.page;
	}

	button(name: string): Locator {
		return this.page.getByRole('button', { name, exact: true });
	}

	/** A step of the opening, by its words. */
	step(words: string | RegExp): Locator {
		return this.page.getByRole('list', { name: student.open.steps }).getByText(words).first();
	}

	/** Presses the button of one's own locker; the page of the opening stands after that. */
	async open(): Promise<void> {
		await this.button(student.card.open(String(this.locker))).click();
		await this.page.waitForURL('**/my/open**');
	}

	/** Which opening the page is about. */
	async operation(): Promise<string> {
		await this.page.waitForURL('**op=**');
		return new URL(this.page.url()).searchParams.get('op') ?? '';
	}

	/** Whether the page has shown these words at any time since it was loaded. */
	hasSaid(words: string): Promise<boolean> {
		return this.page.evaluate((text) => globalThis.said?.some((it) => it.includes(text)) ?? false, words);
	}

	leave(): Promise<void> {
		return this.visitor.leave();
	}
}

declare global {
	var said: string[] | undefined;
}

/** Keeps every text of the page: what stood there for a blink was said all the same. */
function listen(): void {
	const said: string[] = (globalThis.said = []);
	new MutationObserver(() => {
		const text = document.querySelector('main')?.textContent ?? '';
		if (text !== said.at(-1)) said.push(text);
	}).observe(document, { subtree: true, childList: true, characterData: true });
}
