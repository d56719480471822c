import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';

/** The server that `npm run dev` talks to: `lockerd demo`. */
const server = process.env['LOCKERD'] ?? 'http://127.0.0.1:3000';

/**
 * What is loaded together: left alone, the bundler makes a file for each set of pages that share something,
 * and a phone on a busy network waits for thirty of them. The frame is what every page needs; each room of the
 * app that several pages share is one file more. Texts stay apart: a page loads one language of its areas.
 */
const rooms = {
	student: '(student|opening)',
	map: 'map',
	dates: 'dates',
	account: 'account',
	kiosk: 'kiosk',
	board: 'staff/board',
	lending: 'staff/(lending|figures)',
	staff: 'staff'
};
const inLib = (path: string): RegExp => new RegExp(`/src/lib/${path}`);
const shared = { minShareCount: 2, priority: 1 };
const groups = [
	{
		name: 'frame',
		test: /\/node_modules\/|\/src\/lib\/((api|live|ui)\/|(i18n\/)?[a-z-]+(\.svelte|\.data)?\.ts$)/,
		priority: 2
	},
	...Object.entries(rooms).map(([name, path]) => ({ name, test: inLib(`${path}/`), ...shared }))
];

export default defineConfig({
	plugins: [sveltekit()],
	build: { assetsInlineLimit: 0, target: 'es2022' },
	environments: { client: { build: { rolldownOptions: { output: { codeSplitting: { groups } } } } } },
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
