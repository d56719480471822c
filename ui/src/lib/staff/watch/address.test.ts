import { describe, expect, it } from 'vitest';
import { withPart } from './address';

describe('an address with another part', () => {
	const url = new URL('http://host/staff/alarms?tab=closed&alarm=3');
	it('keeps the filters', () => {
		expect(withPart(url, 'alarm', '4')).toBe('/staff/alarms?tab=closed&alarm=4');
		expect(withPart(url, 'alarm', undefined)).toBe('/staff/alarms?tab=closed');
	});
	it('has no empty question', () => {
		expect(withPart(new URL('http://host/staff/alarms?alarm=3'), 'alarm', undefined)).toBe('/staff/alarms');
	});
});
