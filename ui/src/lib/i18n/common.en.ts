import type { Common } from './common.ko';

export const common: Common = {
	product: 'Lockers',
	skip: 'Skip to content',
	back: 'Back',
	again: 'Try again',
	cancel: 'Cancel',
	close: 'Close',
	next: 'Next',
	save: 'Save',
	show: 'Show',
	hide: 'Hide',
	optional: '(optional)',
	error: 'Error',
	mend: (count) => (count === 1 ? 'There is one thing to correct.' : `There are ${count} things to correct.`),
	slow: 'This is taking longer than usual. Please wait.',
	unreachable: 'The server did not answer. Check your network and try again.',
	unknownProblem: (detail, code) =>
		detail ? `${detail} (${code})` : `The server has a problem. Please try again in a moment. (${code})`,
	live: 'Live',
	connecting: 'Connecting',
	stale: 'Connection lost. Reconnecting.',
	staleAge: (seconds) => `Showing the state of ${seconds} s ago.`,
	staleReason: 'Not possible while the connection is lost.',
	degraded: 'Claims and bookings are paused because of a server problem. You can still open your locker.',
	overloaded: (seconds) => `Many people are connecting. Trying again in ${seconds} s.`,
	asOf: (ago) => `as of ${ago}`,
	languages: { ko: '한국어', en: 'English' },
	nav: { label: 'Main menu', home: 'Home', places: 'Lockers', my: 'My locker', me: 'Me' },
	staffPages: 'Staff pages',
	logIn: 'Sign in',
	logOut: 'Sign out',
	signUp: 'Sign up',
	locker: (number) => `Locker ${number}`,
	place: (location, locker) => `${locker}, ${location}`,
	lockers: (count) => `${count} ${count === '1' ? 'locker' : 'lockers'}`,
	notFound: {
		title: 'There is no such page',
		text: 'The address has changed or was mistyped.',
		home: 'Go to the start'
	},
	broken: {
		title: 'Something went wrong on this page',
		text: 'Loading it again usually helps. What you did is kept on the server.',
		reload: 'Load again'
	}
};
