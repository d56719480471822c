/** Texts of the kiosk in English. */
import type { Kiosk } from './kiosk.ko';

export const kiosk: Kiosk = {
	title: 'Locker kiosk',
	starting: 'Getting ready.',
	leaving: 'Back to the start.',

	home: {
		open: 'Open a locker',
		reservations: 'My booking',
		giveBack: 'Return',
		help: 'Help',
		hint: 'To open a locker, press Open a locker.',
		actions: 'What to do',
		codes: 'Codes to open with a phone',
		codeHint: 'Opening with your phone? Enter this code or scan the QR code.',
		codeHintNoQr: 'Opening with your phone? Enter this code.',
		code: (where) => `Code of ${where}`,
		qr: (where) => `QR code of ${where}`,
		newIn: (seconds) => `New code in ${seconds} s`,
		left: (seconds) => `${seconds} s`,
		noCode: 'Getting a new code.',
		free: (free, all) => `${free} of ${all} free`,
		more: (page, all) => `Other lockers (${page}/${all})`,
		lost: (phone) => `No connection to the server. Please call ${phone}.`,
		lostNoPhone: 'No connection to the server. Please ask staff.',
		lostReason: 'Not possible without a connection.'
	},

	look: {
		title: 'Display',
		language: { ko: '한국어', en: 'English' },
		large: 'Large text',
		usual: 'Usual text',
		low: 'Low screen',
		high: 'High screen',
		dark: 'Dark screen',
		light: 'Light screen'
	},

	keys: {
		pad: 'Number pad',
		erase: 'Erase',
		next: 'Next',
		confirm: 'OK',
		cancel: 'Cancel',
		back: 'Back',
		end: 'Finish'
	},

	id: {
		title: 'Enter your student id',
		empty: 'What you press appears here.',
		short: 'Press at least 3 digits of your id.'
	},

	code: {
		title: 'Enter the code of your app',
		hint: 'The 6 digits of your authenticator app, or the 8 digits that staff gave you.',
		typed: (count) => `${count} digits entered.`,
		of: (id) => `Student id ${id}`,
		short: 'Press all 6 digits.',
		wrong: (left) => `The id or the code is wrong${left === undefined ? '.' : ` (${left} ${left === '1' ? 'try' : 'tries'} left).`}`,
		waits: (seconds) => `You can try again in ${seconds} s.`,
		locked: (left) => `Too many wrong tries. You can try again in ${left}.`,
		lockedLong: 'Too many wrong tries: locked. Please ask staff.',
		unsent: 'The server did not answer. Please try again with a new code.',
		untrusted: 'The server clock is not yet trusted, so codes of the app cannot be used. Please ask staff.'
	},

	my: {
		title: 'My locker',
		none: 'You have no locker. You can rent one with your phone.',
		open: (number) => `Open locker ${number}`,
		giveBack: 'Return',
		state: 'State of the return',
		other: (number) => `Other locker: ${number}`,
		confirm: 'Confirm',
		held: 'You hold this locker. Confirm it to open it.',
		until: (day) => `until ${day}`,
		startsOn: (day) => `Yours from ${day}.`,
		late: (days) => `Your rental ended ${days} ago. Take your things and return it.`,
		sealed: 'Restricted because it is overdue: you cannot open it yourself. Please ask staff.',
		door: (state) => `Door: ${state}`,
		elsewhere: 'This locker is not beside this kiosk. Open it at the kiosk beside it, or with your phone.',
		reservations: 'Bookings',
		noReservations: 'You have no booking.',
		checkIn: 'Check in',
		from: (day) => `Check-in from ${day}.`,
		failed: 'Your lockers could not be loaded.'
	},

	open: {
		title: (number) => `Open locker ${number}`,
		done: 'Finish',
		help: 'Call staff'
	},

	giveBack: {
		title: (number) => `Return locker ${number}`,
		ask: 'Have you taken everything out?',
		yes: 'Yes, return it',
		no: 'No, open it',
		notMine: 'This is not your locker, or its return is done.'
	},

	done: {
		closed: 'The door is closed. Thank you.',
		returned: 'Returned. Thank you.',
		left: 'Thank you.',
		doorOpen: 'If the door is open, please close it.',
		title: 'All done',
		home: (seconds) => `Back to the start in ${seconds} s.`
	},

	help: {
		title: 'Help',
		phone: (phone) => `Call ${phone}`,
		noPhone: 'Please ask staff nearby.',
		ask: 'What can we help with? Press, and staff are told.',
		reasons: { door_stuck: 'The door does not open', things_left: 'My things are still inside', other: 'Something else' },
		told: 'Staff have been told.',
		toldAt: (time) => `Told at ${time}. If it is urgent, please call.`,
		failed: 'Staff could not be told. Please call.',
		failedNoPhone: 'Staff could not be told. Please ask staff nearby.'
	},

	idle: {
		title: 'Still there?',
		text: (seconds) => `Touch to continue. Back to the start in ${seconds} s.`,
		left: (seconds) => `${seconds} s left`,
		stay: 'Continue',
		end: 'Finish'
	},

	setup: {
		title: 'Set up this kiosk',
		intro: 'Enter the 8-character pairing code from the staff pages. It is good once, for 15 minutes.',
		code: 'Pairing code',
		pad: 'Keyboard',
		pair: 'Pair',
		short: 'Enter all 8 characters of the pairing code.',
		wrong: 'The pairing code is wrong or too old. Get a new one from the staff pages.',
		paired: (name) => `Paired: ${name}`,
		again: 'Pair again with another code',
		screen: 'Screen',
		diagonal: 'Screen diagonal (mm)',
		diagonalHint: 'From one corner of the visible picture to the opposite one.',
		inches: (inches, mm) => `${inches} inches (${mm} mm)`,
		diagonalWrong: (min, max) => `Enter a length between ${min} and ${max}.`,
		unmeasured: 'Not entered yet: letters may be smaller or larger than they should be.',
		ruler: 'This bar is 50 mm long. Check it with a ruler.',
		letters: (mm) => `Smallest letters: ${mm} mm`,
		tight: 'The window is too small for letters of the right size. Show the browser full screen.',
		first: 'How the front page looks',
		language: 'Language',
		save: 'Save and start'
	}
};
