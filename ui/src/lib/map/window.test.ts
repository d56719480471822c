import { expect, it } from 'vitest';
import { standing, type Window } from './window';

const at = (time: string): number => Date.parse(`2026-03-02T${time}+09:00`);

const window = (state: string): Window => ({
	state,
	opens_at: '2026-03-02T09:00:00+09:00',
	closes_at: '2026-03-02T18:00:00+09:00',
	server_time: '2026-03-02T08:00:00+09:00'
});

it('opens at its second without anybody asking', () => {
	expect(standing(window('before'), at('08:59:59'))).toMatchObject({ state: 'before', leftMs: 1000 });
	expect(standing(window('before'), at('09:00:00')).state).toBe('open');
});

it('closes at its second', () => {
	expect(standing(window('open'), at('17:59:59')).state).toBe('open');
	expect(standing(window('open'), at('18:00:00')).state).toBe('after');
	expect(standing(window('before'), at('18:00:00')).state).toBe('after');
});

it('believes the server that it is open though this clock is behind', () => {
	expect(standing(window('open'), at('08:59:58')).state).toBe('open');
});

it('is none, or unknown, whatever the clock says', () => {
	expect(standing({ state: 'none', server_time: '' }, at('09:00:00')).state).toBe('none');
	expect(standing(window('clock_untrusted'), at('09:00:00')).state).toBe('clock_untrusted');
	expect(standing({ state: 'something new', server_time: '' }, at('09:00:00')).state).toBe('none');
});
