import { describe, expect, it } from 'vitest';
import { changes, filled, nobody, wrongFields, type Person } from './person';

const person: Person = { ...nobody, student_id: '2024320001', name: '김하늘', phone_number: '01012345678', email: 'a@example.ac.kr' };

describe('a member in a form', () => {
	it('is wrong where the server would refuse it', () => {
		expect(wrongFields(person)).toEqual([]);
		expect(wrongFields({ ...nobody, department: '가'.repeat(61) })).toEqual(['student_id', 'name', 'department']);
		expect(wrongFields({ ...person, phone_number: '010', email: 'a@b' })).toEqual(['phone_number', 'email']);
	});
	it('sends what is different, an emptied field as empty', () => {
		expect(changes(person, { ...person })).toEqual({});
		expect(changes(person, { ...person, phone_number: '010-1234-5678' })).toEqual({});
		expect(changes(person, { ...person, name: ' 김바다 ', email: '' })).toEqual({ name: '김바다', email: '' });
	});
	it('sends what is filled in of a new one', () => {
		expect(filled({ ...nobody, student_id: ' 2024 ', name: '가' })).toEqual({ student_id: '2024', name: '가', language: 'ko' });
	});
});
