/** Somebody who has a keyboard and no mouse: after each key the focus must be seen, and nothing may lie over it. */
import { expect } from 'vitest';
import type { Locator, Page } from 'playwright-core';

/** So many steps of Tab, and nobody looks for it any longer. */
const MOST = 80;

/** What is wrong with where the focus is; nothing when all is well. */
function trouble(): string | undefined {
	const focused = document.activeElement;
	if (!focused || focused === document.body) return undefined;
	const name = `${focused.tagName} ${focused.getAttribute('aria-label') ?? focused.textContent?.trim().slice(0, 40)}`;
	const { left, right, top, bottom } = focused.getBoundingClientRect();
	const x = (Math.max(left, 0) + Math.min(right, innerWidth)) / 2;
	const y = (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2;
	if (bottom <= 0 || top >= innerHeight || right <= 0 || left >= innerWidth) return `${name}: out of view`;
	// A heading that took the focus, for readers, is not something to press.
	if (!focused.matches('a, button, input, select, textarea, summary, [tabindex="0"]')) return undefined;
	const over = document.elementFromPoint(x, y);
	// What looks like nothing at that point may let it through to its row or its label.
	if (over && !focused.contains(over) && !over.contains(focused)) return `${name}: under ${over.outerHTML.slice(0, 80)}`;
	// The button in a field of dates, which the browser rings itself.
	if (focused.matches('input[type=date]:not(:focus-visible), input[type=time]:not(:focus-visible)')) return undefined;
	// A link that fills its card has its ring where it is pressed.
	const rings = [getComputedStyle(focused), getComputedStyle(focused, '::after')];
	const isRinged = rings.some(
		({ outlineStyle, outlineWidth, outlineColor }) =>
			outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && outlineColor !== 'rgba(0, 0, 0, 0)'
	);
	return isRinged ? undefined : `${name}: no ring`;
}

export class Hands {
	constructor(private readonly page: Page) {}

	/** Hears of every press of a mouse or a finger; call it before the first page. */
	async watch(): Promise<void> {
		await this.page.addInitScript(() => {
			const seen = (event: Event): void => console.error(`not by key: ${event.type}`);
			for (const kind of ['pointerdown', 'mousedown', 'touchstart']) addEventListener(kind, seen, { capture: true });
		});
	}

	/** Presses keys one after the other. */
	async press(...keys: string[]): Promise<void> {
		for (const key of keys) {
			await this.page.keyboard.press(key);
			await this.see(key);
		}
	}

	async type(text: string): Promise<void> {
		await this.page.keyboard.type(text);
		await this.see(text);
	}

	/** With Tab to something. */
	async to(target: Locator): Promise<void> {
		await target.first().waitFor();
		const isThere = (): Promise<boolean> => target.first().evaluate((element) => element === document.activeElement);
		for (let steps = 0; !(await isThere()); steps += 1) {
			if (steps >= MOST) throw new Error(`no way by Tab to ${String(target)}`);
			await this.press('Tab');
		}
		await this.see('Tab');
	}

	/** To something, and Enter. */
	async choose(target: Locator): Promise<void> {
		await this.to(target);
		await this.page.keyboard.press('Enter');
	}

	/** The focus as it is now: scrolling may take a moment. */
	async see(after: string): Promise<void> {
		await expect.poll(() => this.page.evaluate(trouble), { timeout: 2000, message: `after ${after}` }).toBeUndefined();
	}

	/** Logs in and goes to an address. */
	async logIn(account: { id: string; password: string } | undefined, then: string): Promise<void> {
		await this.page.goto(`/login?back=${encodeURIComponent(then)}`);
		await this.to(this.page.locator('#id'));
		await this.type(account?.id ?? '');
		await this.to(this.page.locator('#password'));
		await this.type(account?.password ?? '');
		await this.page.keyboard.press('Enter');
		await this.page.waitForURL((url) => url.pathname + url.search === then);
	}
}
