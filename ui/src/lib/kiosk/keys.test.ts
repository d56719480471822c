import { describe, expect, it } from 'vitest';
import { meaningOf, moved } from './keys';

describe('keys', () => {
	it('of a number pad mean what stands on them', () => {
		expect(meaningOf('7')).toEqual({ kind: 'type', key: '7' });
		expect(meaningOf('Enter')).toEqual({ kind: 'enter' });
		expect(meaningOf('Backspace')).toEqual({ kind: 'erase' });
		expect(meaningOf('+')).toEqual({ kind: 'move', by: 1 });
		expect(meaningOf('-')).toEqual({ kind: 'move', by: -1 });
	});

	it('that mean nothing here are left to the browser', () => {
		for (const key of ['Tab', 'Escape', 'F5', ' ', 'ㅁ', '.', 'ArrowLeft']) expect(meaningOf(key)).toBeUndefined();
	});
});

describe('the focus', () => {
	it('goes round', () => {
		expect([moved(-1, 1, 3), moved(0, 1, 3), moved(2, 1, 3)]).toEqual([0, 1, 0]);
		expect([moved(-1, -1, 3), moved(0, -1, 3), moved(2, -1, 3)]).toEqual([2, 2, 1]);
	});
});
