import { describe, expect, it } from 'vitest';
import {
	digitsOf,
	domainsIn,
	hasHangul,
	isEmail,
	isName,
	isPhone,
	isStudentId,
	lengthOf,
	passwordLeast
} from './checks';

describe('what is typed', () => {
	it('shows a keyboard left in Korean', () => {
		for (const text of ['ㅇㅇㅁㅠ1', '학번', '2023가', 'ab\u1112\u1161']) expect(hasHangul(text)).toBe(true);
		for (const text of ['', '2023321234', 'kim@hanbat.ac.kr', 'ÄÖ中']) expect(hasHangul(text)).toBe(false);
	});

	it('is a student id of 3 to 20 letters and digits', () => {
		for (const text of ['abc', ' 2023321234 ', 'ADMIN']) expect(isStudentId(text)).toBe(true);
		for (const text of ['ab', '2023-321', 'a'.repeat(21), '학번123']) expect(isStudentId(text)).toBe(false);
	});

	it('is a phone number of 8 to 15 digits', () => {
		for (const text of ['010-1234-5678', '+82 10 1234 5678', '(02) 123.4567']) expect(isPhone(text)).toBe(true);
		for (const text of ['1234567', '1'.repeat(16), '010-12a4-5678', '1+2345678']) expect(isPhone(text)).toBe(false);
	});

	it('is an address with one @ and a host with a dot', () => {
		for (const text of ['a@b.kr', ' haneul@mail.hanbat.ac.kr ']) expect(isEmail(text)).toBe(true);
		for (const text of ['a@b', '@b.kr', 'a b@c.kr', 'a@@b.kr', 'a@.kr', 'a@b..kr', 'a,b@c.kr']) expect(isEmail(text)).toBe(false);
	});

	it('is a name of 1 to 60 characters', () => {
		expect(isName('  ')).toBe(false);
		expect(isName('김하늘')).toBe(true);
		expect(isName('김'.repeat(61))).toBe(false);
	});

	it('is a code, however it was pasted', () => {
		expect(digitsOf(' 1234 5678\n')).toBe('12345678');
		expect(digitsOf('１２３-４５６')).toBe('123456');
	});

	it('is a password counted as the server counts', () => {
		// Hangul in parts, as some systems type it, is one character each once put together.
		expect(lengthOf('\u1112\u1161\u11ab')).toBe(1);
		expect(lengthOf('😀a')).toBe(2);
		expect([passwordLeast('student', false), passwordLeast('staff', false), passwordLeast('admin', true)]).toEqual([10, 15, 8]);
	});
});

describe('the addresses that a site takes', () => {
	it('stand in its refusal', () => {
		expect(domainsIn('the e-mail address must end in @hanbat.ac.kr or @st.hanbat.ac.kr')).toEqual([
			'@hanbat.ac.kr',
			'@st.hanbat.ac.kr'
		]);
		expect(domainsIn('language must be ko or en')).toEqual([]);
		expect(domainsIn(undefined)).toEqual([]);
	});
});
