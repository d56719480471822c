import { expect, it } from 'vitest';
import { system as en } from './system.en';
import { system as ko } from './system.ko';
import { wiring as wiringEn } from './wiring.en';
import { wiring as wiringKo } from './wiring.ko';

/** The keys that lead to every text; lists of columns by their length. */
function keys(texts: unknown, path = ''): string[] {
	if (Array.isArray(texts)) return path.endsWith('.reasons') ? [] : [`${path}[${texts.length}]`];
	if (typeof texts !== 'object' || texts === null) return [path];
	return Object.entries(texts).flatMap(([key, it]) => keys(it, `${path}.${key}`));
}

it('has every name of a job, limit, mail or state, and every column, in both languages', () => {
	expect(keys(en).sort()).toEqual(keys(ko).sort());
	expect(keys(wiringEn).sort()).toEqual(keys(wiringKo).sort());
});
