/** The messages of the live socket (docs/ref/live.md). */

/** A subject, of all banks or of one. */
export type Wish = string | { topic: string; bank: number };

/** Something that is whole: it takes the place of what was known under the same id. */
export type Item = Record<string, unknown>;

export interface Hello {
	type: 'hello';
	session: string;
	version: number;
	resumed: boolean;
	topics: string[];
	refused: string[];
	server_time: string;
	token_ends_in_ms: number;
}

export interface Snapshot {
	type: 'snapshot';
	topic: string;
	version: number;
	groups: { bank: number | null; items: Item[] }[];
}

export interface Delta {
	type: 'delta';
	version: number;
	changes: { version: number; topic: string; bank: number | null; items: Item[] }[];
}

export type Message =
	| Hello
	| Snapshot
	| Delta
	| { type: 'resync' }
	| { type: 'reauth'; token_ends_in_ms: number }
	| { type: 'renewed'; token_ends_in_ms: number; topics?: string[]; refused?: string[] }
	| { type: 'bye'; retry_after_ms: number };

/** Reads a message; nothing for one that this version of the page does not know. */
export function readMessage(text: string): Message | undefined {
	const known = ['hello', 'snapshot', 'delta', 'resync', 'reauth', 'renewed', 'bye'];
	try {
		const message = JSON.parse(text) as { type?: unknown };
		return known.includes(String(message.type)) ? (message as Message) : undefined;
	} catch {
		return undefined;
	}
}
