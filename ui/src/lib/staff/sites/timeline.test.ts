import { describe, expect, it } from 'vitest';
import { timeline } from './timeline';

describe('a line of time', () => {
	it('is not there without terms', () => expect(timeline([], '2026-03-01')).toBeUndefined());

	it('goes from the first day to the last', () => {
		const line = timeline([{ from: '2026-03-11', to: '2026-03-20' }, { from: '2026-03-01', to: '2026-03-05' }], '2026-03-11')!;
		expect([line.first, line.last, line.today]).toEqual(['2026-03-01', '2026-03-20', 50]);
		expect(line.bar({ from: '2026-03-11', to: '2026-03-20' })).toEqual({ left: 50, width: 50 });
		expect(line.bar({ from: '2026-03-01', to: '2026-03-05' })).toEqual({ left: 0, width: 25 });
		expect(line.months.map(({ day }) => day)).toEqual(['2026-03-01']);
		expect(timeline([{ from: '2026-03-01', to: '2026-03-05' }], '2026-03-06')?.today).toBeUndefined();
	});

	it('shows a single day, and no more months than have room', () => {
		const line = timeline([{ from: '2024-01-15', to: '2026-12-31' }], '2030-01-01')!;
		expect(line.months.length).toBeLessThanOrEqual(8);
		expect(line.months[0]?.day).toBe('2024-02-01');
		const day = line.bar({ from: '2026-12-31', to: '2026-12-31' });
		expect(day.width).toBeGreaterThanOrEqual(0.7);
		expect(day.left + day.width).toBeLessThanOrEqual(100);
	});
});
