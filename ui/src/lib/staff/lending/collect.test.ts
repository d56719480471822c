import { describe, expect, it } from 'vitest';
import { OPENED, bodyOf, mistakesOf, reasonNeed, type CollectDraft } from './collect';

const draft = (over: Partial<CollectDraft> = {}): CollectDraft => ({
	items: [{ id: 1, description: '검은 가방', photo: '' }],
	storage: '선반 3번',
	reason: '',
	...over
});

describe('a collection', () => {
	it('needs a reason on any other way than the usual one', () => {
		const usual = { state: 'sealed', hasLock: true, wasOpened: true, door: 'closed' };
		expect(reasonNeed(usual)).toBeUndefined();
		expect(reasonNeed({ ...usual, state: 'detected' })).toBe('unsealed');
		expect(reasonNeed({ ...usual, wasOpened: false })).toBe('notOpened');
		expect(reasonNeed({ ...usual, wasOpened: false, hasLock: false })).toBeUndefined();
		expect(reasonNeed({ ...usual, door: 'open' })).toBe('doorOpen');
		expect(reasonNeed({ ...usual, door: 'unknown' })).toBeUndefined();
	});
	it('needs a thing and a place', () => {
		expect(mistakesOf(draft(), undefined)).toEqual([]);
		const empty = draft({ items: [{ id: 4, description: ' ', photo: '' }], storage: '' });
		expect(mistakesOf(empty, undefined)).toEqual([
			{ field: 'item-4', key: 'items' },
			{ field: 'storage', key: 'storage' }
		]);
		expect(mistakesOf(draft(), 'unsealed')).toEqual([{ field: 'reason', key: 'reason' }]);
	});
	it('says which row has a photo and no words', () => {
		const rows = draft({ items: [...draft().items, { id: 2, description: '', photo: 'a.jpg' }] });
		expect(mistakesOf(rows, undefined)).toEqual([{ field: 'item-2', key: 'photoAlone' }]);
	});
	it('sends only rows with words, and nothing where nothing was said', () => {
		const rows = draft({ items: [{ id: 1, description: ' 우산 ', photo: ' ' }, { id: 2, description: '', photo: '' }] });
		expect(bodyOf(rows)).toEqual({ items: [{ description: '우산', photo: null }], storage: '선반 3번', reason: null });
	});
});

describe('what may have emptied a locker', () => {
	it('is an opening whose door was not seen shut', () => {
		expect(['opened', 'already_open', 'unseen'].every((outcome) => OPENED.includes(outcome))).toBe(true);
		const shut = ['door_did_not_open', 'no_answer', 'refused', 'unreachable', 'interrupted'];
		expect(shut.some((outcome) => OPENED.includes(outcome))).toBe(false);
	});
});
