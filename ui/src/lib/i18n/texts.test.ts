import { beforeEach, describe, expect, it, vi } from 'vitest';

vi.stubGlobal('navigator', { languages: ['ko'] });
vi.stubGlobal('document', { documentElement: {} });

/** Holds the next fetch of a catalogue back until it is let go. */
let gate: Promise<void> | undefined;
const held = (): (() => void) => {
	let open = (): void => {};
	gate = new Promise((resolve) => (open = resolve));
	return open;
};
async function catalogue<T>(words: T): Promise<T> {
	await gate;
	return words;
}
vi.mock('./student.ko', () => catalogue({ student: { say: 'ko' } }));
vi.mock('./student.en', () => catalogue({ student: { say: 'en' } }));
vi.mock('./bank.ko', () => catalogue({ bank: { say: 'ko' } }));
vi.mock('./bank.en', () => catalogue({ bank: { say: 'en' } }));
vi.mock('./words.ko', () => catalogue({ common: { say: 'ko' }, problems: {} }));
vi.mock('./words.en', () => catalogue({ common: { say: 'en' }, problems: {} }));

const say = (area: unknown): string => (area as { say: string }).say;
async function fresh() {
	vi.resetModules();
	gate = undefined;
	return (await import('./texts.svelte')).texts;
}
let texts: Awaited<ReturnType<typeof fresh>>;
beforeEach(async () => {
	texts = await fresh();
	await texts.need('common');
});

describe('the language', () => {
	it('is changed at once for all that is there', async () => {
		await texts.need('student');
		await texts.speak('en', false);
		expect([texts.language, say(texts.common), say(texts.student)]).toEqual(['en', 'en', 'en']);
	});

	it('does not forget what a page loads meanwhile', async () => {
		const open = held();
		const changed = texts.speak('en', false);
		const loaded = texts.need('student');
		open();
		await Promise.all([changed, loaded]);
		expect([say(texts.common), say(texts.student)]).toEqual(['en', 'en']);
	});

	it('is one: what was asked for in the former one is asked for anew', async () => {
		const open = held();
		const loaded = texts.need('bank');
		gate = undefined;
		await texts.speak('en', false);
		open();
		await loaded;
		expect([texts.language, say(texts.bank)]).toEqual(['en', 'en']);
	});

	it('is the one that was chosen last', async () => {
		const open = held();
		const slow = texts.speak('en', false);
		gate = undefined;
		await texts.speak('ko', false);
		open();
		await slow;
		expect([texts.language, say(texts.common)]).toEqual(['ko', 'ko']);
	});
});
