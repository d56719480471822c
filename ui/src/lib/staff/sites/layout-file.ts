/**
 * What a layout file says of lockers, for a look before it is uploaded. Only what such files have is read: tables
 * of keys with one value each, and rows of a CSV. The server reads the file itself; what this cannot read it may.
 */

/** A locker as a file names it: keys and values as texts. */
export type FileLocker = Record<string, string>;

export interface LayoutFile {
	lockers: Map<number, FileLocker>;
	/** Everything that is not about lockers: names, rules, hours. */
	rest: string;
}

export type Format = 'toml' | 'csv';

/** A CSV by its name, or by how it begins. */
export const formatOf = (name: string, text: string): Format =>
	/\.csv$/i.test(name) || (!/\.toml$/i.test(name) && /^\uFEFF?[a-z_]+,/.test(text)) ? 'csv' : 'toml';

export const readLayout = (format: Format, text: string): LayoutFile => (format === 'csv' ? readCsv(text) : readToml(text));

function readToml(text: string): LayoutFile {
	const lockers = new Map<number, FileLocker>();
	const rest: string[] = [];
	let locker: FileLocker | undefined;
	const close = (): void => {
		if (locker?.['id'] !== undefined) lockers.set(Number(locker['id']), locker);
		locker = undefined;
	};
	for (const raw of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
		const line = uncommented(raw).trim();
		if (line === '') continue;
		if (line.startsWith('[')) {
			close();
			if (line === '[[location.bank.locker]]') locker = {};
			else rest.push(line);
			continue;
		}
		const found = /^([\w-]+)\s*=\s*(.+)$/.exec(line);
		if (locker && found) locker[found[1] ?? ''] = (found[2] ?? '').replace(/^"(.*)"$/, '$1').trim();
		else rest.push(line);
	}
	close();
	return { lockers, rest: rest.join('\n') };
}

/** A line without its comment; a `#` inside of quotes is none. */
function uncommented(line: string): string {
	let isQuoted = false;
	for (let at = 0; at < line.length; at += 1) {
		if (line[at] === '"') isQuoted = !isQuoted;
		if (line[at] === '#' && !isQuoted) return line.slice(0, at);
	}
	return line;
}

/** Columns of a CSV that say something of a locker. */
const OF_LOCKER = ['bus', 'board', 'lock', 'in_service', 'col', 'row', 'width', 'height', 'level', 'accessible'];

function readCsv(text: string): LayoutFile {
	const [head, ...rows] = cells(text.replace(/^\uFEFF/, ''));
	const names = (head ?? []).map((name) => name.trim());
	const lockers = new Map<number, FileLocker>();
	const rest = new Set<string>();
	for (const row of rows) {
		const all = Object.fromEntries(names.map((name, at) => [name, (row[at] ?? '').trim()]));
		const number = Number(all['locker']);
		if (!all['locker'] || !Number.isInteger(number)) continue;
		const own = OF_LOCKER.filter((name) => all[name]).map((name) => [name, all[name] ?? '']);
		lockers.set(number, Object.fromEntries(own) as FileLocker);
		rest.add(names.filter((name) => name !== 'locker' && !OF_LOCKER.includes(name)).map((name) => `${name}=${all[name]}`).join('\n'));
	}
	return { lockers, rest: [...rest].sort().join('\n') };
}

/** The cells of a CSV (RFC 4180). */
function cells(text: string): string[][] {
	const rows: string[][] = [[]];
	let cell = '';
	let isQuoted = false;
	const end = (): void => void (rows.at(-1)?.push(cell), (cell = ''));
	for (let at = 0; at < text.length; at += 1) {
		const one = text[at] ?? '';
		if (isQuoted) {
			if (one !== '"') cell += one;
			else if (text[at + 1] === '"') (cell += '"'), (at += 1);
			else isQuoted = false;
		} else if (one === '"') isQuoted = true;
		else if (one === ',') end();
		else if (one === '\n') (end(), rows.push([]));
		else if (one !== '\r') cell += one;
	}
	end();
	return rows.filter((row) => row.some((it) => it !== ''));
}

export interface Difference {
	locker: number;
	kind: 'added' | 'changed' | 'missing';
	/** Which keys are otherwise, as they are and as they would be. */
	keys: { key: string; from: string; to: string }[];
}

export interface Comparison {
	differences: Difference[];
	same: number;
	/** Whether names, rules or hours are otherwise, too. */
	isRestOther: boolean;
}

/** What a file leaves out of a locker keeps its value; a wire that it leaves out is taken off. */
const WIRE = ['bus', 'board', 'lock'];

/** Compares a file with the layout as it is. */
export function compare(now: LayoutFile, next: LayoutFile): Comparison {
	const differences: Difference[] = [];
	let same = 0;
	for (const [locker, to] of next.lockers) {
		const from = now.lockers.get(locker);
		if (!from) {
			differences.push({ locker, kind: 'added', keys: [] });
			continue;
		}
		const names = new Set([...Object.keys(to), ...WIRE.filter((key) => key in from)]);
		const keys = [...names]
			.map((key) => ({ key, from: from[key] ?? '', to: to[key] ?? '' }))
			.filter((it) => it.key !== 'id' && it.from !== it.to);
		if (keys.length > 0) differences.push({ locker, kind: 'changed', keys });
		else same += 1;
	}
	for (const locker of now.lockers.keys()) {
		if (!next.lockers.has(locker)) differences.push({ locker, kind: 'missing', keys: [] });
	}
	differences.sort((one, other) => one.locker - other.locker);
	return { differences, same, isRestOther: now.rest !== next.rest };
}
