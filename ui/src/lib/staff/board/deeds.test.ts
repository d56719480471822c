import { describe, expect, it, vi } from 'vitest';

vi.mock('../../api/client', () => ({ api: {}, ask: vi.fn() }));
const { deedsFor } = await import('./deeds');

const of = (rental: string | undefined, inService = true, isWired = true): string =>
	deedsFor({ rental, inService, isWired }).join(' ');

describe('what can be done with a locker', () => {
	it('is for its renter while it is rented, and never to give it to somebody else', () => {
		expect(of('active')).toBe('dates move end out key note');
	});
	it('is to say that it is empty when it was given back', () => {
		expect(of('returned')).toBe('free out key note');
	});
	it('is to let a hold go, not to free it', () => {
		expect(of('held')).toBe('letGo out key note');
	});
	it('is to assign it when nobody has it, unless it is out of service', () => {
		expect(of(undefined)).toBe('assign out key note');
		expect(of('reserved')).toBe('assign out key note');
		expect(of(undefined, false)).toBe('back key note');
	});
	it('is no key to note where there is no electric lock', () => {
		expect(of(undefined, true, false)).toBe('assign out note');
	});
});
