import { svelte, vitePreprocess } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

/** The front page of `lockerd demo`: a page of its own, so that nothing of it can be in the app. */
const server = process.env['LOCKERD'] ?? 'http://127.0.0.1:3000';

export default defineConfig({
	root: 'demo',
	publicDir: false,
	plugins: [svelte({ configFile: false, preprocess: vitePreprocess(), compilerOptions: { runes: true } })],
	build: {
		outDir: '../build-demo',
		emptyOutDir: true,
		// Served as /demo and /demo/…; whatever else the page asks for belongs to the site.
		assetsDir: 'demo',
		assetsInlineLimit: 0,
		modulePreload: { polyfill: false },
		target: 'es2022'
	},
	server: {
		proxy: Object.fromEntries(
			['/api', '/mailbox', '/demo/api', '/icon.svg'].map((path) => [
				path,
				{ target: server, changeOrigin: true, headers: { origin: server } }
			])
		)
	}
});
