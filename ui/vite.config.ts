import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

/** The server that `npm run dev` talks to: `lockerd demo`. */
const server = process.env['LOCKERD'] ?? 'http://127.0.0.1:3000';

export default defineConfig({
	plugins: [sveltekit()],
	build: { assetsInlineLimit: 0, target: 'es2022' },
	server: {
		proxy: Object.fromEntries(
			['/api', '/mailbox', '/demo/api'].map((path) => [
				path,
				// The server believes cookies only of its own pages.
				{ target: server, ws: true, changeOrigin: true, headers: { origin: server } }
			])
		)
	},
	test: { include: ['{src,demo}/**/*.test.ts'], environment: 'node' }
});
