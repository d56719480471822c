import type { Account } from './account.ko';

export const account: Account = {
	id: 'Student id or e-mail',
	studentId: 'Student id',
	name: 'Name',
	phone: 'Phone number',
	email: 'E-mail',
	password: 'Password',
	staffPhone: 'Call staff',
	hangulId: 'There is Hangul in it. Check the keyboard language.',
	hangulPassword: 'The password has Hangul in it. Unless you mean it, check the keyboard language.',
	capsLock: 'Caps Lock is on.',
	waitLeft: (length) => `You can try again in ${length}.`,
	waitOver: 'The wait is over. You can try again.',
	step: (step, of) => `Step ${step} of ${of}`,
	need: {
		id: 'Enter your student id or e-mail address.',
		studentId: 'Enter the student id: 3 to 20 letters and digits.',
		name: 'Enter your name: up to 60 characters.',
		phone: 'Enter the phone number: 8 to 15 digits.',
		email: 'Enter the e-mail address, like name@example.ac.kr.',
		password: 'Enter the password.',
		current: 'Enter the present password.',
		length: (least) => `Choose a password of at least ${least} characters.`,
		long: 'Choose a password of at most 256 characters.',
		mailCode: 'Enter the 8 digits of the mail.',
		appCode: 'Enter the 6 digits of your authenticator app.',
		recovery: 'Enter a recovery code.',
		consent: 'Read the privacy notice and agree to it.'
	},

	logIn: {
		title: 'Sign in',
		forgot: 'I forgot my password',
		noAccount: 'No account yet?',
		roster: 'Sign in by name and phone',
		ended: 'You were signed out: you signed in or out elsewhere, or did not use it for long. Sign in to return to the page.',
		endedWhy: 'If it was not you, change your password.',
		deleted: 'The account is deleted. All personal data is gone.',
		passwordSet: 'The password is changed and all devices are signed out. Sign in with the new password.',
		locked: (length) => `Too many wrong tries. You can sign in again in ${length}.`
	},
	roster: {
		title: 'Sign in by name and phone',
		text: 'Enter student id, name and phone as the roster of the university has them.',
		claim:
			'You can rent a locker this way, but to open its door you need the code shown beside the lockers. Your password and signed-in devices cannot be changed either.',
		unknown: 'Not found on the roster. Check id, name and phone, or ask staff.',
		withPassword: 'Sign in with a password'
	},
	second: {
		title: 'Authenticator app',
		text: 'The password is right. Enter the digits that your authenticator app shows.',
		code: '6 digits',
		recovery: 'Recovery code',
		recoveryHint: 'You got these codes when you set up the app. Each is good once.',
		useRecovery: 'I cannot use the app: enter a recovery code',
		useApp: 'Enter the digits of the app',
		wrong: 'The code does not match. Check that your phone sets its time automatically.',
		wrongRecovery: 'The recovery code is wrong or was used. Enter another one.',
		late: 'That took too long. Please sign in from the start.',
		again: 'Sign in from the start'
	},

	rules: {
		title: 'Rules for passwords',
		length: (least) => `${least} to 256 characters`,
		words: 'Several words that have nothing to do with each other are good. Blanks and Hangul are fine.',
		not: 'Student id, name, phone number and common passwords are not possible.'
	},
	notice: {
		title: 'Privacy notice',
		version: (version) => `Version: ${version}`,
		agree: 'I have read the notice and agree.'
	},
	code: {
		label: '8 digits of the mail',
		handed: '8 digits from staff',
		goodFor: (length) => `The code is good for ${length}.`,
		resend: 'Send another code',
		sent: 'Another code was sent. The former one is not good any more.'
	},

	signUp: {
		title: 'Sign up',
		who: {
			title: 'Tell us who you are',
			text: 'Enter who is going to rent the locker.',
			roster: 'Enter it as the roster of the university has it, else you cannot sign up.',
			nameHint: 'As on your student card'
		},
		mail: {
			title: 'Mail address',
			text: 'The code to finish and news of your rental go to this address.',
			language: 'Language of mails',
			domain: (domains) => `Only addresses of ${domains} can be used here.`
		},
		password: { title: 'Password and consent', send: 'Get a code' },
		code: {
			title: 'Check your mail',
			text: (email) => `Enter the code that was sent to ${email}.`,
			finish: 'Finish',
			lost: 'No answer came. The account may have been made: try to sign in, else try again.',
			missing: 'No mail?',
			spam: 'Look into the spam folder and check the address.',
			roster: 'No mail is sent if something differs from the roster of the university. Please ask staff.',
			known: 'If there is an account with that id or address, its owner gets a note instead of a code.',
			change: 'Correct what I entered',
			expired: 'The code has expired or was missed too often. Please get another one.'
		},
		closed: {
			title: 'You cannot sign up by yourself',
			text: 'Here staff make the accounts. Ask them for one.'
		},
		haveAccount: 'If you have an account, sign in.'
	},

	forgot: {
		title: 'Forgotten password',
		text: 'Enter your student id or e-mail; a code goes to the address of the account.',
		send: 'Get a code',
		noMail: 'If your account has no mail address, ask staff.',
		newTitle: 'New password',
		sent: (id) => `If there is an account ${id} with a mail address, a code was sent. If none arrives, look into the spam folder.`,
		handed: 'Enter the code that staff gave you.',
		first: 'This is your first password. Please agree to the privacy notice.',
		expired: 'The code has expired or was missed too often.',
		restart: 'Get another code',
		newPassword: 'New password',
		set: 'Change the password',
		everywhere: 'This signs you out on all devices.',
		lost: 'No answer came. The password may have changed: try to sign in with the new one, else try again.'
	},

	me: {
		title: 'Me',
		display: 'Display and language',
		sessions: 'Signed-in devices',
		totp: 'Authenticator app',
		password: 'Password',
		email: 'E-mail',
		penalty: 'Penalty',
		data: 'Download my data',
		remove: 'Delete the account',
		none: 'none',
		staff: 'Staff',
		admin: 'Admin',
		noPassword: {
			title: 'You signed in without a password. Password and e-mail can be changed only after signing in with it.',
			reset: 'If you forgot it, set a new one.',
			first: 'If you never had one, sign up with the same student id.',
			staff: 'If you never had one, ask staff.'
		},
		security: 'Sign-in and security',
		account: 'Account'
	},
	display: {
		title: 'Display and language',
		language: 'Language of the pages',
		mails: (language) => `Get mails in ${language} too`,
		languageNames: { ko: 'Korean', en: 'English' },
		mailsDone: (language) => `From now on mails are in ${language}.`,
		size: 'Text size',
		sizes: { 90: 'Small', 100: 'Normal', 112: 'A little larger', 125: 'Large', 150: 'Largest' },
		theme: 'Colours',
		themes: { system: 'As the device', light: 'Light', dark: 'Dark' },
		here: 'Text size and colours are kept on this device only.'
	},
	sessions: {
		title: 'Signed-in devices',
		this: 'This device',
		unknown: 'Unknown device',
		kiosk: (name) => `Kiosk ${name}`,
		lastUsed: (ago) => `Last used ${ago}`,
		since: (at) => `Signed in ${at}`,
		address: (address) => `Address ${address}`,
		methods: { password: 'Password', roster: 'Name and phone', issued: 'Code by staff', kiosk: 'Kiosk' },
		strong: 'with authenticator app',
		end: 'Sign out',
		endTitle: 'Sign that device out?',
		endText: (device) => `${device}: it is signed out at once. Your locker stays yours.`,
		ended: 'Signed out.',
		others: 'Sign out all other devices',
		othersTitle: 'Sign out all other devices?',
		othersText: 'All devices but this one are signed out at once. Your locker stays yours.',
		othersEnded: (count) => `Signed out: ${count} ${count === 1 ? 'device' : 'devices'}.`,
		alone: 'You are not signed in on any other device.'
	},
	totp: {
		title: 'Authenticator app',
		on: 'The authenticator app is in use.',
		since: (at) => `Set up ${at}`,
		off: 'No authenticator app is in use.',
		why: 'To sign in you enter 6 digits of an app on your phone, beside the password. Whoever learns your password cannot sign in.',
		kiosk: 'With these digits you can also open your locker at a kiosk.',
		which: 'Any app that makes codes by time (TOTP) will do, like Google Authenticator, Microsoft Authenticator or Naver.',
		demanded: 'This account has to set up an authenticator app before it can use other pages.',
		start: 'Set up an authenticator app',
		replace: 'Change to another app',
		replaceText: 'The present app stays good until the new one is confirmed.',
		codesLeft: (count) => `Recovery codes left: ${count}`,
		fewCodes: 'Few recovery codes are left. Get new ones.',
		newCodes: 'Get new recovery codes',
		newCodesTitle: 'Get new recovery codes?',
		newCodesText: 'All recovery codes that you have become worthless.',
		remove: 'Turn the app off',
		removeTitle: 'Turn the authenticator app off?',
		removeText: 'From then on the password alone signs you in. Recovery codes become worthless too.',
		removed: 'The authenticator app is off.',
		mayNotRemove: 'This account must use an authenticator app, so it cannot be turned off. You can change to another app.',
		proof: {
			title: 'Is it you?',
			text: 'Please confirm once more with your password or a code of the app.',
			byPassword: 'Please confirm once more with your password.',
			by: 'Confirm by',
			password: 'Password',
			code: 'Code of the app or recovery code',
			wrong: 'The password is wrong. Check Caps Lock and the keyboard language.',
			confirm: 'Confirm'
		},
		app: {
			title: 'Add it to the app',
			scan: 'Scan this QR code with your authenticator app.',
			alt: 'QR code for the authenticator app',
			same: 'On this very phone',
			open: 'Open the authenticator app',
			key: 'If you cannot scan it, type this key into the app.',
			keyLabel: 'Key',
			keep: 'This key is shown only now. Tell nobody.',
			next: 'It is in the app'
		},
		code: {
			title: 'Check the code',
			text: 'Enter the 6 digits that the app shows. Other devices will be signed out.',
			confirm: 'Finish',
			lost: 'No answer came. The app may be set up: look at its page, and if it is, get new recovery codes.',
			late: 'More than 15 min have passed. Please start again.',
			restart: 'Start again'
		},
		recovery: {
			title: 'Recovery codes',
			done: 'The authenticator app is set up.',
			renewed: 'There are new recovery codes.',
			text: 'If you lose your phone, sign in with one of these. Each is good once, and they are shown only now. Write them down or keep them in a safe place.',
			list: 'Recovery codes',
			download: 'Save as a file',
			saved: 'I have saved them',
			lost: 'If you lose phone and recovery codes, ask staff. With a new phone, set the app up again under Me.'
		}
	},
	copy: { copy: 'Copy', copied: 'Copied.', select: 'It cannot be copied here, so it is selected. Hold it to copy.' },
	changeEmail: {
		title: 'Change the e-mail',
		now: (email) => `Now: ${email}`,
		none: 'The account has no e-mail address.',
		new: 'New e-mail',
		send: 'Get a code',
		codeTitle: 'Check the new e-mail',
		codeText: (email) => `Enter the code that was sent to ${email}.`,
		confirm: 'Change the e-mail',
		lost: 'No answer came. The address may have changed: look at it under Me.',
		same: 'That is your address now. Enter another one.',
		done: (email) => `Your e-mail address is now ${email}. The former one was told too.`,
		expired: 'The code has expired or was missed too often. Please start again.',
		known: 'No code is sent to an address of another account.'
	},
	changePassword: {
		title: 'Change the password',
		current: 'Present password',
		new: 'New password',
		set: 'Change the password',
		others: 'This signs you out on other devices, not on this one.',
		done: 'The password is changed and other devices are signed out.',
		wrong: 'The present password is wrong. Check Caps Lock and the keyboard language.',
		same: 'Choose another password than the present one.',
		lost: 'No answer came. The password may have changed. Try again; if the present password is called wrong, the new one is in force.'
	},
	penalty: {
		title: 'Penalty',
		until: (day, left) => `You cannot apply until ${day} because of a late return (${left} left).`,
		free: 'There is no penalty. You can apply now.',
		list: 'Past ones',
		row: (locker, late) => `${locker}, returned ${late} late`,
		waived: (at) => `Taken back by staff ${at}.`,
		ask: 'If there was a reason, tell staff.'
	},
	data: {
		title: 'Download my data',
		text: 'One file (JSON) of your account, sign-ins, rentals and bookings, openings, overdue cases and mails. Passwords and keys are not in it.',
		download: 'Download the file',
		done: 'The file is made. Look at your downloads.'
	},
	remove: {
		title: 'Delete the account',
		what: 'If you delete the account',
		blanked: 'Student id, name, phone, e-mail and password are erased at once.',
		stays: 'Records of rentals and openings stay without a name.',
		waiting: 'Bookings and places on waiting lists are cancelled.',
		never: 'It cannot be undone.',
		blocked: 'It cannot be deleted now',
		renting: 'You rent or hold a locker. Empty and return it first.',
		penalty: (day) => `You can delete it after your penalty has ended on ${day}.`,
		penaltyNow: 'You can delete it after your penalty has ended.',
		toMy: 'Show my locker',
		fresh: 'To delete it you must have signed in within the last 10 min. Sign in again, then delete it.',
		go: 'Delete the account',
		askTitle: 'Delete the account?',
		askText: 'All personal data is erased at once and all devices are signed out. It cannot be undone.',
		confirm: 'Delete',
		lost: 'No answer came. The account may be deleted. Please try again.'
	}
};
