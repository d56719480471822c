import { describe, expect, it } from 'vitest';
import { badAnswers, configLines, exchangeText, heard, stateOf, within, type Board, type Port } from './ports';

const board = (address: number): Board => ({
	address,
	family: 'modbus-relay',
	status: 'online',
	since: '',
	sent: 10,
	answered: 7,
	timeouts: 1,
	refused: 0,
	bad_frames: 1,
	wrong_address: 1,
	mismatched: 0,
	collisions: 0,
	noise_bytes: 0,
	retries: 0,
	reply_times: { mean_ms: null, slowest_ms: null }
});
const port = (name: string): Port => ({
	name,
	port: '/dev/x',
	status: 'online',
	reason: null,
	since: '',
	reconnects: 0,
	boards: [board(1), board(2)]
});

describe('ports', () => {
	it('change by what the socket tells, and only those that it names', () => {
		const boards = [{ address: 2, status: 'silent' }];
		const ports = heard([port('a'), port('b')], [
			{ bus: 'b', status: 'online', reason: null, boards: [] },
			{ bus: 'b', status: 'offline', reason: 'unplugged', boards },
			{ database: 'ok' }
		], '2026-03-02T00:00:00Z');
		expect(ports[0]).toEqual(port('a'));
		expect(ports[1]).toMatchObject({ status: 'offline', reason: 'unplugged', since: '2026-03-02T00:00:00Z' });
		expect(ports[1]?.boards.map(({ status }) => status)).toEqual(['online', 'silent']);
		expect(ports[1]?.boards[1]?.sent).toBe(10);
	});

	it('tell a board that cannot be asked now from one that never answered', () => {
		expect(stateOf({ ...board(1), status: 'unknown' })).toBe('lost');
		expect(stateOf({ ...board(1), status: 'unknown', answered: 0 })).toBe('unknown');
		expect(stateOf(board(1))).toBe('online');
	});

	it('count answers that were no good, and not those that never came', () => {
		expect(badAnswers(board(1))).toBe(2);
	});
});

it('takes whole numbers within bounds only', () => {
	expect(within('3', 1, 255)).toBe(3);
	expect(within('0', 1, 255)).toBeUndefined();
	expect(within('256', 1, 255)).toBeUndefined();
	expect(within('3.5', 1, 255)).toBeUndefined();
	expect(within('', 0, 9)).toBeUndefined();
});

it('writes the lines of a board that was found', () => {
	expect(configLines({ family: 'wkly', address: 0 })).toContain('address = 0\nfamily = "wkly"');
});

it('writes exchanges as lines, also those without an answer', () => {
	const text = exchangeText([
		{ at: '2026-01-01T00:00:00Z', sent: '01 02', heard: '', after_ms: null, verdict: 'timeout' },
		{ at: '2026-01-01T00:00:01Z', sent: '01 02', heard: '03', after_ms: 8.75, verdict: 'fine' }
	]);
	expect(text.split('\n')).toEqual([
		'2026-01-01T00:00:00Z\t> 01 02\t< -\t-\ttimeout',
		'2026-01-01T00:00:01Z\t> 01 02\t< 03\t8.8 ms\tfine'
	]);
});
