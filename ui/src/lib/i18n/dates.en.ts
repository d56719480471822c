import type { Dates } from './dates.ko';

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
const monthName = (month: string): string => MONTHS[Number(month.slice(5, 7)) - 1] ?? month;

/** `12 Mar`. */
const date = (day: string): string => `${Number(day.slice(8))} ${monthName(day).slice(0, 3)}`;

const ordinals = new Intl.PluralRules('en', { type: 'ordinal' });
const suffixes: Partial<Record<Intl.LDMLPluralRule, string>> = { one: 'st', two: 'nd', few: 'rd' };

/** `the 11th`, or `31 Mar` if that is in another month than before. */
function dayAfter(before: string, day: string): string {
	if (before.slice(0, 7) !== day.slice(0, 7)) return date(day);
	const number = Number(day.slice(8));
	return `the ${number}${suffixes[ordinals.select(number)] ?? 'th'}`;
}

const reservations = (count: number): string => (count === 1 ? 'one reservation' : `${count} reservations`);
const days = (count: number): string => (count === 1 ? 'one day' : `${count} days`);

export const dates: Dates = {
	where: (place, bank) => `${bank}, ${place}`,
	date,

	logIn: {
		title: 'Sign in to reserve.',
		text: 'You see how many lockers are left on each day and choose your dates.'
	},
	notPool: 'These lockers are not reserved by dates.',

	calendar: {
		title: 'Choose dates',
		month: (month) => `${monthName(month)} ${month.slice(0, 4)}`,
		before: 'Month before',
		after: 'Month after',
		left: (count) => `${count} left`,
		free: 'free',
		full: 'full',
		closed: 'shut',
		mine: 'yours',
		today: 'today',
		parts: { from: 'first', to: 'last', only: '1 day' },
		name: (day, words) => [day, ...words].join(', '),
		partNames: {
			from: 'chosen first day',
			to: 'chosen last day',
			only: 'chosen, one day',
			within: 'in the chosen dates'
		},
		cannot: 'cannot be chosen',
		closing: (why) => `closed: ${why}`,
		asOf: (ago) => `As of ${ago}.`,
		old: 'The numbers could not be renewed.'
	},

	pick: {
		from: 'First day',
		to: 'Last day',
		hint: (example) => `Choose in the calendar, or type it like ${example}.`,
		first: 'Choose the first day.',
		last: 'Choose the last day. For one day, press the same day again.',
		chosen: (range, length) => `${range}, ${length}`,
		clear: 'Choose again',
		accessible: 'I would like a locker at a height for use while seated.',
		accessibleHint: 'You are given one first. If none is left, it may be at another height.',
		reserve: 'Reserve',
		doubt: 'Checking whether it was reserved. No need to press again.',
		noFrom: 'Enter the first day.',
		noTo: 'Enter the last day.',
		notADay: (field, example) => `${field}: enter a day that exists, like ${example}.`
	},

	rules: {
		title: 'Rules',
		starts: (first, last) => `Reservations may begin from ${first} to ${last}.`,
		most: (count) => `One reservation lasts ${days(count)} at most.`,
		checkInFirst: 'Check in on the first day. If you do not, the reservation is cancelled.',
		checkInDays: (count) => `Check in within ${days(count)} from the first day. After that the reservation is cancelled.`,
		checkInAny: 'You can check in until the last day. If you do not, the reservation is cancelled.',
		presence: 'You check in with the digits on the screen beside the lockers.',
		number: 'Your locker’s number is decided at check-in.',
		cancel: 'You can cancel before the first day.',
		many: (count) => `You can have ${reservations(count)} here at a time.`
	},

	reason: (why) => {
		switch (why.kind) {
			case 'early':
				return `You can begin on ${date(why.first)} at the earliest.`;
			case 'far':
				return `Reservations begin on ${date(why.last)} at the latest.`;
			case 'closed':
				return `Closed on ${date(why.day)}: it cannot be the first or last day.`;
			case 'full':
				return `${date(why.day)} is full.`;
			case 'mine':
				return `You have a reservation or a locker on ${date(why.day)}.`;
			case 'long':
				return `${days(why.most)} at most, so you can book until ${date(why.last)}.`;
			case 'most':
				return `One reservation lasts ${days(why.most)} at most.`;
			case 'backwards':
				return 'The last day is before the first day. Please change the dates.';
			case 'unknown':
				return 'How many are left on this day is not known yet. Please try again in a moment.';
		}
	},
	limit: (why, last) => {
		switch (why.kind) {
			case 'full':
				return `${date(why.day)} is full, so you can book until ${dayAfter(why.day, last)}.`;
			case 'mine':
				return `You have a reservation or a locker on ${date(why.day)}, so you can book until ${dayAfter(why.day, last)}.`;
			case 'long':
				return `${days(why.most)} at most, so you can book until ${date(last)}.`;
			default:
				return `You can book until ${date(last)}.`;
		}
	},
	justFull: (day) => `${date(day)} has just become full. Please change the dates.`,

	cannot: {
		penalty: (until) => `You cannot reserve until ${until} because of a late return.`,
		tooMany: (count) => `You have ${reservations(count)} here, which is the most. Cancel it or check in first.`,
		clock: 'The server clock is not yet trusted, so nothing can be reserved. Please tell staff.'
	},

	done: {
		title: 'Reserved.',
		text: (where, range) => `${where}, ${range}`,
		checkInOn: (day) => `Check in on ${day}. Your locker’s number is decided then.`,
		checkInUntil: (first, until) => `Check in from ${first} to ${until}. Your locker’s number is decided then.`
	},

	mine: {
		title: 'My reservations',
		here: 'My reservations here',
		empty: 'You can make one where lockers are lent by dates.',
		find: 'Find lockers',
		status: { idle: 'No booking', reserved: 'Booked', using: 'In use', overdue: 'Overdue' },
		locker: (number) => `Locker ${number}`,
		accessible: 'At a height for use while seated',
		checkInOn: (day) => `Check-in: ${day}`,
		checkInUntil: (first, until) => `Check-in: from ${first} to ${until}`,
		toLocker: 'Go to my locker',
		late: (day) => `It was due back on ${day}. Take your things and return it.`,
		checkIn: 'Check in',
		cancel: 'Cancel reservation',
		short: 'There may be no locker for you on these days: one is broken or not yet emptied.',
		shortOffered: (where) => `${where} has room on the same days. Your reservation moves there as it is.`,
		shortWait: 'If a locker is free again you get it as reserved. On the first day, check-in goes by who reserved first.',
		replace: (where) => `Move to ${where}`,
		replaceTitle: 'Move the reservation?',
		replaceText: (from, to, range) =>
			`Your reservation of ${range} moves from ${from} to ${to}. The former one ends.`,
		replaceYes: 'Move it',
		replaced: 'The reservation was moved.',
		doubt: 'Checking what became of it. No need to press again.'
	},

	checkIn: {
		title: 'Check in',
		code: 'Six digits on the screen',
		ask: 'Enter the 6 digits shown on the screen beside the lockers.',
		send: 'Check in',
		notCode: 'Enter six digits.',
		done: 'You are checked in.',
		open: 'Open it in My locker',
		until: (day) => `Yours ${day}.`,
		noneFree: 'There is no locker to give right now: others reserved before you, or one is not yet emptied.',
		noneFreeWait: 'You can check in when one is free. Your reservation stays. If it is urgent, tell staff.',
	},

	cancel: {
		title: 'Cancel the reservation?',
		text: (where, range) => `${where}, ${range} is cancelled.`,
		meaning: 'Other students can take these days at once. To reserve again there must be room.',
		yes: 'Cancel it',
		no: 'Keep it',
		done: 'The reservation was cancelled.'
	}
};
