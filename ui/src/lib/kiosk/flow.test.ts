import { describe, expect, it } from 'vitest';
import { after, HOME, isWhole, type Deed, type Flow } from './flow';

const walk = (from: Flow, ...deeds: Deed[]): Flow => deeds.reduce(after, from);
const keys = (text: string): Deed[] => [...text].map((key) => ({ kind: 'type', key }));
const atCode = walk(HOME, { kind: 'choose', purpose: 'return' }, ...keys('2023321234'), { kind: 'next' });
const signedIn = walk(atCode, ...keys('123456'), { kind: 'signedIn' });

describe('the way in', () => {
	it('goes over id and code to my locker and keeps what somebody came for', () => {
		expect(atCode).toMatchObject({ screen: 'code', id: '2023321234', code: '' });
		expect(signedIn).toMatchObject({ screen: 'my', isIn: true, purpose: 'return' });
	});

	it('forgets id and code once they were taken', () => {
		expect(signedIn).toMatchObject({ id: '', code: '' });
	});

	it('does not go on before there is enough', () => {
		const short = walk(HOME, { kind: 'choose', purpose: 'open' }, ...keys('20'));
		expect(after(short, { kind: 'next' })).toBe(short);
		expect(isWhole(short)).toBe(false);
		const lengths = [5, 6, 7, 8].map((length) => isWhole(walk(atCode, ...keys('12345678'.slice(0, length)))));
		expect(lengths).toEqual([false, true, false, true]);
	});

	it('takes letters in ids and digits alone in codes, and no more than there can be', () => {
		expect(walk(HOME, { kind: 'choose', purpose: 'open' }, ...keys('ab-1ㅁ2 ')).id).toBe('AB12');
		expect(walk(atCode, ...keys('12a3456789')).code).toBe('12345678');
		expect(walk(HOME, { kind: 'choose', purpose: 'open' }, ...keys('1'.repeat(30))).id).toHaveLength(20);
		expect(walk(HOME, ...keys('12'))).toBe(HOME);
	});

	it('keeps the id and forgets the code when they were refused', () => {
		expect(walk(atCode, ...keys('123456'), { kind: 'refused' })).toMatchObject({
			screen: 'code',
			id: '2023321234',
			code: ''
		});
	});

	it('erases one and all', () => {
		expect(walk(atCode, ...keys('123'), { kind: 'erase' }).code).toBe('12');
		expect(walk(atCode, ...keys('123'), { kind: 'clear' }).code).toBe('');
	});
});

describe('the way back', () => {
	it('leaves nothing of the id behind', () => {
		expect(walk(atCode, { kind: 'back' })).toMatchObject({ screen: 'id', code: '' });
		expect(walk(atCode, { kind: 'back' }, { kind: 'back' })).toEqual(HOME);
	});

	it('never leads from my locker to what was typed', () => {
		expect(after(signedIn, { kind: 'back' })).toBe(signedIn);
	});

	it('leads from an opening and a return to my locker', () => {
		for (const kind of ['open', 'giveBack'] as const) {
			expect(walk(signedIn, { kind, locker: 101 }, { kind: 'back' })).toMatchObject({ screen: 'my', locker: undefined });
		}
	});

	it('leads from the help to where somebody asked for it, but opens nothing again', () => {
		expect(walk(HOME, { kind: 'help' }, { kind: 'back' })).toEqual(HOME);
		expect(walk(atCode, { kind: 'help' }, { kind: 'back' })).toEqual(atCode);
		const opening = after(signedIn, { kind: 'open', locker: 101 });
		expect(walk(opening, { kind: 'help' })).toMatchObject({ screen: 'help', locker: 101 });
		expect(walk(opening, { kind: 'help' }, { kind: 'back' }).screen).toBe('my');
	});
});

describe('what is only for whoever signed in', () => {
	it('is not reached from anywhere else', () => {
		const deeds: Deed[] = [
			{ kind: 'open', locker: 101 },
			{ kind: 'giveBack', locker: 101 },
			{ kind: 'done', ending: 'closed' },
			{ kind: 'signedIn' }
		];
		const typing = walk(HOME, { kind: 'choose', purpose: 'open' });
		for (const deed of deeds) {
			expect(after(HOME, deed)).toBe(HOME);
			expect(after(typing, deed)).toBe(typing);
		}
		expect(after(atCode, { kind: 'open', locker: 101 })).toBe(atCode);
	});

	it('is over with the end, wherever it comes', () => {
		const all: Flow[] = [
			atCode,
			signedIn,
			after(signedIn, { kind: 'open', locker: 101 }),
			after(signedIn, { kind: 'giveBack', locker: 101 }),
			after(signedIn, { kind: 'done', ending: 'returned' }),
			after(signedIn, { kind: 'help' })
		];
		for (const flow of all) expect(after(flow, { kind: 'end' })).toEqual(HOME);
	});
});
