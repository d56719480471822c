import { describe, expect, it } from 'vitest';
import { sites } from '../../i18n/sites.ko';
import { bodyOf, changed, clashOf, draftOf, isSpan, mistakesOf, onTop, wrongIn, type Policy } from './policy';
import { SETTINGS } from './policy-settings';

const policy: Policy = {
	hold_seconds: 60,
	left_open_s: null,
	open_from: 'anywhere',
	returns: { grace_minutes: 10, unseen: 'renter', by_door: false },
	pool: { days_max: null, advance_days: 30, check_in_days: null, reservations_max: 1 },
	overdue: {
		reminder_days: [7, 1],
		remind_on_last_day: true,
		remind_while_late: true,
		late_opening: 'until_sealed',
		seal_after_days: null,
		penalty_factor: 0,
		penalty_max_days: 30
	},
	options: {
		extensions_max: 0,
		extension_days: null,
		extension_from_days: 14,
		swaps: false,
		waiting_list: false,
		offer_minutes: 60,
		hold_extension: false
	},
	hours: { mon: ['09:00-12:00', '13:00-22:00'], sun: null },
	closings: [{ first_on: '2026-09-24', last_on: '2026-09-26', name: { ko: '추석', en: 'Chuseok' } }]
};

describe('a policy in a form', () => {
	it('comes back as it was', () => {
		const body = bodyOf(draftOf(policy));
		expect(body).toEqual({ ...policy, hours: { mon: ['09:00-12:00', '13:00-22:00'] } });
		expect(bodyOf(draftOf({ ...policy, hours: null })).hours).toBeNull();
	});

	it('has a text and a default for each setting', () => {
		for (const { name, base } of SETTINGS) {
			expect(sites.policy.fields[name]?.label, name).toBeTruthy();
			expect(base, name).not.toBeUndefined();
		}
	});

	it('tells what cannot be sent, each with its setting', () => {
		const draft = draftOf(policy);
		expect(wrongIn(draft)).toEqual([]);
		Object.assign(draft.values, {
			hold_seconds: '',
			'returns.grace_minutes': '1441',
			'options.extensions_max': 'x',
			'options.extension_days': '',
			'overdue.reminder_days': '7, 61'
		});
		draft.week.tue = '9-12';
		draft.closings.push({ first: '2026-10-02', last: '2026-10-01', ko: '', en: '' });
		expect(wrongIn(draft).map(({ fields, kind }) => `${fields.join()} ${kind}`)).toEqual([
			'hold_seconds missing',
			'returns.grace_minutes range',
			'overdue.reminder_days list',
			'options.extensions_max whole',
			'hours.tue hours',
			'closings.1 closing-days',
			'closings.1.name closing-name'
		]);
		draft.week = { mon: '', tue: '', wed: '', thu: '', fri: '', sat: '', sun: '' };
		expect(wrongIn(draft).some(({ kind }) => kind === 'never')).toBe(true);
		draft.isTimed = false;
		expect(wrongIn(draft).some(({ kind }) => kind === 'never')).toBe(false);
	});

	it('knows spans of a day', () => {
		expect(['09:00-22:00', '18:00-02:00', '00:00-24:00'].every(isSpan)).toBe(true);
		expect(['9:00-22:00', '09:00-24:30', '24:00-02:00', '09:00–22:00', '09:00-09:00', ''].some(isSpan)).toBe(false);
	});
});

describe('what was changed', () => {
	it('is named, and what only looks otherwise is not', () => {
		const [from, to] = [draftOf(policy), draftOf(policy)];
		to.values['overdue.reminder_days'] = '1,7';
		to.values['hold_seconds'] = '060';
		to.week.mon = '13:00-22:00,09:00-12:00';
		expect(changed(from, to)).toEqual([]);
		to.values['options.swaps'] = true;
		to.isTimed = false;
		to.closings = [];
		expect(changed(from, to)).toEqual(['options.swaps', 'hours', 'closings']);
	});

	it('goes on top of what somebody else changed', () => {
		const base = draftOf(policy);
		const mine = { ...draftOf(policy), closings: [] };
		mine.values['hold_seconds'] = '90';
		const now = draftOf({ ...policy, hours: null, left_open_s: 120 });
		const both = onTop(base, mine, now);
		expect(both.values['hold_seconds']).toBe('90');
		expect(both.values['left_open_s']).toBe('120');
		expect(both.isTimed).toBe(false);
		expect(both.closings).toEqual([]);
	});
});

describe('what the server names', () => {
	it('has words for each contradiction that names two settings', () => {
		// As the server's source has them; a new one shows the server's own words.
		const known = mistakesOf([{ fields: ['options.offer_minutes', 'hold_seconds'], text: '…' }, { fields: 3 }, null]);
		expect(known).toHaveLength(1);
		expect(sites.policy.clashes[clashOf(known[0]!)]).toContain('대기자에게 주는 시간');
		expect(mistakesOf(undefined)).toEqual([]);
	});
});
