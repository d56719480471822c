/** The pages of the app, by who sees them: for tests and pictures of all of them. */
import type { Look } from './site';

/** What somebody sees who is not logged in. */
export const OPEN = ['/', '/places', '/login', '/login/roster', '/signup', '/password'];

/** What a student sees. */
export const OWN = [
	'/',
	'/places',
	'/b/1',
	// In pool mode: a calendar.
	'/b/8',
	// There is none.
	'/b/99',
	'/b/1/hold',
	'/my',
	'/my/open',
	'/my/return',
	'/my/swap',
	'/me',
	'/me/display',
	'/me/sessions',
	'/me/totp',
	'/me/email',
	'/me/password',
	'/me/penalty',
	'/me/data',
	'/me/delete'
];

/** What a kiosk shows; the looks are those of its device. */
export const KIOSK = ['/kiosk', '/kiosk/setup'];

/** What staff see; as admin, who sees everything. */
export const STAFF = [
	'/staff',
	'/staff?alarms=1',
	'/staff/banks/1',
	'/staff/banks/1?locker=101',
	// There is none.
	'/staff/banks/99',
	'/staff/alarms',
	'/staff/alarms?tab=closed',
	'/staff/openings',
	'/staff/openings?opening=x',
	'/staff/mass',
	'/staff/mass/new',
	'/staff/mass/x',
	'/staff/rentals',
	'/staff/rentals/1',
	'/staff/rentals/bulk-end',
	'/staff/waiting',
	'/staff/returns',
	'/staff/shortages',
	'/staff/overdue',
	'/staff/overdue/1',
	'/staff/members',
	'/staff/members/1',
	'/staff/members/1/edit',
	'/staff/members/new',
	'/staff/members/import',
	'/staff/penalties',
	'/staff/stats',
	'/staff/terms',
	'/staff/terms/1',
	'/staff/terms/new',
	'/staff/places',
	'/staff/places/banks/1',
	'/staff/places/banks/1/layout',
	'/staff/policies/1',
	'/staff/policies/8',
	'/staff/claim',
	'/staff/kiosks',
	'/staff/kiosks/1',
	'/staff/kiosks/new',
	'/staff/service',
	'/staff/system',
	'/staff/system/jobs',
	'/staff/system/limits',
	'/staff/system/security',
	'/staff/system/maintenance',
	'/staff/system/mails',
	'/staff/system/audit',
	'/staff/system/bus',
	'/staff/system/bus/bus1'
];

/** Two rounds of two looks each: together each theme with each language, each round both of each, narrow and wide. */
export const LOOKS: { look: Look; round: number }[] = [
	{ look: { language: 'ko', theme: 'light', width: 390 }, round: 0 },
	{ look: { language: 'en', theme: 'dark', width: 1440, height: 900 }, round: 0 },
	{ look: { language: 'en', theme: 'light', width: 320, height: 640 }, round: 1 },
	{ look: { language: 'ko', theme: 'dark', width: 1440, height: 900 }, round: 1 }
];
