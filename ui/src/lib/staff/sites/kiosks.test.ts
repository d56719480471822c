import { describe, expect, it } from 'vitest';
import { grouped, stateOf } from './kiosks';

const now = Date.parse('2026-03-02T00:00:00Z');
const kiosk = { paired_at: '2026-03-01T00:00:00Z', pairing_code_until: null, silent: false, last_seen_at: '2026-03-01T23:59:55Z' };

describe('how a kiosk is', () => {
	it('is told by what was heard of it', () => {
		expect(stateOf(kiosk, now)).toBe('well');
		expect(stateOf({ ...kiosk, silent: true }, now)).toBe('silent');
		expect(stateOf({ ...kiosk, silent: true, last_seen_at: null }, now)).toBe('never');
	});
	it('is waiting only as long as its code is good', () => {
		const unpaired = { ...kiosk, paired_at: null, pairing_code_until: '2026-03-02T00:10:00Z' };
		expect(stateOf(unpaired, now)).toBe('waiting');
		expect(stateOf(unpaired, now + 600_000)).toBe('unpaired');
		expect(stateOf({ ...unpaired, pairing_code_until: null }, now)).toBe('unpaired');
	});
});

describe('what is shown', () => {
	it('groups a code', () => {
		expect(grouped('123456')).toBe('123 456');
		expect(grouped('12345678')).toBe('1234 5678');
		expect(grouped('k4gy-tf3m')).toBe('k4gy-tf3m');
	});
});
