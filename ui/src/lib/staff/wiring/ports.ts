/** Ports and boards as `GET /buses` tells them, kept up to date by the topic `health`; families of boards. */
import type { Item } from '../../live/protocol';

export interface Board {
	address: number;
	family: string;
	status: 'online' | 'silent' | 'unknown';
	since: string;
	sent: number;
	answered: number;
	timeouts: number;
	refused: number;
	bad_frames: number;
	wrong_address: number;
	mismatched: number;
	collisions: number;
	noise_bytes: number;
	retries: number;
	reply_times: { mean_ms: number | null; slowest_ms: number | null };
}

export interface Port {
	name: string;
	port: string;
	status: 'online' | 'offline';
	reason: string | null;
	since: string;
	reconnects: number;
	boards: Board[];
}

/** The API document names no fields of what it says about ports. */
export const asPorts = (answer: unknown): Port[] => answer as Port[];

/** The ports with what the socket told of them at a time. Figures stay as they were asked for. */
export function heard(ports: Port[], items: Item[], at: string): Port[] {
	return ports.map((port) => {
		const item = items.findLast((it) => it['bus'] === port.name);
		if (!item) return port;
		const boards = (item['boards'] ?? []) as { address: number; status: Board['status'] }[];
		const statusOf = new Map(boards.map(({ address, status }) => [address, status]));
		const status = item['status'] as Port['status'];
		return {
			...port,
			status,
			since: status === port.status ? port.since : at,
			reason: (item['reason'] ?? null) as string | null,
			boards: port.boards.map((board) => ({ ...board, status: statusOf.get(board.address) ?? board.status }))
		};
	});
}

/** What is known of a board: one whose port is closed is not one that never answered. */
export function stateOf({ status, answered }: Board): Board['status'] | 'lost' {
	return status === 'unknown' && answered > 0 ? 'lost' : status;
}

/** Answers that were no good: broken, of another board, or two at once. */
export function badAnswers(board: Board): number {
	return board.bad_frames + board.wrong_address + board.mismatched + board.collisions;
}

export type AddressBy = 'command' | 'dip' | 'rotary' | 'switch';

export interface Family {
	key: FamilyKey;
	first: number;
	last: number;
	/** How its address is set. */
	by: AddressBy;
}

export type FamilyKey = 'modbus-relay' | 'xor-board' | 'kerong-cu16' | 'kerong-cu48' | 'kerong-cu48-ir' | 'wkly';

/** docs/guide/wiring.md. */
export const FAMILIES: Family[] = [
	{ key: 'modbus-relay', first: 1, last: 255, by: 'command' },
	{ key: 'xor-board', first: 1, last: 32, by: 'dip' },
	{ key: 'kerong-cu16', first: 0, last: 14, by: 'rotary' },
	{ key: 'kerong-cu48', first: 0, last: 9, by: 'switch' },
	{ key: 'kerong-cu48-ir', first: 0, last: 9, by: 'switch' },
	{ key: 'wkly', first: 0, last: 31, by: 'dip' }
];

/** Speeds that a scan tries. */
export const BAUDS = [9600, 19200, 38400, 115200];

/** A whole number within bounds that somebody typed. */
export function within(typed: string, first: number, last: number): number | undefined {
	const text = typed.trim();
	const value = Number(text);
	return /^\d{1,3}$/.test(text) && value >= first && value <= last ? value : undefined;
}

/** The lines for config.toml of a board that a scan found. */
export function configLines(found: { family: string; address: number }): string {
	return `[[bus.board]]\naddress = ${found.address}\nfamily = "${found.family}"\nlocks = 16\n`;
}

/** One raw exchange with a board. */
export interface Exchange {
	at: string;
	sent: string;
	heard: string;
	after_ms: number | null;
	verdict: string;
}

/** Exchanges as lines to be copied into a mail. */
export function exchangeText(exchanges: Exchange[]): string {
	return exchanges
		.map(({ at, sent, heard, after_ms, verdict }) => {
			const after = after_ms === null ? '-' : `${after_ms.toFixed(1)} ms`;
			return [at, `> ${sent}`, `< ${heard || '-'}`, after, verdict].join('\t');
		})
		.join('\n');
}
