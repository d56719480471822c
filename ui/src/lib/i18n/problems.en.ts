import type { Problems } from './problems.ko';

const outdated = 'This page and the server seem to be of different versions. Load the page again and retry.';
const gone = (what: string): string => `There is no such ${what}. Open the list again to check.`;

const weak: Record<string, string> = {
	short: 'The password is short. Use at least 10 characters (staff 15, accounts with an authenticator app 8).',
	long: 'The password is too long. Up to 256 characters are possible.',
	common: 'This password is easy to guess. Join several words that have nothing to do with each other.'
};

const options: Record<string, string> = {
	extensions_max: 'Rentals of this bank cannot be extended. Please return the locker by its last day.',
	swaps: 'Lockers of this bank cannot be swapped. Ask staff if you need to.',
	waiting_list: 'This bank has no waiting list. Please choose another one.',
	hold_extension: 'A hold of this bank cannot be made longer. Confirm in the time that is left.'
};

export const problems: Problems = {
	bad_request: 'The server could not read the request. Load the page again and retry.',
	bad_json: outdated,
	invalid: (told) =>
		told.detail
			? `A value is not acceptable. Correct it and try again. The server says: ${told.detail}`
			: 'A value is not acceptable. Correct it and try again.',
	unsupported_type: outdated,
	length_required: outdated,
	too_large: 'What was sent is too large. Make it smaller and send it again.',
	body_timeout: 'Sending took too long for the server. Check your network and try again.',
	not_found: 'There is nothing here: the address changed or it was deleted. Go back and choose again.',
	method_not_allowed: outdated,
	upgrade_required: outdated,
	foreign_origin: 'This cannot be done at this address. Open the address you were given and try again.',
	misdirected: 'This is not the address of this server. Open the address you were given.',

	unauthenticated: 'You need to be signed in to see this. Please sign in.',
	bad_credentials: 'The student id or password is wrong. Check Caps Lock and the keyboard language.',
	session_ended: 'You were signed out. Sign in to return to this page.',
	refresh_superseded: 'Another window renewed the sign-in. Please try again.',
	roster_login_off: 'Signing in by name and phone is not possible here. Please use your password.',
	password_needed: (told) =>
		told.number('bank_id') === undefined
			? 'This needs your password. Sign in with your password and try again.'
			: 'You signed in by name and phone. To open, enter the code shown beside the lockers or sign in with your password.',
	proof_needed: 'Proof is needed that it is you. Enter your password again, then try once more.',
	forbidden: 'This account may not do this. Ask staff if you need it.',
	second_factor_needed: 'A code of your authenticator app is needed as well. Enter the 6 digits or a recovery code.',
	second_factor_missing: 'This account has to set up an authenticator app first. Do so under Me.',
	code_wrong: 'The code is wrong. Check the newest one that you received.',
	code_expired: 'The code has expired or was used. Please get a new one.',
	password_weak: (told) => weak[told.text('reason') ?? ''] ?? 'This password cannot be used. Choose a longer one.',
	consent_needed: 'The privacy notice must be agreed to. Please read it and agree.',
	registration_closed: 'You cannot sign up by yourself here. Ask staff for an account.',
	account_disabled: (told) => {
		const reason = told.text('reason');
		return `Staff have disabled this account.${reason ? ` Reason: ${reason}.` : ''} Please ask them.`;
	},
	leaving: 'You are not on the roster any more, so you cannot rent or book. You can still open, empty and return your locker.',
	too_many_attempts: (told) => {
		if (told.waitMs === undefined) return 'Too many wrong tries. Please try again in a moment.';
		return told.waitMs < 3_600_000
			? `Too many wrong tries. You can try again in ${told.wait}.`
			: 'Locked after far too many wrong tries. Set a new password or ask staff.';
	},
	too_many_requests: (told) => `This was asked for too often. Try again in ${told.wait ?? 'a moment'}.`,
	session_not_found: 'That sign-in has ended. Load the list again to check.',
	member_not_found: gone('member'),
	still_renting: (told) => {
		const locker = told.number('locker_id');
		return locker === undefined
			? 'Staff are keeping things of yours. Collect them and try again.'
			: `The rental of locker ${locker} is not over. Empty and return it, then try again.`;
	},
	last_admin: 'This is the only admin who can sign in. Make somebody else an admin first.',
	roster_shrinks: (told) => {
		const leavers = told.number('leavers');
		return leavers === undefined
			? 'Many people would leave the roster. Look at the preview and enter their number.'
			: `People who would leave the roster: ${leavers}. Look at the preview and enter this number.`;
	},
	keys_rotating: (told) => `The keys were changed a moment ago. Try again in ${told.wait ?? '30 min'}.`,
	keys_elsewhere: 'The keys are managed by systemd. Put a new one there and restart the server.',
	totp_enrolled: 'An authenticator app is set up. To change it, set up another one under Me.',
	totp_not_enrolled: 'No authenticator app is set up. Set one up under Me.',

	presence_needed: 'This opens only in front of the lockers. Enter the 6 digits shown on the screen beside them.',
	presence_wrong: (told) => {
		const left = told.number('tries_left');
		const more = left !== undefined && left <= 10 ? ` (${left} ${left === 1 ? 'try' : 'tries'} left)` : '';
		return `The code is wrong or has expired. Enter the new one on the screen.${more}`;
	},
	presence_used: (told) =>
		told.wait ? `This code was used. Use the new one in ${told.wait}.` : 'This code was used. Use the next one.',
	kiosk_unknown: 'This screen is not paired. Please tell staff.',
	kiosk_not_found: gone('kiosk'),
	not_at_kiosk: 'This cannot be done at a kiosk. Use your phone or a computer.',
	mail_off: 'This needs mail, and none is sent here. Please ask staff.',
	mail_not_found: gone('mail'),
	limit_not_found: 'That limit is not in force any more. Load the list again.',
	audit_row_not_found: gone('entry'),
	student_id_taken: 'Another account has this student id. Check it; if it is right, ask staff.',
	phone_taken: 'Another account has this phone number. Check it; if it is right, ask staff.',
	email_taken: 'Another account has this e-mail address. Use another one or sign in to that account.',

	locker_not_found: 'There is no locker with this number. Please check it.',
	bank_not_found: 'There are no such lockers. Choose again from the list.',
	location_not_found: 'There is no such place. Choose again from the list.',
	term_not_found: gone('application window'),
	name_taken: 'There is one with this name. Please use another name.',
	number_taken: 'A locker has or had this number. Numbers are not used again: take another one.',
	channel_taken: 'Another locker is wired to this lock. Take that one off first.',
	still_in_use: 'Something here is still in use. End its rentals and bookings first.',
	term_granted: 'People have lockers by this window. Only its future can be changed.',
	bank_closed: (told) => {
		const at = told.instant('opens_at');
		return at
			? `The lockers are closed at this time. They open ${at}.`
			: 'The lockers are closed at this time. Ask staff when they open.';
	},
	board_not_found: gone('bus or board'),
	opening_not_found: 'There is no such opening. Look at the door under My locker.',
	mass_opening_not_found: gone('mass opening'),
	scan_not_found: 'That search was forgotten. Please search again.',
	proof_not_found: gone('board check'),
	proof_step: 'The board check is at another step. Load the page again and go on from there.',
	board_rented: (told) => {
		const locker = told.number('locker_id');
		return locker === undefined
			? 'A locker on this board is rented. Give a reason to go on, or wait for its return.'
			: `Locker ${locker} on this board is rented. Give a reason to go on, or wait for its return.`;
	},
	board_silent: 'The board does not answer. Check its power, cable and address.',
	commissioning_busy: 'Something else is under way on this bus. Try again when it has ended.',
	alarm_not_found: gone('alarm'),
	alarm_acknowledged: (told) => {
		const at = told.instant('acknowledged_at');
		return at ? `Somebody acknowledged this alarm at ${at}.` : 'Somebody else acknowledged this alarm first.';
	},
	operation_not_found: 'That request was not carried out. You can try again.',
	clock_untrusted: 'The server clock is not yet trusted, so this cannot be done. You can still open your locker. Please tell staff.',
	clock_differs: (told) => {
		const at = told.instant('server_time');
		return at
			? `The server clock says ${at}. Set it, then confirm again.`
			: 'The server clock shows another time. Set it, then confirm again.';
	},
	job_not_found: gone('job'),
	job_under_way: 'The job is running. Look at its result in a moment.',

	outside_window: (told) => {
		const window = told.inside('window');
		const [opens, closed] = [window.instant('opens_at'), window.instant('closes_at')];
		switch (window.text('state')) {
			case 'before':
				return opens ? `Applications open ${opens}.` : 'Applications are not open yet.';
			case 'after':
				return closed ? `Applications closed ${closed}. Please wait for the next window.` : 'Applications are closed.';
			case 'none':
				return 'No application window is planned. It will be shown with the lockers.';
			default:
				return 'Applications are closed.';
		}
	},
	out_of_service: (told) => {
		const other = told.number('offered_locker_id');
		return other === undefined
			? 'This locker is out of service. Please choose another one.'
			: `This locker is out of service. For the same dates you can have locker ${other}.`;
	},
	locker_taken: (told) => {
		const left = told.length('held_for_ms');
		return left
			? `Someone else took this locker first. Unless they confirm, it returns within ${left}. Choose another one.`
			: 'Someone else took this locker first. Please choose another one.';
	},
	no_free_locker: 'No locker is free. Join the waiting list and we will tell you.',
	already_holding: (told) => {
		const locker = told.number('locker_id');
		return locker === undefined
			? 'A locker is held for you. Confirm it or give it up.'
			: `Locker ${locker} is held for you. Confirm it or give it up.`;
	},
	already_renting: (told) => {
		const locker = told.number('locker_id');
		return `You can rent one locker at a time.${locker === undefined ? '' : ` Yours: ${locker}`}`;
	},
	hold_expired: 'Time ran out and the locker was released. If it is still free you can hold it again.',
	wrong_mode: (told) => {
		const mode = told.text('mode');
		if (mode === 'pool') return 'These lockers are booked by date. Choose your dates.';
		if (mode === 'choose') return 'These lockers are chosen on the map. Choose one there.';
		return 'These lockers are not lent in this way. Choose again on their page.';
	},
	dates_refused: (told) => {
		const [first, last, most] = [told.day('first_start_on'), told.day('last_start_on'), told.number('days_max')];
		const closed = told.day('closed_on');
		switch (told.text('reason')) {
			case 'too_early':
				return `A booking cannot start then. It can start from ${first ?? 'tomorrow'}.`;
			case 'too_far':
				return last ? `That is too far ahead. A booking can start until ${last}.` : 'That is too far ahead. Choose earlier dates.';
			case 'too_long':
				return most ? `A booking has at most ${told.format.days(most)}. Please shorten it.` : 'That is too long. Please shorten it.';
			case 'closed':
				return `The lockers are closed ${closed ? `on ${closed}` : 'on that day'}: a booking cannot start or end then. Choose other dates.`;
			default:
				return 'These dates cannot be booked. Please choose others.';
		}
	},
	day_full: (told) => {
		const days = told.days('full_days');
		return days ? `Some days are full: ${days}. Please change the dates.` : 'Some days are full. Please change the dates.';
	},
	already_reserved: (told) =>
		told.range
			? `You have a booking for ${told.range}. Cancel it or choose other dates.`
			: 'You have a booking on some of these days. Cancel it or choose other dates.',
	too_many_reservations: (told) => {
		const most = told.number('reservations_max');
		return most === undefined
			? 'You cannot book these lockers more often. Cancel another booking first.'
			: `The most bookings one person may have here: ${most}. Cancel another one first.`;
	},
	reservation_not_found: 'That booking is over or was cancelled. Look under My locker.',
	checked_in: (told) => {
		const locker = told.number('locker_id');
		return locker === undefined
			? 'This booking is in use. Return the locker instead of cancelling.'
			: `This booking is in use: locker ${locker}. Return it instead of cancelling.`;
	},
	not_your_locker: 'You do not rent this locker, or you returned it. Look under My locker.',
	only_held: 'This locker is only held. Confirm the rental first.',
	option_off: (told) => options[told.text('option') ?? ''] ?? 'These lockers do not offer this. Ask staff if you need it.',
	hold_extended: 'A hold can be made longer once. Confirm in the time that is left.',
	extension_early: (told) => {
		const from = told.day('from');
		return from ? `You can extend from ${from}.` : 'It is too early to extend. Try again nearer to the last day.';
	},
	extensions_used: 'All extensions are used. Please return the locker by its last day.',
	last_day_over: 'The last day of the rental is over. Take your things and return it.',
	others_wait: 'Others are waiting, so you cannot extend or hold. Join the waiting list, or return your locker by its last day.',
	locker_free: 'A locker is free, so there is no need to wait. Choose one and hold it.',
	already_waiting: 'You are on a waiting list. Leave it first to wait somewhere else.',
	not_waiting: 'You are not on the waiting list, or not any more. Look at the page of the lockers.',
	waiting_not_found: gone('place in a line'),
	occupied: (told) => {
		const other = told.number('offered_locker_id');
		return other === undefined
			? 'Somebody has not emptied this locker yet. Move to another one or tell staff.'
			: `Somebody has not emptied this locker yet. For the same dates you can have locker ${other}.`;
	},
	no_shortage: 'This locker can be used as it is, so there is nothing to replace.',
	not_returned: 'This locker was not returned. Look at its state again.',
	return_by_door_off: 'Closing the door does not return this locker. Empty it, close it and press Return.',
	penalty: (told) => {
		const until = told.day('until', 'ends_on');
		return until
			? `You cannot apply until ${until} because of a late return.`
			: 'You cannot apply now because of a late return.';
	},
	penalty_not_found: gone('penalty'),
	penalty_waived: 'This penalty was taken back before. Load the list again.',
	overdue: (told) => {
		const ended = told.day('ended_on');
		return ended
			? `You cannot open it now: restricted: overdue. The rental ended ${ended}. Please ask staff.`
			: 'You cannot open it now: restricted: overdue. Please ask staff.';
	},
	overdue_case_not_found: gone('overdue case'),
	overdue_step: 'The overdue case is at another step. Load the page again to see it.',
	not_opened: 'No opening by staff is on record since the rental ended. Open the locker first or give a reason.',
	door_open: 'The door is open. Close it and try again.',
	rental_not_found: gone('rental'),
	rental_over: 'This rental is over or was returned. There is nothing to change.',
	bulk_end_not_found: gone('bulk ending'),
	outside_dates: (told) => {
		const [start, until] = [told.day('starts_on'), told.day('check_in_until')];
		if (until !== undefined) {
			return told.isAhead('starts_on')
				? `This booking can be checked in from ${start}.`
				: `This booking had to be checked in by ${until}. Please book again.`;
		}
		if (told.isAhead('starts_on')) return `You cannot open it now: rental starts ${start}.`;
		return told.range ? `You cannot open it now: the rental is ${told.range}.` : 'You cannot open it now: the rental is not for today.';
	},
	not_wired: 'This locker has no electric lock. Ask staff for its key.',
	lock_cooling: (told) => `It was opened a moment ago and the lock must rest. You can open it again in ${told.wait ?? 'a moment'}.`,
	opening_under_way: 'This locker is being opened. Watch the door until the result is there.',
	mass_opening_under_way: 'These lockers have a mass opening that runs. Wait for it or stop it.',
	key_reused: 'The server carried out the request that you sent before. Reload the page to see the result.',
	overloaded: (told) => `Many people are connecting. Try again in ${told.wait ?? 'a moment'}.`,
	degraded: 'Claims and bookings are paused because of a server problem. You can still open your locker.',
	storage_full: "The server's disk is full, so nothing can be changed. You can still open your locker. Please tell staff.",
	internal: (told) => {
		const id = told.text('request_id');
		return `The server had a problem and could not do this. Try again; if it stays, tell staff.${id ? ` (number ${id})` : ''}`;
	}
};
