import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * `E2E` says what: the walks of `make test` (nothing), all flows (`full`), figures (`perf`, `lighthouse`), pictures
 * (`shots`), a kiosk for hours (`soak`).
 */
const kind = process.env['E2E'] ?? '';
const folders: Record<string, string[]> = {
	'': ['e2e/*.e2e.ts'],
	full: ['e2e/*.e2e.ts', 'e2e/full/*.e2e.ts'],
	perf: ['e2e/perf/*.e2e.ts'],
	lighthouse: ['e2e/lighthouse/*.e2e.ts'],
	shots: ['e2e/shots/*.e2e.ts'],
	soak: ['e2e/soak/*.e2e.ts']
};
const include = folders[kind];
if (!include) throw new Error(`E2E is one of ${Object.keys(folders).join(', ')}: ${kind}`);

// Real pages in a real browser, against the real program with simulated boards.
export default defineConfig({
	resolve: { alias: { $lib: fileURLToPath(new URL('src/lib', import.meta.url)) } },
	test: {
		include,
		environment: 'node',
		testTimeout: kind === '' ? 120_000 : 600_000,
		hookTimeout: 60_000,
		// One browser at a time: two would measure each other.
		fileParallelism: false
	}
});
