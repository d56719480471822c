/** A member's data in a form: what is wrong with it before it is sent, and what is different. */
import { isEmail, isName, isPhone, isStudentId } from '../../account/checks';
import type { Member } from './member.svelte';

export interface Person {
	student_id: string;
	name: string;
	phone_number: string;
	email: string;
	department: string;
	language: string;
}
export type PersonField = keyof Person;

export const nobody: Person = { student_id: '', name: '', phone_number: '', email: '', department: '', language: 'ko' };

export const personOf = (member: Member): Person => ({
	student_id: member.student_id,
	name: member.name,
	phone_number: member.phone_number ?? '',
	email: member.email ?? '',
	department: member.department ?? '',
	language: member.language
});

/** The longest department. */
const DEPARTMENT_MOST = 60;

/** Fields that the server would refuse. */
export function wrongFields(person: Person): PersonField[] {
	const wrong: [PersonField, boolean][] = [
		['student_id', !isStudentId(person.student_id)],
		['name', !isName(person.name)],
		['phone_number', person.phone_number.trim() !== '' && !isPhone(person.phone_number)],
		['email', person.email.trim() !== '' && !isEmail(person.email)],
		['department', [...person.department.trim()].length > DEPARTMENT_MOST]
	];
	return wrong.filter(([, is]) => is).map(([field]) => field);
}

/** What somebody changed; an emptied field is sent as empty, which takes it away. */
export function changes(before: Person, after: Person): Partial<Person> {
	const changed = (Object.keys(before) as PersonField[]).filter((field) => plain(field, after) !== plain(field, before));
	return Object.fromEntries(changed.map((field) => [field, after[field].trim()]));
}

/** A phone number is the same however it is written. */
function plain(field: PersonField, person: Person): string {
	const text = person[field].trim();
	return field === 'phone_number' ? text.replace(/[^\d+]/g, '') : text;
}

/** What is filled in, for a new account. */
export function filled(person: Person): Partial<Person> & Pick<Person, 'student_id' | 'name'> {
	const { student_id, name, ...others } = person;
	const set = Object.entries(others).map(([field, text]) => [field, text.trim()] as const);
	return { student_id: student_id.trim(), name: name.trim(), ...Object.fromEntries(set.filter(([, text]) => text !== '')) };
}
