import { describe, expect, it } from 'vitest';
import { compare, formatOf, readLayout } from './layout-file';

const toml = `[[location]]
name_ko = "정보관 # 1" # a place

[[location.bank]]
name_ko = "사물함"
hold_seconds = 60

[[location.bank.locker]]
id = 101
bus = "bus1"
board = 0
lock = 1
in_service = true

[[location.bank.locker]]
id = 102
in_service = true
`;
const csv = `\uFEFFlocation_ko,location_en,bank_ko,hold_seconds,locker,bus,board,lock,in_service,col
정보관,"Informatics, ""B1""",사물함,60,101,bus1,0,1,true,
정보관,"Informatics, ""B1""",사물함,60,102,,,,true,3
`;

describe('a layout file', () => {
	it('is known by its name or its beginning', () => {
		expect([formatOf('a.CSV', ''), formatOf('a.toml', 'x,y'), formatOf('a', csv), formatOf('a.txt', toml)]).toEqual(['csv', 'toml', 'csv', 'toml']);
	});
	it('is read for its lockers', () => {
		const read = readLayout('toml', toml);
		expect([...read.lockers.keys()]).toEqual([101, 102]);
		expect(read.lockers.get(101)).toEqual({ id: '101', bus: 'bus1', board: '0', lock: '1', in_service: 'true' });
		expect(read.rest).toContain('name_ko = "정보관 # 1"');
		expect(read.rest).not.toContain('a place');
		const table = readLayout('csv', csv);
		expect(table.lockers.get(102)).toEqual({ in_service: 'true', col: '3' });
		expect(table.rest).toContain('Informatics, "B1"');
		expect(readLayout('toml', 'nothing').lockers.size).toBe(0);
	});
});

describe('the look before an upload', () => {
	const now = readLayout('toml', toml);
	it('finds nothing in the same file', () => {
		expect(compare(now, readLayout('toml', toml.replace('# a place', '')))).toEqual({ differences: [], same: 2, isRestOther: false });
	});
	it('names what is new, changed and left out, and a wire that goes', () => {
		const next = toml.replace('id = 102', 'id = 103').replace('bus = "bus1"\nboard = 0\nlock = 1\n', 'col = 2\n').replace('60', '90');
		const { differences, same, isRestOther } = compare(now, readLayout('toml', next));
		expect(differences.map(({ locker, kind }) => `${locker} ${kind}`)).toEqual(['101 changed', '102 missing', '103 added']);
		expect(differences[0]?.keys).toContainEqual({ key: 'bus', from: 'bus1', to: '' });
		expect(differences[0]?.keys).toContainEqual({ key: 'col', from: '', to: '2' });
		expect([same, isRestOther]).toEqual([0, true]);
	});
	it('lets stay what a file leaves out', () => {
		const placed = readLayout('toml', toml.replace('id = 102', 'id = 102\ncol = 4'));
		expect(compare(placed, readLayout('toml', toml)).differences).toEqual([]);
	});
});
