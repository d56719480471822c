/**
 * The program with the pages of a folder in place of its own (`LOCKERD_UI=build`). Elsewhere the tests' browser does
 * that itself; Lighthouse measures what really comes over the network, so that here a small server stands in front.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';

const TYPES: Record<string, string> = {
	'.css': 'text/css',
	'.html': 'text/html',
	'.js': 'text/javascript',
	'.json': 'application/json',
	'.svg': 'image/svg+xml',
	'.webmanifest': 'application/manifest+json'
};

/** A server in front of the program, and its address. */
export async function inFrontOf(program: string, folder: string): Promise<{ url: string; server: Server }> {
	// The program believes cookies only of its own pages.
	const passedOn = (asked: IncomingMessage) =>
		request(new URL(asked.url ?? '/', program), {
			method: asked.method,
			headers: { ...asked.headers, host: new URL(program).host, ...(asked.headers.origin ? { origin: program } : {}) }
		});
	const server = createServer((asked, answer) => {
		const path = new URL(asked.url ?? '/', program).pathname;
		if (path.startsWith('/api')) {
			const onward = passedOn(asked);
			onward.on('response', (got) => {
				answer.writeHead(got.statusCode ?? 502, got.headers);
				got.pipe(answer);
			});
			onward.on('error', () => answer.destroy());
			asked.pipe(onward);
			return;
		}
		const named = join(folder, path);
		const file = extname(path) ? named : join(folder, 'index.html');
		if (!existsSync(file)) {
			answer.writeHead(404).end();
			return;
		}
		const isSmall = existsSync(`${file}.br`);
		answer.writeHead(200, {
			'Content-Type': `${TYPES[extname(file)] ?? 'application/octet-stream'}; charset=utf-8`,
			'Cache-Control': path.includes('/immutable/') ? 'public, max-age=31536000, immutable' : 'no-cache',
			...(isSmall ? { 'Content-Encoding': 'br' } : {})
		});
		answer.end(readFileSync(isSmall ? `${file}.br` : file));
	});
	server.on('upgrade', (asked, socket, head) => {
		const onward = passedOn(asked);
		onward.on('upgrade', (got, far, farHead) => {
			const lines = got.rawHeaders.flatMap((name, at, all) => (at % 2 ? [] : [`${name}: ${all[at + 1]}`]));
			socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
			socket.write(farHead);
			far.write(head);
			far.pipe(socket).pipe(far);
			far.on('error', () => socket.destroy());
			socket.on('error', () => far.destroy());
		});
		onward.on('error', () => socket.destroy());
		onward.end();
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}
