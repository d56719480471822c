import { describe, expect, it } from 'vitest';
import { maskId } from './mask';

describe('what is masked', () => {
	it('keeps the year and the last two of a student id', () => {
		expect(maskId('2024320112')).toBe('2024****12');
	});
	it('hides the middle of a short id, and all of a very short one', () => {
		expect(maskId('STAFF01')).toBe('S****1');
		expect(maskId('ab')).toBe('****');
	});
});
