/** The time of a demonstration: it goes on when it is told to. */
import type { Site } from './site';

/** Lets a site's time go on. */
export async function turn(site: Site, seconds: number): Promise<void> {
	const answer = await fetch(`${site.url}/demo/api/clock`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json' },
		body: JSON.stringify({ advance_s: seconds })
	});
	if (!answer.ok) throw new Error(`the clock was not turned: ${await answer.text()}`);
}

/** What time it is there, in seconds. */
export async function siteSeconds(site: Site): Promise<number> {
	const answer = await fetch(`${site.url}/demo/api/clock`);
	return Date.parse(((await answer.json()) as { server_time: string }).server_time) / 1000;
}
