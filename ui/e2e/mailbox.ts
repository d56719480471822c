/** The mails of a demonstration, which keeps them instead of sending them. */
import { expect } from 'vitest';
import type { Site } from './site';

interface Mail {
	number: number;
	to: string;
	text: string;
}

/** Newest first. */
async function mailsTo(site: Site, address: string): Promise<Mail[]> {
	const answer = await fetch(`${site.url}/api/v1/mailbox`);
	if (!answer.ok) throw new Error(`no mailbox: ${await answer.text()}`);
	const { mails } = (await answer.json()) as { mails: Mail[] };
	return mails.filter(({ to }) => to.includes(address));
}

/** The eight digits of the next mail to somebody, while `deed` lets it be written. */
export async function codeMailed(site: Site, address: string, deed: () => Promise<void>): Promise<string> {
	const before = (await mailsTo(site, address))[0]?.number ?? 0;
	await deed();
	// Written after the answer, so that nobody learns from the time it takes who has an account.
	await expect.poll(async () => (await mailsTo(site, address))[0]?.number ?? 0, { timeout: 10_000 }).toBeGreaterThan(before);
	const text = (await mailsTo(site, address))[0]?.text ?? '';
	const code = /(?<!\d)\d{4}[ -]?\d{4}(?!\d)/.exec(text)?.[0].replace(/\D/g, '');
	if (code === undefined) throw new Error(`no code in the mail: ${text}`);
	return code;
}
