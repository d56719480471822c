import { expect, it } from 'vitest';
import { schedule } from './schedule';

it('takes the wordings of schedules apart, and knows what it does not know', () => {
	expect(schedule('every 15 min')).toEqual({ every: 15, unit: 'min' });
	expect(schedule('every 60 min')).toEqual({ every: 1, unit: 'h' });
	expect(schedule('every 2 s')).toEqual({ every: 2, unit: 's' });
	expect(schedule('daily at 02:30')).toEqual({ daily: '02:30' });
	expect(schedule('when it rains')).toBeUndefined();
});
