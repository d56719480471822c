import { describe, expect, it } from 'vitest';
import { watch as en } from './watch.en';
import { watch as ko } from './watch.ko';

/** Every key with the way to it; words for the server's names are typed as records, which may lack some. */
function keysOf(area: object, way = ''): string[] {
	return Object.entries(area).flatMap(([key, value]: [string, unknown]) =>
		typeof value === 'object' && value !== null ? keysOf(value, `${way}${key}.`) : [`${way}${key}`]
	);
}

describe('texts of staff who watch doors', () => {
	it('name in English what they name in Korean', () => {
		expect(keysOf(en).sort()).toEqual(keysOf(ko).sort());
	});
});
