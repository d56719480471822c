import { describe, expect, it } from 'vitest';
import { UnreadableFile, csvCell, csvText, readCsv } from './csv';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const why = (file: Uint8Array): string => {
	try {
		readCsv(file);
	} catch (error) {
		if (error instanceof UnreadableFile) return error.why;
	}
	return 'read';
};

describe('a roster file', () => {
	it('is read in UTF-8, with and without a mark', () => {
		for (const mark of ['', '\u{feff}']) {
			const file = readCsv(bytes(`${mark}학번,이름\n2024000001,홍길동\n`));
			expect(file.encoding).toBe('utf-8');
			expect(file.head.cells).toEqual(['학번', '이름']);
		}
	});
	it('is read in EUC-KR', () => {
		// 이름 and 가. Syllables that only CP949 has are for browsers: Node reads less than the web calls EUC-KR.
		const file = readCsv(new Uint8Array([0xc0, 0xcc, 0xb8, 0xa7, 0x0a, 0xb0, 0xa1, 0x0a]));
		expect(file.encoding).toBe('cp949');
		expect([file.head.cells, file.rows[0]?.cells]).toEqual([['이름'], ['가']]);
	});
	it('is refused when it is a spreadsheet, no letters, empty', () => {
		expect(why(new Uint8Array([0x50, 0x4b, 0x03, 0x04]))).toBe('spreadsheet');
		expect(why(new Uint8Array([0xff, 0xfe, 0xff]))).toBe('letters');
		expect(why(bytes('\n\r\n'))).toBe('empty');
		expect(why(bytes('a'))).toBe('read');
	});
	it('may be separated by commas, semicolons, tabs', () => {
		for (const separator of [',', ';', '\t']) {
			const file = readCsv(bytes(['a', '"b,;"', 'c'].join(separator) + '\n' + ['1', '2', '3'].join(separator)));
			expect(file.separator).toBe(separator);
			expect(file.rows[0]?.cells).toEqual(['1', '2', '3']);
		}
	});
	it('counts lines as an editor does', () => {
		const file = readCsv(bytes('h1,h2\r\n\r\na,"x\r\ny"\r\n ,\r\nb,"say ""hi"""'));
		expect(file.rows.map(({ line, cells }) => [line, cells])).toEqual([
			[3, ['a', 'x\r\ny']],
			[6, ['b', 'say "hi"']]
		]);
	});
	it('does not lose what stands behind a quote that is not closed', () => {
		const file = readCsv(bytes('h\n"open\nb\n'));
		expect(file.rows.map(({ line, cells }) => [line, cells])).toEqual([[2, ['open\nb']]]);
	});
});

describe('a file that is made', () => {
	it('holds no formulas and quotes what must be quoted', () => {
		expect(csvCell('=1+1')).toBe("'=1+1");
		expect(csvCell('a,"b"')).toBe('"a,""b"""');
		expect(csvText([['가', '1'], ['나', '2']])).toBe('\u{feff}가,1\r\n나,2\r\n');
	});
});
