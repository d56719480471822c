import adapter from '@sveltejs/adapter-static';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** @type {import('@sveltejs/kit').Config} */
export default {
	preprocess: vitePreprocess(),
	compilerOptions: { runes: true },
	kit: {
		// One page for every address: the binary answers unknown ones with it. Smaller copies of each file
		// are made here, so that the server never compresses.
		adapter: adapter({ fallback: 'index.html', precompress: true, strict: true }),
		// Own markup has no inline style: the policy of the server forbids it.
		inlineStyleThreshold: 0,
		// No file that is asked for again and again: a new version is met at the next start.
		version: { pollInterval: 0 }
	}
};
