import { expect, it } from 'vitest';
import { queryOf } from './audit-query';

it('asks from the first day’s midnight at the site until the end of the last day', () => {
	expect(queryOf({ action: 'rental.', from: '2026-03-02', to: '2026-03-02' }, 'Asia/Seoul')).toEqual({
		action: 'rental.',
		from: '2026-03-01T15:00:00.000Z',
		to: '2026-03-02T15:00:00.000Z'
	});
});

it('leaves out what is no day', () => {
	expect(queryOf({ from: '2026-02-30', to: 'soon' }, 'Asia/Seoul')).toEqual({});
});
