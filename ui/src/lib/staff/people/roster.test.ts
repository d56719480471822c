import { describe, expect, it } from 'vitest';
import { readCsv, type CsvFile } from './csv';
import { byLine, guessColumns, isReadAs, leftOut, missing, samples, shared, valueOf, withHeads, wrongOf } from './roster';

const read = (text: string): CsvFile => readCsv(new TextEncoder().encode(text));

describe('columns', () => {
	it('are found by their heads, in any order and writing', () => {
		expect(guessColumns(['성명', 'E-Mail', '비고', '학 번', 'Phone_Number'])).toEqual({ name: 0, email: 1, student_id: 3, phone: 4 });
	});
	it('are missing, or shared by two', () => {
		expect(missing({ name: 1 })).toEqual(['student_id']);
		expect(shared({ student_id: 0, name: 1, phone: 1 })).toEqual(['name', 'phone']);
		expect(shared({ student_id: 0, name: 1 })).toEqual([]);
	});
	it('are sent as they are only when the server reads them as chosen', () => {
		expect(isReadAs(['학번', '이름', '비고'], { student_id: 0, name: 1 })).toBe(true);
		// The phone number shall not be read, or two columns have one name.
		expect(isReadAs(['학번', '이름', '전화'], { student_id: 0, name: 1 })).toBe(false);
		expect(isReadAs(['학번', '이름', '성명'], { student_id: 0, name: 1 })).toBe(false);
		expect(isReadAs(['No', '이름'], { student_id: 0, name: 1 })).toBe(false);
	});
	it('get other heads while every line keeps its number', () => {
		const file = read('누구;"번호\n(ID)";비고\n가;1;x\n나;2;y\n');
		const text = withHeads(file, { student_id: 1, name: 0 });
		const again = read(text);
		expect(again.head.cells).toEqual(['name', 'student_id', 'column3']);
		expect(again.rows.map(({ line, cells }) => [line, cells])).toEqual(file.rows.map(({ line, cells }) => [line, cells]));
		expect(again.rows[0]?.line).toBe(3);
	});
	it('show their first values', () => {
		expect(samples(read('a,b\n1,x\n2\n3,z\n4,w\n'), 1)).toEqual(['x', '', 'z']);
	});
});

describe('what is wrong with a line', () => {
	const note = (error: string, line = 2, field: string | null = 'phone') => ({ line, field, error });

	it('is known by the words of the server', () => {
		expect(wrongOf(note('phone "0101234" must have 8 to 15 digits; spaces and hyphens are fine'))).toEqual({ kind: 'phone' });
		expect(wrongOf(note('student id "x" must be 3 to 20 letters and digits'))).toEqual({ kind: 'student_id' });
		expect(wrongOf(note('e-mail "a" must look like name@example.org, at most 254 characters'))).toEqual({ kind: 'email' });
		expect(wrongOf(note('stands on line 17 as well: keep one of them'))).toEqual({ kind: 'twice', first: 17 });
		expect(wrongOf(note('another account has this phone: see whose it is'))).toEqual({ kind: 'taken' });
		expect(wrongOf(note('something new'))).toEqual({ kind: 'other', text: 'something new' });
	});
	it('has its value from the file', () => {
		const file = read('학번,이름,전화\n2024000001,가,010\n');
		const rows = byLine(file);
		const columns = guessColumns(file.head.cells);
		expect(valueOf(rows, columns, note('x'))).toBe('010');
		expect(valueOf(rows, columns, note('x', 2, 'email'))).toBe('');
		expect(valueOf(rows, columns, note('x', 9))).toBe('');
	});
	it('stands in the file of lines that were left out, each line once', () => {
		const file = read('학번,이름,전화\n1,가,010\n2024000002,나,01011112222\n3,다\n');
		const notes = [note('b', 4), note('a', 2), note('c', 2)];
		expect(leftOut(file, notes, '오류', ({ error }) => error)).toBe(
			'\u{feff}학번,이름,전화,오류\r\n1,가,010,a / c\r\n3,다,,b\r\n'
		);
	});
});
