import { describe, expect, it } from 'vitest';
import { choicesOf, endOf, lifeOf, sortOf, type RentalRow } from './rental';
import { stateOf } from './marks';

const rental: RentalRow = {
	rental_id: 7,
	state: 'active',
	bank_id: 1,
	locker_id: 101,
	renter: { member_id: 3, name: '홍길동', student_id: '2023321234' },
	starts_on: '2026-11-22',
	ends_on: '2026-11-30',
	held_at: '2026-11-21T10:00:00Z',
	confirmed_at: '2026-11-21T10:00:30Z',
	extensions: 0
};

describe('the life of a rental', () => {
	it('has only what happened, in its order', () => {
		expect(lifeOf(rental).map(({ key }) => key)).toEqual(['held', 'confirmed']);
		const over = { ...rental, ended_at: '2026-11-25T10:00:00Z', opened_at: '2026-11-23T01:00:00Z' };
		expect(lifeOf(over).map(({ key }) => key)).toEqual(['held', 'confirmed', 'opened', 'ended']);
	});
	it('begins with a reservation where there is no locker yet', () => {
		expect(lifeOf({ ...rental, state: 'reserved', locker_id: null })[0]?.key).toBe('reserved');
	});
});

describe('what can be done', () => {
	it('is nothing with what is over, and only the word that it is empty with what was returned', () => {
		expect(choicesOf({ state: 'ended' })).toEqual({ end: false, move: false, change: false, free: false });
		expect(choicesOf({ state: 'returned' })).toEqual({ end: false, move: false, change: false, free: true });
		expect(choicesOf({ state: 'held' }).end).toBe(true);
		expect(choicesOf({ state: 'held' }).move).toBe(false);
	});
	it('says what ending leads to', () => {
		expect(endOf(rental)).toBe('endUnopened');
		expect(endOf({ ...rental, opened_at: '2026-11-23T01:00:00Z' })).toBe('endOpened');
		expect(endOf({ ...rental, state: 'reserved' })).toBe('endReserved');
	});
});

describe('a rental in lists', () => {
	it('is late past its last day, as long as it is active', () => {
		expect(stateOf(rental, '2026-11-30')).toBe('active');
		expect(stateOf(rental, '2026-12-01')).toBe('late');
		expect(stateOf({ ...rental, state: 'returned' }, '2026-12-01')).toBe('returned');
	});
	it('asks for another order only of live ones or of one locker', () => {
		expect(sortOf({ state: 'live', locker: false, sort: 'ends_on' })).toBe('ends_on');
		expect(sortOf({ state: 'all', locker: false, sort: 'ends_on' })).toBe('newest');
		expect(sortOf({ state: 'all', locker: true, sort: 'locker' })).toBe('locker');
	});
});
