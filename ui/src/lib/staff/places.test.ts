import { describe, expect, it } from 'vitest';
import { placeOf } from './places';

describe('the place of an address', () => {
	it('is the one that it begins with', () => {
		expect(placeOf('/staff')?.key).toBe('board');
		expect(placeOf('/staff/alarms')?.key).toBe('alarms');
		expect(placeOf('/staff/members/12')?.key).toBe('members');
	});
	it('is the nearer of two', () => {
		expect(placeOf('/staff/system')?.key).toBe('health');
		expect(placeOf('/staff/system/mails')?.key).toBe('mails');
	});
	it('is that of the rentals for what belongs to them', () => {
		expect(placeOf('/staff/returns')?.key).toBe('rentals');
		expect(placeOf('/staff/waiting')?.key).toBe('rentals');
		expect(placeOf('/staff/returnsroom')).toBeUndefined();
	});
	it('is the board for a bank, the members for penalties, and none elsewhere', () => {
		expect(placeOf('/staff/penalties')?.key).toBe('members');
		expect(placeOf('/staff/banks/3')?.key).toBe('board');
		expect(placeOf('/staff/policies/1')?.key).toBe('places');
		expect(placeOf('/staff/nowhere')).toBeUndefined();
		expect(placeOf('/staffroom')).toBeUndefined();
	});
});
