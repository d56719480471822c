/** Texts of staff's page of figures. */
import type { Figures } from './figures.ko';

export const figures: Figures = {
	title: 'Statistics',
	range: 'Range',
	ranges: { today: 'Today', week: '7 days', month: '30 days', term: 'This term', own: 'Other dates' },
	from: 'First day',
	to: 'Last day',
	wrong: {
		missing: 'Choose the first and the last day.',
		order: 'The last day is before the first one.',
		future: 'The first day cannot be after today.',
		long: 'At most 400 days at once.'
	},
	shown: (range) => `Showing ${range}.`,
	asTable: 'As a table',
	behind: 'Show the list',
	print: 'Print',
	noData: 'Nothing is on record in this range.',
	percent: (share) => `${share}%`,
	day: 'Day',
	bank: 'Bank',
	all: 'All',

	occupancy: {
		title: 'How much are the lockers used?',
		large: 'in use now',
		largeThen: (day) => `in use on ${day}`,
		of: (used, all) => `${used} of ${all} lockers`,
		ofWhich: (late) => `${late} of them overdue`,
		sentence: (name, first, last, most) => `${name}: ${first} in use at first, ${most} at most, ${last} at last.`,
		gap: 'Days without any locker in service are left out.',
		columns: ['Day', 'In service', 'Rented', 'Overdue', 'Free'],
		behind: 'Show the rentals'
	},

	rush: {
		title: 'How big was the rush in the first hour?',
		term: 'Term',
		none: 'No application window has opened yet.',
		large: 'confirmed in the first hour',
		held: (count) => `${count} holds`,
		first: (length) => `first one after ${length}`,
		median: (length) => `median from hold to confirm ${length}`,
		sentence: (total, minute, most) => `${total} confirmed in the first hour. Most in minute ${minute}: ${most}.`,
		nothing: 'Nothing was confirmed in the first hour.',
		minute: (minute) => `${minute} min`,
		columns: ['After opening', 'Held', 'Confirmed'],
		behind: 'Show the rentals of this term'
	},

	openings: {
		title: 'When are doors opened?',
		large: 'openings asked for',
		sentence: (most, day, hour) => `Most on ${day} at ${hour}:00: ${most}.`,
		caption: 'Openings by weekday and hour',
		weekdays: { mon: 'Mon', tue: 'Tue', wed: 'Wed', thu: 'Thu', fri: 'Fri', sat: 'Sat', sun: 'Sun' },
		weekday: 'Weekday',
		hour: (hour) => `${hour}`,
		hourLong: (hour) => `${hour}:00`,
		behind: 'Show the openings'
	},

	outcomes: {
		behind: 'Show the locks to service',
		title: 'Were the doors seen open?',
		large: 'seen open',
		of: (seen, all) => `Of ${all} openings with a result, a sensor saw ${seen} open.`,
		columns: ['Result', 'Openings', 'Share'],
		sentence: (list) => `Openings by result: ${list}`
	},

	overdue: {
		title: 'Are lockers returned in time?',
		large: 'returned late',
		of: (late, ended) => `Of ${ended} rentals that ended, ${late} were returned late.`,
		nothing: 'No rental ended in this range.',
		now: (count) => `${count} overdue now`,
		columns: ['Bank', 'Ended', 'Late', 'Share', 'Overdue now'],
		sentence: (list) => `Share returned late by bank: ${list}`,
		behind: 'Show the overdue cases'
	},

	waits: {
		title: 'Who waited longest?',
		large: 'the longest wait',
		none: 'Nobody waited in this range.',
		waiting: 'People waiting for a locker',
		waitingColumns: ['Waited', 'Since', 'Until', 'Member', 'Bank'],
		collecting: 'Things waiting to be collected',
		collectingColumns: ['Waited', 'Locker', 'Detected', 'Step', 'Bank'],
		noneCollecting: 'No overdue case was detected in this range.',
		still: 'still waiting',
		member: (id) => `Member ${id}`,
		behind: 'Show who is waiting'
	}
};
