import type { Board } from './board.ko';

export const board: Board = {
	title: 'Live board',
	alarms: {
		title: 'Alarms nobody acknowledged',
		count: (count) => `Alarms nobody acknowledged: ${count}`,
		none: 'No alarm waits for anybody.',
		all: 'All alarms',
		more: (count) => `${count} more.`,
		kinds: {
			forced_open: 'Opened without a request',
			opened_unwatched: 'Opened while nobody watched',
			left_open: 'Door left open',
			jammed: 'Door does not open',
			sensor_fault: 'Door sensor faulty',
			board_offline: 'Board silent',
			bus_offline: 'Port away',
			help: 'Staff called'
		},
		other: 'Alarm',
		severities: { critical: 'Critical', warning: 'Warning', info: 'Note' },
		board: (bus, board) => `${bus} board ${board}`,
		bus: (bus) => `Port ${bus}`,
		ended: 'cause has ended',
		escalated: 'goes on for long'
	},
	today: {
		title: 'To do today',
		ends: 'Rentals ending today',
		late: 'Overdue',
		shortages: 'Not to be had tomorrow',
		returns: 'Returns to check',
		count: (count) => count,
		atLeast: (count) => `${count} or more`,
		mails: (dead, due) => `Mails that could not be sent: ${dead}. Mails that wait: ${due}.`,
		toMails: 'See the mails',
		mass: (opened) => `A mass opening is under way. Lockers done so far: ${opened}.`,
		toMass: 'See the mass opening',
		jobs: (count) => `Jobs that failed at their last run: ${count}.`,
		toJobs: 'See health and jobs',
		clock: 'The server is not sure of the time, so nothing is granted or ended. Doors can be opened.',
		toClock: 'Confirm the time'
	},
	onlyAlarms: 'Only with alarms',
	onlyAlarmsNone: 'No bank has an alarm.',
	showAll: 'Show all',
	none: 'You look after no bank yet. Ask an admin to put one into your care.',
	makeBank: 'Make a bank',
	tiles: 'Banks',
	tile: {
		alarms: (count) => (count === '1' ? '1 alarm' : `${count} alarms`),
		maintenance: 'Maintenance',
		modes: { choose: 'Lockers are chosen', pool: 'Booked by day' },
		inService: 'In service',
		free: 'Free',
		held: 'Being chosen',
		taken: 'In use',
		late: 'Overdue',
		out: 'Out of service',
		doorsOpen: 'Doors open',
		answering: (answering, all) => `Boards ${answering}/${all} answering`,
		last: (ago) => `Last answer ${ago}`,
		never: 'Never heard of',
		noBoards: 'No electric locks',
		unknown: 'Looking it up',
		lost: 'The state of this bank could not be loaded.'
	},
	bank: {
		toBoard: 'Live board',
		unknownTitle: 'There is no such bank',
		unknown: 'The address has changed, or the bank is not in your care.',
		settings: 'Settings of the bank',
		policy: 'Lending rules',
		openings: 'Openings',
		find: 'Find a number',
		findButton: 'Find',
		missing: (number) => `There is no locker ${number} in this bank.`,
		legend: 'What the cells mean',
		list: {
			caption: 'Lockers',
			number: 'No.',
			state: 'State',
			door: 'Door and marks',
			renter: 'Renter',
			until: 'Last day',
			look: 'Look',
			lookAt: (number) => `Look at locker ${number}`,
			show: 'Lockers to show',
			none: 'No locker fits.',
			kinds: {
				all: 'All',
				free: 'Free',
				taken: 'In use',
				late: 'Overdue',
				out: 'Out of service',
				open: 'Door open',
				marked: 'With an alarm or a mark'
			}
		},
		marks: {
			alarm: 'Alarm',
			open: 'Door open',
			silent: 'Board not answering',
			unknown: 'Door not known'
		},
		maintenance: {
			on: 'Begin maintenance',
			off: 'End maintenance',
			onTitle: 'Begin maintenance?',
			onText:
				'Meanwhile the doors of this bank raise no alarms, and those that are live are cleared. The boards are still watched.',
			offTitle: 'End maintenance?',
			offText: 'The doors of this bank are watched again. Those that stand open may become alarms.',
			banner: 'Under maintenance: open doors raise no alarm.',
			started: 'Maintenance has begun.',
			ended: 'Maintenance has ended.'
		}
	},
	drawer: {
		label: 'Selected locker',
		hint: 'Select a locker on the map to see its renter, door and history here.',
		renter: 'Renter',
		nobody: 'Nobody rents it.',
		left: 'A member who has left',
		show: 'Show',
		hide: 'Hide',
		showId: 'Show the student id',
		id: 'Student id',
		dates: 'Dates',
		daysLeft: (days) => `${days} left`,
		lastDay: 'today is the last day',
		late: (days) => `${days} overdue`,
		state: 'Rental',
		states: { reserved: 'Reserved', held: 'Being chosen', active: 'Rented', returned: 'Returned, being checked' },
		waits: {
			door: 'waits for the door to be closed',
			grace: 'time to fetch what was forgotten',
			confirmation: 'waits for word that it is empty',
			staff: 'waits for staff to check it'
		},
		freeAt: (time) => `free at ${time}`,
		openedAt: 'First opened',
		neverOpened: 'not opened yet',
		door: 'Door',
		doors: { open: 'open', closed: 'closed', unknown: 'not known' },
		doorSince: (door, ago) => `${door} (changed ${ago})`,
		noLock: 'No electric lock',
		wire: 'Wire',
		wireText: (bus, board, lock) => `${bus} board ${board}, lock ${lock}`,
		boardSilent: 'The board does not answer. You can still try to open.',
		outBecause: (reason) => `Out of service: ${reason}`,
		alarm: (kind, ago) => `${kind} (${ago})`,
		toCase: 'See the overdue case',
		actions: 'What can be done',
		open: (number) => `Open locker ${number}`,
		openings: 'Last 10 openings',
		noOpenings: 'It was not opened in the last 400 days.',
		openingBy: (who, as) => `${who} · ${as}`,
		openedAs: { renter: 'as renter', staff: 'as staff' },
		outcomes: {
			opened: 'Opened',
			already_open: 'Was open',
			unseen: 'Not seen',
			door_did_not_open: 'Did not open',
			no_answer: 'No answer',
			unreachable: 'Board away',
			refused: 'Board refused',
			interrupted: 'Not known'
		},
		underWay: 'Under way',
		toOpenings: 'See all openings',
		toRentals: 'See all rentals',
		notes: 'Notes',
		noNotes: 'No notes.',
		noteBy: (name, at) => `${name} · ${at}`,
		gone: 'Staff who have left',
		moreNotes: 'There are more notes. These are the newest 20.'
	},
	opening: {
		title: 'Opening',
		askTitle: (number) => `Open locker ${number}?`,
		askText: (who) =>
			`It is ${who}’s locker. The record will say that staff opened it. Open it when somebody stands before it.`,
		askReturned: 'It was returned, but things may be left inside. The record will say that staff opened it.',
		askUnknown: 'Who uses it could not be looked up. The record will say that staff opened it.',
		close: 'Close the result'
	},
	picks: {
		begin: 'Pick several lockers',
		stop: 'Stop picking',
		title: 'Pick several lockers',
		count: (count) => `Lockers picked: ${count}.`,
		hint: 'Tap a locker to pick it, again to let go of it. With Shift you pick all that stand between, with Ctrl one by one.',
		picked: 'picked',
		pick: (number) => `Pick locker ${number}`,
		pickShort: 'Pick',
		kind: 'Lockers to pick at once',
		all: 'Pick all',
		none: 'Pick lockers first.',
		tooMany: (most) => `At most ${most} lockers can be opened at once.`,
		open: (count) => `Open ${count}`,
		left: (numbers) => `Not done, or nobody knows: ${numbers}.`,
		progress: (over, total) => `${over} of ${total} are done.`,
		nothing: 'None of the picked lockers would change.',
		out: {
			button: 'Take out of service',
			title: (count) => `Take lockers out of service: ${count}?`,
			text: 'Nobody can claim them any more. Rentals stay; their members are mailed the reason and may move to another locker.',
			others: (count) => `Out of service already, left as they are: ${count}.`,
			done: (count) => `Taken out of service: ${count}.`
		},
		back: {
			button: 'Put back into service',
			title: (count) => `Put lockers back into service: ${count}?`,
			text: 'They can be rented again.',
			others: (count) => `In service already, left as they are: ${count}.`,
			done: (count) => `Back in service: ${count}.`
		},
		end: {
			button: 'End rentals',
			title: 'End the rentals of the picked lockers?',
			looking: 'Checking who rents them.',
			text: (count, opened) =>
				`Rentals that end: ${count}. Their members are mailed the reason.${opened ? ` Opened before, so that they wait until they are emptied: ${opened}.` : ''}`,
			list: 'Rentals to be ended',
			held: 'being chosen',
			done: (count) => `Rentals ended: ${count}.`
		}
	},
	deeds: {
		end: {
			button: 'End the rental',
			title: (number) => `End the rental of locker ${number}?`,
			opened: (who) =>
				`${who}’s rental ends today. The locker stays returned until it was opened once more, so that things can be taken out. The reason is mailed.`,
			unopened: (who) =>
				`${who}’s rental ends and the locker is free at once: it was never opened. The reason is mailed.`,
			done: (number) => `The rental of locker ${number} has ended.`
		},
		letGo: {
			button: 'Give up the hold',
			title: (number) => `Give up the hold of locker ${number}?`,
			text: 'The hold is given up and others can have the locker. The reason is mailed.',
			done: (number) => `The hold of locker ${number} was given up.`
		},
		free: {
			button: 'It is empty',
			title: (number) => `Is locker ${number} empty?`,
			text: 'Press only after looking inside. Others can rent it then.',
			done: (number) => `Locker ${number} is free.`
		},
		move: {
			button: 'Move to another locker',
			title: (number) => `Move the rental of locker ${number}`,
			text: (who) =>
				`${who}’s rental goes on in another locker for the same days. A locker that was opened stays returned until it was emptied. The reason is mailed.`,
			to: 'Number of the new locker',
			near: 'Free nearby',
			nearNone: 'This bank has no free locker. Give the number of one in another bank.',
			missing: 'Give the number of the new locker.',
			done: (from, to) => `Moved from locker ${from} to ${to}.`
		},
		dates: {
			button: 'Change the last day',
			title: (number) => `Change the last day of locker ${number}`,
			text: 'No limit of the rules holds here. An overdue case ends with it, without a penalty. The reason is mailed.',
			day: 'New last day',
			hint: 'For example 2026-12-18',
			missing: 'Give a day like 2026-12-18.',
			done: (until) => `It can be used ${until} now.`
		},
		assign: {
			button: 'Assign to a member',
			title: (number) => `Assign locker ${number}`,
			text: 'It is rented from now on, whatever the application window. The reason is mailed.',
			search: 'Search by student id or name',
			searchHint: 'From two letters on.',
			found: 'Members found',
			none: 'Nobody was found.',
			more: (total) => `Showing 8 of ${total}. Type more.`,
			has: (locker) => `rents locker ${locker}`,
			missing: 'Choose a member first.',
			days: 'Dates',
			term: (name, range) => `${name} (${range})`,
			until: 'Choose the last day',
			done: (number, who) => `Locker ${number} is ${who}’s now.`
		},
		out: {
			button: 'Take out of service',
			title: (number) => `Take locker ${number} out of service?`,
			text: 'Nobody can rent it anew.',
			rented: (who) => `${who}’s rental stays. They are mailed the reason and may move to another locker.`,
			done: (number) => `Locker ${number} is out of service.`
		},
		back: {
			button: 'Put back into service',
			title: (number) => `Put locker ${number} back into service?`,
			text: 'It can be rented again.',
			done: (number) => `Locker ${number} is in service again.`
		},
		note: {
			button: 'Write a note',
			title: (number) => `Write a note about locker ${number}`,
			text: 'All staff of the bank see it. It cannot be deleted.',
			label: 'Note',
			verb: 'Save the note',
			done: 'The note was saved.'
		},
		key: {
			button: 'Mechanical key used',
			title: (number) => `Open locker ${number} with the mechanical key?`,
			text: 'The door as it stands open, or its next opening, is no alarm then. Nothing is opened from here.',
			label: 'Note',
			done: (length) => `Noted. The door may be opened within ${length} without an alarm.`
		}
	}
};
