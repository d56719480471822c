import { describe, expect, it } from 'vitest';
import { CALM_MS, DONE_MS, HOME_MS, idleness, OPENING_CALM_MS, WARNING_MS } from './idle';

describe('somebody who left', () => {
	it.each(['id', 'code', 'my', 'return', 'help'] as const)('is warned at %s after 25 s and signed out 20 s later', (screen) => {
		expect(idleness(screen, false, CALM_MS - 1)).toEqual({ kind: 'calm' });
		expect(idleness(screen, false, CALM_MS)).toEqual({ kind: 'warning', leftMs: WARNING_MS });
		expect(idleness(screen, false, CALM_MS + WARNING_MS - 1)).toEqual({ kind: 'warning', leftMs: 1 });
		expect(idleness(screen, false, CALM_MS + WARNING_MS)).toEqual({ kind: 'over' });
		expect([CALM_MS, WARNING_MS]).toEqual([25_000, 20_000]);
	});

	it('has 90 s while the door is open, and no more than others once it was seen closed', () => {
		expect(idleness('opening', true, CALM_MS)).toEqual({ kind: 'calm' });
		expect(idleness('opening', true, OPENING_CALM_MS)).toEqual({ kind: 'warning', leftMs: WARNING_MS });
		expect(idleness('opening', false, CALM_MS).kind).toBe('warning');
		expect(OPENING_CALM_MS).toBe(90_000);
	});

	it('has no part in a door that another screen knows nothing of', () => {
		expect(idleness('my', true, CALM_MS).kind).toBe('warning');
	});

	it('is thanked for 5 s, and at the front page only language and size go back', () => {
		expect(idleness('done', false, DONE_MS - 1).kind).toBe('calm');
		expect(idleness('done', false, DONE_MS).kind).toBe('over');
		expect(idleness('home', false, HOME_MS - 1).kind).toBe('calm');
		expect(idleness('home', false, HOME_MS).kind).toBe('over');
	});
});
