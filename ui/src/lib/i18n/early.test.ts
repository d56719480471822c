import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { earlyAreas } from './early';

const ROUTES = fileURLToPath(new URL('../../routes', import.meta.url));

/** What the pages of a folder ask for, by address; their layouts' texts are theirs, too. */
function asked(folder: string): { path: string; areas: string[] }[] {
	const needs = (file: string): string[] => {
		const call = /need\(([^)]*)\)/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
		return [...call.matchAll(/'(\w+)'/g)].map(([, area]) => area as string);
	};
	const files = readdirSync(join(ROUTES, folder), { recursive: true, encoding: 'utf8' });
	return files
		.filter((file) => file.endsWith('+page.svelte'))
		.map((file) => {
			const areas: string[] = [];
			for (let at = dirname(file); ; at = dirname(at)) {
				const own = [...(at === dirname(file) ? ['+page.ts'] : []), '+layout.ts'].map((name) => join(at, name));
				for (const name of own) if (files.includes(name)) areas.push(...needs(join(ROUTES, folder, name)));
				if (at === '.') break;
			}
			const place = dirname(file).replace(/^\.$/, '').replace(/\[\w+\]/g, '1');
			const root = folder === '(student)' ? '' : `/${folder}`;
			return { path: place ? `${root}/${place}` : root || '/', areas };
		});
}

test.each([...asked('(student)'), ...asked('kiosk')])('$path gets a head start with its texts', ({ path, areas }) => {
	expect(areas.length).toBeGreaterThan(0);
	expect([...earlyAreas(path)].sort()).toEqual([...new Set(areas)].sort());
});

test('other pages load their texts themselves', () => {
	expect(earlyAreas('/staff')).toEqual([]);
	expect(earlyAreas('/mailbox')).toEqual([]);
});
