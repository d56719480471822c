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

/** Each theme with each language, and each of them with each width. */
export const LOOKS: Look[] = [
	{ language: 'ko', theme: 'light', width: 390 },
	{ language: 'ko', theme: 'dark', width: 1440, height: 900 },
	{ language: 'en', theme: 'light', width: 1440, height: 900 },
	{ language: 'en', theme: 'dark', width: 320, height: 640 }
];

/** What staff see. */
export const STAFF: string[] = [];
