/**
 * What stands on a page in words, and which of it is in the wrong language. A Korean word on an English page is
 * right only where it is marked as Korean, or where the server sent it as a name that has no English.
 */
import type { Page } from 'playwright-core';
import type { Language } from '../src/lib/i18n/language';

/** A name in both languages, as the API gives it. */
const isName = (value: object): value is { ko: string; en: string } => 'ko' in value && 'en' in value;

const isHangul = (text: string): boolean => /\p{Script=Hangul}/u.test(text);

/** What the server sent to a page: names and notes of people are in the language that people wrote them in. */
export class Sent {
	readonly #texts = new Set<string>();

	/** Listens to everything that comes to a page from now on. */
	constructor(page: Page) {
		page.on('response', (answer) => {
			if (!answer.url().includes('/api/v1/')) return;
			void answer.json().then(
				(body) => this.#learn(body),
				// Not JSON, or the page is gone.
				() => undefined
			);
		});
		page.on('websocket', (socket) => {
			socket.on('framereceived', ({ payload }) => this.#learn(JSON.parse(String(payload))));
		});
	}

	#learn(value: unknown): void {
		if (typeof value === 'string' && value.trim() !== '') this.#texts.add(value.trim());
		if (typeof value !== 'object' || value === null) return;
		// Of a name in two languages only the right one may be shown.
		if (isName(value) && value.en) this.#learn(value.en);
		else for (const part of Object.values(value)) this.#learn(part);
	}

	/** A text without what the server sent, longest first. */
	without(text: string): string {
		const found = [...this.#texts].filter((sent) => sent.length > 1 && text.includes(sent));
		return found.sort((a, b) => b.length - a.length).reduce((left, sent) => left.replaceAll(sent, ' '), text);
	}
}

/** Every text of one language's catalogues that is a text as it stands, without what is filled in. */
async function catalogue(language: Language): Promise<Set<string>> {
	const found = new Set<string>();
	const take = (value: unknown): void => {
		if (typeof value === 'string') found.add(value.trim());
		else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) take(part);
	};
	const files = import.meta.glob<Record<string, unknown>>('../src/lib/i18n/*.{ko,en}.ts');
	const own = Object.entries(files).filter(([path]) => path.endsWith(`.${language}.ts`));
	for (const [, load] of own) take({ ...(await load()) });
	return found;
}

/** What the catalogues of the one language have and those of the other have not. */
export async function ownTexts(): Promise<Record<Language, Set<string>>> {
	const [ko, en] = [await catalogue('ko'), await catalogue('en')];
	return {
		ko: new Set([...ko].filter((text) => !en.has(text))),
		en: new Set([...en].filter((text) => !ko.has(text)))
	};
}

/** Texts and names of everything on a page that is not marked as the other language; what is hidden, too. */
async function spoken(page: Page, language: Language): Promise<string[]> {
	return page.evaluate((mine) => {
		const isMarked = (element: Element | null): boolean => element?.closest('[lang]')?.getAttribute('lang') !== mine;
		const texts: string[] = [document.title];
		const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
		for (let node = walk.nextNode(); node; node = walk.nextNode()) {
			const parent = node.parentElement;
			if (parent?.closest('script, noscript, style, code, pre, kbd, textarea') || isMarked(parent)) continue;
			texts.push(node.textContent ?? '');
		}
		for (const element of document.body.querySelectorAll('*')) {
			for (const name of ['aria-label', 'aria-description', 'title', 'placeholder', 'alt']) {
				const text = element.getAttribute(name);
				if (text && !isMarked(element)) texts.push(text);
			}
		}
		return texts.map((text) => text.replace(/\s+/g, ' ').trim()).filter((text) => text !== '');
	}, language);
}

/** Words of the Latin alphabet with nothing but spaces between, the last two in small letters, are no name. */
const SENTENCE = /[A-Za-z]+ [a-z]{2,} [a-z]{2,}/;
/** Names of texts, and what a program shows by mistake. */
const LEAK = /\b(?:undefined|NaN|null)\b|\[object |=>|\b[a-z]+(?:\.[a-z]+[A-Z]\w*)+\b/;

/** What is in the wrong language, or no language at all. */
export async function wrongWords(
	page: Page,
	language: Language,
	sent: Sent,
	own: Record<Language, Set<string>>
): Promise<string[]> {
	const texts = await spoken(page, language);
	const foreign = (text: string): boolean => {
		if (LEAK.test(text)) return true;
		const left = sent.without(text);
		if (language === 'en') return isHangul(left);
		return own.en.has(text) || SENTENCE.test(left);
	};
	return [...new Set(texts.filter(foreign))];
}

/** Buttons, headings and the like whose words do not fit. */
export function cutOff(page: Page): Promise<string[]> {
	return page.evaluate(() => {
		const looked = document.querySelectorAll<HTMLElement>('button, .button, h1, h2, h3, label, legend, summary, nav a, dt, [role=tab]');
		/** The mark of a locker lies over the corner of its cell, on purpose. */
		const MARKED = '[data-marked]';
		const isSeen = (element: HTMLElement): boolean =>
			element.getClientRects().length > 0 && !element.closest('.unseen') && !element.matches(MARKED) && getComputedStyle(element).visibility !== 'hidden';
		/** What scrolls by itself, on purpose. */
		const isRolled = (element: HTMLElement): boolean => {
			for (let box = element.parentElement; box; box = box.parentElement) {
				if (['auto', 'scroll'].includes(getComputedStyle(box).overflowX) && box.scrollWidth > box.clientWidth) return true;
			}
			return false;
		};
		return [...looked].filter(isSeen).flatMap((element) => {
			const isInline = getComputedStyle(element).display === 'inline';
			const isWide = !isInline && element.scrollWidth > element.clientWidth + 1;
			const isLow = !isInline && getComputedStyle(element).overflowY === 'hidden' && element.scrollHeight > element.clientHeight + 2;
			const { left, right } = element.getBoundingClientRect();
			const isOutside = (right > innerWidth + 1 || left < -1) && !isRolled(element) && !element.matches('.skip');
			return isWide || isLow || isOutside ? [`${element.tagName} ${element.innerText.trim().slice(0, 60)}`] : [];
		});
	});
}
