import { describe, expect, it, vi } from 'vitest';

vi.mock('../i18n/texts.svelte', () => ({ texts: {} }));
const { graceLeft, returnStand } = await import('./giveback');

describe('a return', () => {
	it('stands where the server says', () => {
		expect(returnStand({ state: 'active' }, false)).toBe('check');
		for (const waits of ['door', 'confirmation', 'staff', 'grace'] as const) {
			expect(returnStand({ state: 'returned', waits_for: waits }, true)).toBe(waits);
		}
		expect(returnStand({ state: 'returned', waits_for: null }, true)).toBe('finishing');
		expect(returnStand({ state: 'returned', waits_for: 'something new' }, true)).toBe('finishing');
	});

	it('is done only for a page that saw it given back', () => {
		expect(returnStand(undefined, true)).toBe('done');
		expect(returnStand(undefined, false)).toBe('notMine');
		expect(returnStand({ state: 'held' }, false)).toBe('notMine');
	});

	it('can be opened again until it is free', () => {
		expect(graceLeft('2026-03-02T09:10:00Z', Date.parse('2026-03-02T09:00:20Z'))).toBe(580_000);
		expect(graceLeft('2026-03-02T09:10:00Z', Date.parse('2026-03-02T10:00:00Z'))).toBe(0);
		expect(graceLeft(null, 0)).toBe(0);
		expect(graceLeft('soon', 0)).toBe(0);
	});
});
