/**
 * What a roster's columns mean, and what was wrong with its lines. The heads are those that the server knows
 * (src/service/members/roster_file.rs); where a file has others, its first line is written anew before it is sent.
 */
import { csvText, type CsvFile, type CsvRow } from './csv';

export const FIELDS = ['student_id', 'name', 'phone', 'email', 'department'] as const;
export type Field = (typeof FIELDS)[number];
/** Which column of the file is which field; nothing for a field that the file has not. */
export type Columns = Partial<Record<Field, number>>;

/** Without these a file is no roster. */
export const NEEDED: readonly Field[] = ['student_id', 'name'];

const HEADS: Record<Field, string[]> = {
	student_id: ['studentid', 'studentnumber', '학번', '학생번호'],
	name: ['name', 'fullname', '이름', '성명'],
	phone: ['phone', 'phonenumber', 'mobile', 'tel', '전화', '전화번호', '휴대폰', '휴대폰번호', '휴대전화', '연락처'],
	email: ['email', 'emailaddress', 'mail', '이메일', '메일', '이메일주소'],
	department: ['department', 'dept', 'major', '학과', '소속', '부서', '전공']
};

/** The field that the server takes a column for. */
export function fieldOf(head: string): Field | undefined {
	const plain = head.replace(/[\s_-]/g, '').toLowerCase();
	return FIELDS.find((field) => HEADS[field].includes(plain));
}

/** The columns as their heads say; of two that say the same the first. */
export function guessColumns(head: string[]): Columns {
	const columns: Columns = {};
	head.forEach((text, at) => {
		const field = fieldOf(text);
		if (field) columns[field] ??= at;
	});
	return columns;
}

/** Needed fields that have no column. */
export const missing = (columns: Columns): Field[] => NEEDED.filter((field) => columns[field] === undefined);

/** Fields that share their column with another one. */
export function shared(columns: Columns): Field[] {
	return FIELDS.filter((field) =>
		FIELDS.some((other) => other !== field && columns[field] !== undefined && columns[other] === columns[field])
	);
}

/** Whether the server takes the columns for the same as chosen, so that the file can be sent as it is. */
export function isReadAs(head: string[], columns: Columns): boolean {
	return head.every((text, at) => fieldOf(text) === FIELDS.find((field) => columns[field] === at));
}

/** The file with a first line that names the columns as chosen; all other lines stay where they are. */
export function withHeads(file: CsvFile, columns: Columns): string {
	const { head, text, separator } = file;
	const names = head.cells.map((_, at) => FIELDS.find((field) => columns[field] === at) ?? `column${at + 1}`);
	const before = text.slice(head.start, head.end);
	// A head over several lines leaves blank ones behind, so that lines keep their numbers.
	const ends = before.replace(/\r\n/g, '\n').replace(/[^\r\n]/g, '');
	return text.slice(0, head.start) + names.join(separator) + ends + text.slice(head.end);
}

/** The first values of a column. */
export function samples(file: CsvFile, column: number, count = 3): string[] {
	return file.rows.slice(0, count).map(({ cells }) => cells[column] ?? '');
}

/** Something about a line, as the server says it. */
export interface LineNote {
	line: number;
	field: string | null;
	error: string;
}

export type Wrong =
	| { kind: Field | 'quote' | 'taken' | 'staff' | 'proven' }
	| { kind: 'twice'; first: number }
	/** Something that this version does not know, in the server's words. */
	| { kind: 'other'; text: string };

const SIGNS: [RegExp, Exclude<Wrong['kind'], 'twice' | 'other'>][] = [
	[/^student id ".*" must have|^student id ".*" must be/s, 'student_id'],
	[/^name must have/, 'name'],
	[/^phone ".*" must have/s, 'phone'],
	[/^e-mail ".*" must look like/s, 'email'],
	[/^department must have/, 'department'],
	[/^a quote is opened/, 'quote'],
	[/^another account has this/, 'taken'],
	[/^belongs to staff/, 'staff'],
	[/was proven by its owner/, 'proven']
];

/** What is wrong with a line; the server has words for it and no code. */
export function wrongOf({ error }: LineNote): Wrong {
	const twice = /^stands on line (\d+) as well/.exec(error);
	if (twice) return { kind: 'twice', first: Number(twice[1]) };
	const kind = SIGNS.find(([sign]) => sign.test(error))?.[1];
	return kind ? { kind } : { kind: 'other', text: error };
}

/** Finds rows by the line on which they begin. */
export function byLine(file: CsvFile): Map<number, CsvRow> {
	return new Map(file.rows.map((row) => [row.line, row]));
}

/** What stands in the cell that a note is about. */
export function valueOf(rows: Map<number, CsvRow>, columns: Columns, note: LineNote): string {
	const column = columns[(note.field ?? '') as Field];
	return column === undefined ? '' : (rows.get(note.line)?.cells[column] ?? '');
}

/** The lines that were left out as a file of their own, with what is wrong as a last column. */
export function leftOut(file: CsvFile, notes: LineNote[], heading: string, say: (note: LineNote) => string): string {
	const rows = byLine(file);
	const reasons = new Map<number, string[]>();
	for (const note of notes) reasons.set(note.line, [...(reasons.get(note.line) ?? []), say(note)]);
	const width = file.head.cells.length;
	const wide = (cells: string[]): string[] => Array.from({ length: width }, (_, at) => cells[at] ?? '');
	const lines = [...reasons].sort(([one], [other]) => one - other);
	return csvText([
		[...file.head.cells, heading],
		...lines.map(([line, said]) => [...wide(rows.get(line)?.cells ?? []), said.join(' / ')])
	]);
}
