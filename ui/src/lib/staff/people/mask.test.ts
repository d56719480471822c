import { describe, expect, it } from 'vitest';
import { maskEmail, maskId, maskPhone } from './mask';

describe('what is masked', () => {
	it('keeps the year and the last two of a student id', () => {
		expect(maskId('2024320112')).toBe('2024****12');
	});
	it('hides the middle of a short id, and all of a very short one', () => {
		expect(maskId('STAFF01')).toBe('S****1');
		expect(maskId('ab')).toBe('****');
	});
	it('keeps the ends of a phone number', () => {
		expect(maskPhone('01012345678')).toBe('010-****-5678');
		expect(maskPhone('0111234567')).toBe('011-***-4567');
		expect(maskPhone('0232901234')).toBe('****1234');
	});
	it('keeps the domain of an address', () => {
		expect(maskEmail('haneul@example.ac.kr')).toBe('ha****@example.ac.kr');
		expect(maskEmail('h@example.ac.kr')).toBe('****@example.ac.kr');
	});
});
