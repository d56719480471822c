import { describe, expect, it } from 'vitest';
import { isPairingCode, pairingCodeOf, PAIRING_KEYS } from './pairing';

describe('a pairing code', () => {
	it('is read however it is written', () => {
		expect(pairingCodeOf(' QHX8-ut4P ')).toBe('qhx8ut4p');
		expect(pairingCodeOf('qhx8ut4p9999')).toBe('qhx8ut4p');
		expect(isPairingCode('qhx8ut4p')).toBe(true);
		expect(isPairingCode('qhx8ut4')).toBe(false);
	});

	it('has no letters that look like others', () => {
		for (const key of 'ilo01') expect(PAIRING_KEYS).not.toContain(key);
		expect(new Set(PAIRING_KEYS).size).toBe(PAIRING_KEYS.length);
	});
});
