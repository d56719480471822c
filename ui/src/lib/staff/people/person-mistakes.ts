/** The words for what is wrong with a member's data, found here or by the server. */
import type { Mistake, Places } from '../../account/form.svelte';
import { texts } from '../../i18n/texts.svelte';
import { wrongFields, type Person, type PersonField } from './person';

function sayOf(field: PersonField): string {
	const need = texts.account.need;
	switch (field) {
		case 'student_id':
			return need.studentId;
		case 'name':
			return texts.people.form.needName;
		case 'phone_number':
			return need.phone;
		case 'email':
			return need.email;
		default:
			return texts.people.form.department;
	}
}

export const mistakesOf = (person: Person): Mistake<PersonField>[] =>
	wrongFields(person).map((field) => ({ field, say: () => sayOf(field) }));

/** What somebody else has. */
export const places: Places<PersonField> = {
	student_id_taken: { field: 'student_id', say: () => texts.people.form.taken.student_id },
	phone_taken: { field: 'phone_number', say: () => texts.people.form.taken.phone },
	email_taken: { field: 'email', say: () => texts.people.form.taken.email }
};
