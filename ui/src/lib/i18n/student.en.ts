import type { Student } from './student.ko';

export const student: Student = {
	home: {
		title: 'Home',
		logInToRent: 'Sign in to rent and open a locker.',
		call: (phone) => `Call staff ${phone}`
	},

	card: {
		title: 'My locker',
		none: 'You have no locker.',
		find: 'Find a free locker',
		daysLeft: (days) => `${days} left`,
		lastDay: 'Today is the last day.',
		startsOn: (day) => `You can use it from ${day}.`,
		dates: 'Dates',
		left: 'Left',
		door: 'Door',
		doors: { open: 'Open', closed: 'Closed', unknown: 'Unknown' },
		doorUnknown: 'The door cannot be seen. You can open it all the same.',
		held: (number) => `Locker ${number} is held for you. Confirm in time.`,
		heldLeft: 'Time left',
		confirm: 'Confirm',
		offer: (time) => `A locker is free. Confirm by ${time}.`,
		open: (number) => `Open locker ${number}`,
		openShort: 'Open',
		more: 'Manage my locker',
		returning: 'Returned locker',
		sealed: 'You cannot open it yourself: it is overdue. Please ask staff.'
	},

	waits: {
		door: 'The return is finished when the door is seen closed.',
		doorOpen: 'The door is open. Close it to finish.',
		grace: (left) => `Forgot something? Reopen within ${left}.`,
		confirmation: 'We cannot see the door. Tell us when the locker is empty and closed.',
		staff: 'We cannot see the door; staff will check and finish the return.',
		free: 'Returned. Thank you.'
	},

	warnings: {
		late: (days) => `Your rental ended ${days} ago. Take your things and return it.`,
		lateSeal: (day) => `From ${day} you cannot open it yourself, and staff will collect your things.`,
		lateShut: (days) =>
			`Your rental ended ${days} ago, so you cannot open it yourself. Staff will take your things out for you.`,
		forced: (number, time) => `The door of locker ${number} opened at ${time} without a request.`,
		unwatched: (number, time) =>
			`The door of locker ${number} was found open at ${time}. It could not be seen before that.`,
		tell: 'Tell us if it was not you.',
		itWasMe: 'It was me',
		tellStaff: 'Tell staff',
		thanks: 'Thank you. Staff can see your answer.',
		leftOpen: (number) => `The door of locker ${number} is open. Please close it.`,
		outOfService: (number) => `Locker ${number} is out of service. You can move to another one.`,
		swap: 'Change locker',
		penalty: (until, days) => `You cannot apply until ${until} because of a late return (${days} left).`,
		giveBack: 'Return it'
	},

	window: {
		title: 'Applications',
		before: (at) => `Applications open ${at}.`,
		countdown: (left) => `Opens in ${left}`,
		open: 'Applications are open.',
		closes: (at) => `They close ${at}.`,
		closed: 'Applications are closed.',
		none: 'No application window is planned.',
		untrusted: 'The server is checking the time. Applications open once it is certain.',
		dates: (range) => `Rental dates: ${range}`,
		apply: 'Apply',
		look: 'Look at the lockers',
		more: 'All lockers'
	},

	reservations: {
		title: 'Reservations',
		next: 'Next reservation',
		status: { reserved: 'Booked', using: 'In use', overdue: 'Overdue' },
		short: 'No locker is left for that day. Please change the reservation.',
		manage: 'Manage reservations',
		more: (count) => (count === '1' ? 'There is 1 more reservation.' : `There are ${count} more reservations.`)
	},

	places: {
		title: 'Lockers',
		free: (count) => `${count} free`,
		full: 'None free',
		of: (count) => `of ${count}`,
		byDay: 'Booked by the day',
		none: 'There are no lockers yet.'
	},

	my: {
		title: 'My locker',
		empty: 'You have no locker. Choose a free one to rent it.',
		find: 'Find a free locker',
		other: 'Another locker',
		giveBack: 'Return',
		swap: 'Change locker',
		reopen: (number) => `Reopen locker ${number}`,
		toReturn: 'See the return'
	},

	extend: {
		title: 'Extend',
		offer: (from, to) => `Extend from ${from} to ${to}.`,
		left: (count) => (count === '1' ? '1 extension left.' : `${count} extensions left.`),
		button: 'Extend',
		done: (until) => `Extended ${until}.`,
		earlyFrom: (day) => `You can extend from ${day} on.`,
		used: 'You have used all extensions.',
		othersWait: 'You cannot extend because others are waiting.',
		not: (why) => `You cannot extend now. ${why}`
	},

	swap: {
		title: 'Change locker',
		replaceTitle: 'Take another locker',
		choose: 'Choose the new locker.',
		replaceWhy: (number) => `Locker ${number} cannot be used, so you take another one. The dates stay.`,
		nearest: 'Take the nearest free locker',
		none: 'No locker of this bank is free.',
		map: 'Show on the map',
		free: 'Free lockers',
		show: (count) => `Show ${count} more`,
		confirm: (from, to) => `Move from ${from} to ${to}; dates stay. Empty ${from} and close its door.`,
		button: (to) => `Move to ${to}`,
		ask: 'Change locker?',
		doubt: 'Checking whether it was changed. No need to press again.',
		done: (from, to) => `You moved from ${from} to ${to}.`,
		notMine: 'There is no locker to change. Only a rented one can be changed.',
		toMy: 'Go to my locker'
	},

	history: {
		title: 'History',
		show: 'Show history',
		more: 'Show more',
		empty: 'Nothing yet.',
		openings: (count) => (count === '1' ? 'opened once' : `opened ${count} times`),
		states: {
			reserved: 'Booked',
			held: 'Being chosen',
			active: 'In use',
			returned: 'Return being checked',
			ended: 'Over'
		},
		reasons: {
			hold_expired: 'Time ran out',
			hold_released: 'Given up',
			returned: 'Returned',
			ended_by_staff: 'Ended by staff',
			replaced: 'Changed for another one',
			cancelled: 'Cancelled',
			no_show: 'Not taken up',
			collected: 'Collected by staff'
		},
		late: (locker, days) => `${locker}: ${days} late`,
		lateNow: (locker) => `${locker}: overdue`,
		penalty: (range) => `No applications ${range}`,
		waived: '(taken back by staff)',
		reservation: 'Reservation'
	},

	open: {
		title: (number) => `Open locker ${number}`,
		steps: 'How it goes',
		button: (number) => `Open locker ${number}`,
		again: 'Try again',
		openAgain: 'Open again',
		againIn: (seconds) => `You can try again in ${seconds} s.`,
		back: 'My locker',
		ready: 'Press when you stand before it.',
		cutOff: 'Connection lost. The command may have gone through. Check the door before pressing again.',
		cutOffLate: 'Connection lost. The door cannot be seen now. Reconnecting.',
		finding: 'Checking whether the request arrived. No need to press again.',
		unsent: 'The request does not seem to have reached the server. Check the door, then press again.',
		unknown: 'There is no record of this opening.',
		notMine: (number) => `You do not rent locker ${number} now.`,
		noLocker: 'It is not clear which locker to open.',
		notNow: (why) => `You cannot open it now: ${why}`,
		startsOn: (day) => `your rental starts ${day}.`,
		returned: 'it is not rented by you, or returned.',
		restricted: 'restricted, because it is overdue.',
		resting: 'It was opened a moment ago and the lock must rest.',
		busy: 'somebody else is opening it.',
		replace: 'Take another locker',
		confirmFirst: 'Go and confirm',
		callStaff: 'Call staff',
		called: (time) => `Staff were told at ${time}.`,
		calledMore: 'This page shows when they have seen it. Phone them if it is urgent.',
		callSeen: 'Staff have seen your call.',
		callAgain: 'Call staff again',
		callFailed: 'Staff could not be told.',
		callPhone: (phone) => `Phone ${phone}`,
		tellThem: (where, time) => `Tell them: ${where}, did not open at ${time}`,
		noPhone: 'Please tell the staff nearby.',
		toReturn: 'Return it',
		help: 'If the door sticks, push it gently inwards.'
	},

	steps: {
		requested: 'Requested.',
		sent: 'Command sent to the lock board.',
		acknowledged: 'The board answered. Watching the door.',
		acknowledgedDone: 'The board answered.',
		sentAgain: 'The door was closed, so the command was sent once more.',
		opened: (number) => `Locker ${number} is open.`,
		openedMore: 'Close the door when you are done.',
		alreadyOpen: 'The door was open before the command was sent.',
		closed: 'Door closed.',
		closedAfter: (length) => `Door closed (open for ${length}).`,
		closedUnwatched: 'The door is closed now.',
		leftOpen: (minutes) => `The door has been open for ${minutes}. Please close it.`,
		unseen: 'The board accepted. This bank has no door sensors, so we cannot see the door. Pull it to check.',
		unseenSilent: 'The command was sent. This bank has no door sensors, so we cannot see the door. Pull it to check.',
		sensorFaulty: 'The door sensor is faulty, so we cannot see the door. Pull it to check.',
		didNotOpen: 'The door did not open. Push it gently and try again.',
		didNotOpenTwice: 'It did not open twice; something may be stuck.',
		noAnswer: 'The board did not answer, so we do not know whether the door opened. Pull it to check.',
		unreachable: 'The board did not answer. Staff have been told.',
		refused: 'The board refused. Please try again in a moment.',
		interrupted: 'The server was restarted and did not see the result. Pull the door to check.',
		nextAsk: 'Requesting.',
		nextLook: 'Looking how it goes.',
		nextSend: 'Sending the command. It usually takes less than 1 s.',
		nextDoor: 'Watching whether the door opens. It usually takes less than 3 s.',
		nextDoorLater: 'Then the door is watched (usually 3 s).',
		nextClose: 'When you close the door, it shows here.',
		marks: { tick: 'Done', ring: 'Under way', hollow: 'Next', cross: 'Failed', question: 'Unknown' }
	},

	code: {
		label: 'Six digits',
		hint: 'Enter the 6 digits shown on the screen beside the lockers.',
		wrong: (left) =>
			`The code is wrong or has expired. Enter the new one on the screen${left === undefined ? '' : ` (${left} ${left === '1' ? 'try' : 'tries'} left)`}.`,
		used: (seconds) => `This code was used. Use the new one in ${seconds} s.`,
		usedNow: 'This code was used. Use the new one on the screen.',
		incomplete: 'Enter all 6 digits.',
		password: 'You signed in without a password, so the digits of the screen beside the lockers are needed.',
		qr: 'Or read the QR code on the screen with the camera of your phone.'
	},

	landing: {
		title: 'Open locker',
		working: 'Looking for your locker.',
		noLocker: 'You have no locker in this bank.',
		held: 'Confirm the rental first.',
		choose: 'Which locker?'
	},

	giveBack: {
		title: (number) => `Return locker ${number}`,
		nothingTitle: 'Return a locker',
		noLocker: 'It is not clear which locker to return.',
		check: 'Please check before you return it.',
		emptied: 'I have taken everything out',
		emptiedNeeded: 'Please check that the locker is empty, and tick the box.',
		dates: 'Dates',
		place: 'Place',
		notYet: 'The rental has not begun. Returning it cancels the rental.',
		early: 'If you return it today, the days that are left are lost.',
		late: (days) => `Your rental ended ${days} ago. After a late return you may not be able to apply for some time.`,
		doorOpen: 'The door is open. Close it after returning.',
		openFirst: 'If there is still something inside, open it first.',
		button: 'Return',
		cancel: 'Cancel',
		doubt: 'Checking whether it was returned. No need to press again.',
		done: 'Returned. Thank you.',
		finishing: 'Finishing the return.',
		emptiedButton: 'It is empty',
		reopen: 'Reopen',
		notMine: (number) => `You do not rent locker ${number} now.`,
		silent: 'Waiting for the board. The return is finished when the door can be seen.',
		watching: 'Watching the door close.',
		penalty: (until) => `You cannot apply until ${until} because of a late return.`,
		home: 'Home',
		my: 'My locker'
	}
};
