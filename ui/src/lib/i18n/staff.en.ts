/** Texts of the frame of staff's pages and of what they share. */
import type { Staff } from './staff.ko';

export const staff: Staff = {
	title: 'Staff',
	rail: 'Staff menu',
	student: 'Student pages',
	menu: 'Menu',
	groups: { now: 'Now', lending: 'Lending', site: 'Lockers', system: 'System' },
	places: {
		board: 'Live board',
		alarms: 'Alarms',
		openings: 'Openings',
		mass: 'Open many',
		rentals: 'Rentals',
		overdue: 'Overdue',
		members: 'Members',
		stats: 'Statistics',
		terms: 'Terms and windows',
		places: 'Places and banks',
		kiosks: 'Kiosks',
		service: 'Locks to service',
		health: 'Health and jobs',
		mails: 'Mails',
		bus: 'Boards and wiring',
		audit: 'Audit log'
	},
	adminOnly: 'Only admins can change this.',
	alarmsOpen: (count) => (count === 1 ? '1 alarm nobody acknowledged' : `${count} alarms nobody acknowledged`),
	notAllowed: {
		title: 'This page is for staff',
		text: 'This account has no staff rights. Log in with a staff account, or ask an admin for the role.',
		home: 'Go to the student pages'
	},
	notFound: 'There is no such thing. Its address has changed, or it was removed.',
	list: {
		count: (shown, total) => (total === undefined ? `Showing ${shown}.` : `Showing ${shown} of ${total}.`),
		more: (rows) => `Show the next ${rows}`,
		export: 'Download CSV',
		filter: 'Filter',
		clear: 'Clear filters',
		bank: 'Bank',
		allBanks: 'All banks',
		all: 'All',
		noMatch: 'Nothing matches these filters.'
	},
	ask: {
		reason: 'Reason',
		reasonMissing: 'Give a reason. It is kept in the audit log.'
	},
	prove: {
		title: 'Show that it is you',
		text: 'Opening many lockers at once, or sending commands to a board, needs proof that it is you. Once shown, you are not asked again for 10 minutes.',
		code: 'The 6 digits of your authenticator app, or a recovery code',
		codeMissing: 'Enter the digits of your authenticator app.',
		byCode: 'Use the authenticator app',
		byPassword: 'Use the password',
		go: 'Confirm and go on'
	},
	lock: {
		title: 'The screen is locked',
		text: (minutes) => `Nobody used it for ${minutes}, so its content is hidden. Your work is kept.`,
		who: (name) => `Signed in as ${name}.`,
		password: 'Password',
		missing: 'Type the password.',
		wrong: 'The password is wrong. Check Caps Lock and the keyboard language.',
		unlock: 'Unlock',
		leave: 'Log out'
	}
};
