import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Real pages in a real browser, against the real program with simulated boards.
export default defineConfig({
	resolve: { alias: { $lib: fileURLToPath(new URL('src/lib', import.meta.url)) } },
	test: {
		include: ['e2e/**/*.e2e.ts'],
		environment: 'node',
		testTimeout: 120_000,
		hookTimeout: 60_000,
		// One browser at a time: two would measure each other.
		fileParallelism: false
	}
});
