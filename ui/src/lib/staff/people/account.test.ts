import { describe, expect, it } from 'vitest';
import { hindrance, hindranceOfOthers } from './account';

const account = (role: string, member_id = 7) => ({ role, member_id });
const staff = { member_id: 2, role: 'staff' };
const admin = { member_id: 1, role: 'admin' };

describe('who manages whom', () => {
	it('is staff for students, and admins for everybody', () => {
		expect(hindrance(account('student'), staff)).toBeUndefined();
		expect(hindrance(account('staff'), staff)).toBe('onlyAdmins');
		expect(hindrance(account('staff'), admin)).toBeUndefined();
		expect(hindrance(account('admin'), undefined)).toBe('onlyAdmins');
	});
	it('is somebody else for what would lock oneself out', () => {
		expect(hindranceOfOthers(account('admin', 1), admin)).toBe('notYourself');
		expect(hindranceOfOthers(account('admin', 3), admin)).toBeUndefined();
	});
});
