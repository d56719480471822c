/**
 * Reads a roster file in the browser the way the server does (src/service/members/roster_file.rs): to show its
 * columns before anything is sent, and the lines that were left out afterwards. The server stays the judge.
 */

/** How the letters are written. */
export type Encoding = 'utf-8' | 'cp949';

export interface CsvRow {
	/** On which line of the file it begins, as an editor counts. */
	line: number;
	cells: string[];
	/** Where it begins and ends in the text, without the end of its line. */
	start: number;
	end: number;
}

export interface CsvFile {
	encoding: Encoding;
	text: string;
	separator: string;
	head: CsvRow;
	/** Lines with data. */
	rows: CsvRow[];
}

/** Why a file cannot be read at all. */
export type Unreadable = 'spreadsheet' | 'letters' | 'empty' | 'large';

/** The server takes no larger one, in bytes. */
export const BYTES_MAX = 16 << 20;

export class UnreadableFile extends Error {
	constructor(readonly why: Unreadable) {
		super(`the file cannot be read: ${why}`);
		this.name = 'UnreadableFile';
	}
}

/**
 * Reads a file.
 * @throws UnreadableFile when it is no text with lines.
 */
export function readCsv(bytes: Uint8Array): CsvFile {
	if (bytes.length > BYTES_MAX) throw new UnreadableFile('large');
	const { text, encoding } = decode(bytes);
	const separator = separatorOf(text);
	const [head, ...rows] = records(text, separator);
	if (!head) throw new UnreadableFile('empty');
	return { encoding, text, separator, head, rows: rows.filter(({ cells }) => cells.some((cell) => cell !== '')) };
}

/** UTF-8 if it is, else EUC-KR, by which browsers mean all of CP949. */
export function decode(bytes: Uint8Array): { text: string; encoding: Encoding } {
	// A spreadsheet is a ZIP file or an old OLE one; as text it would only be a riddle.
	const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 0x03;
	const isOle = bytes[0] === 0xd0 && bytes[1] === 0xcf && bytes[2] === 0x11;
	if (isZip || isOle) throw new UnreadableFile('spreadsheet');
	for (const [label, encoding] of [
		['utf-8', 'utf-8'],
		['euc-kr', 'cp949']
	] as const) {
		try {
			return { text: new TextDecoder(label, { fatal: true }).decode(bytes), encoding };
		} catch {
			// The next one.
		}
	}
	throw new UnreadableFile('letters');
}

/** What stands between the cells: whatever the first line has most of outside of quotes; of equals the comma. */
export function separatorOf(text: string): string {
	const first = /^[^\r\n]*/.exec(text)?.[0] ?? '';
	const outside = first.split('"').filter((_, at) => at % 2 === 0).join('');
	const count = (separator: string): number => outside.split(separator).length - 1;
	return [',', ';', '\t'].reduce((best, other) => (count(other) > count(best) ? other : best));
}

function records(text: string, separator: string): CsvRow[] {
	const found: CsvRow[] = [];
	let at = 0;
	let line = 1;
	/** Steps over one end of a line. */
	const endOfLine = (): void => {
		at += text[at] === '\r' && text[at + 1] === '\n' ? 2 : 1;
		line += 1;
	};
	while (at < text.length) {
		if (text[at] === '\n' || text[at] === '\r') {
			endOfLine();
			continue;
		}
		const row: CsvRow = { line, cells: [], start: at, end: at };
		for (;;) {
			let cell = '';
			if (text[at] === '"') {
				at += 1;
				while (at < text.length) {
					if (text[at] === '"' && text[at + 1] === '"') {
						cell += '"';
						at += 2;
					} else if (text[at] === '"') {
						at += 1;
						break;
					} else if (text[at] === '\n' || text[at] === '\r') {
						const from = at;
						endOfLine();
						cell += text.slice(from, at);
					} else {
						cell += text[at++];
					}
				}
			}
			const from = at;
			while (at < text.length && text[at] !== separator && text[at] !== '\n' && text[at] !== '\r') at += 1;
			row.cells.push((cell + text.slice(from, at)).trim());
			if (text[at] !== separator) break;
			at += 1;
		}
		row.end = at;
		found.push(row);
	}
	return found;
}

/** A cell for a file: quoted where it must be, and never taken for a formula. */
export function csvCell(text: string): string {
	const guarded = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
	return /[",;\t\r\n]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

/** Rows as a file that Excel opens in Korean. */
export function csvText(rows: string[][]): string {
	return `\u{feff}${rows.map((row) => row.map(csvCell).join(',')).join('\r\n')}\r\n`;
}
