/** Texts of ports, boards and commissioning. */
import type { Wiring } from './wiring.ko';

export const wiring: Wiring = {
	title: 'Boards and wiring',
	intro: 'Choose a port to find its boards, set addresses and prove each lock in turn. Looking opens no door.',
	none: 'The configuration has no bus. Write a [[bus]] into config.toml and restart the server.',
	families: {
		'modbus-relay': 'Waveshare Modbus RTU relay',
		'xor-board': '8A/80 board (Shuoming, CM06, …)',
		'kerong-cu16': 'KERONG CU16',
		'kerong-cu48': 'KERONG CU48',
		'kerong-cu48-ir': 'KERONG CU48 (item sensors)',
		wkly: 'WKLY board'
	},
	portStates: { online: 'Connected', offline: 'Disconnected' },
	boardStates: { online: 'Answering', silent: 'No answer', unknown: 'Never answered', lost: 'Not known' },
	port: {
		name: (name) => `Bus ${name}`,
		path: 'Port',
		state: 'State',
		since: (ago) => `since ${ago}`,
		reconnects: 'Reconnected',
		times: (count) => `${count} times`,
		answering: (up, all) => `Boards answering ${up}/${all}`,
		reason: (reason) => `Reason: ${reason}`,
		go: (name) => `Commission bus ${name}`
	},
	board: {
		caption: (bus) => `Boards on bus ${bus}`,
		columns: ['Address', 'Family', 'State', 'Answered / asked', 'No answer', 'Bad answers', 'Mean · slowest'],
		none: 'No board is configured on this bus.',
		name: (address) => `Board ${address}`,
		times: (mean, slowest) => `${mean} · ${slowest} ms`,
		noTimes: 'None yet',
		figures: 'Counted since the server started.'
	},
	steps: {
		port: '1. Check the port',
		scan: '2. Find boards',
		address: '3. Set addresses',
		prove: '4. Prove each lock'
	},
	portStep: {
		online: 'The port is open.',
		offline:
			'The port is closed. Check that the USB adapter is plugged in and that the configuration names the right port. This page changes by itself when it connects.',
		closed: 'The port is closed, so this cannot be done now.',
		stable: 'Name the port by /dev/serial/by-id/…: that name stays when it is plugged in again.'
	},
	scan: {
		intro: 'Only read questions are sent. No door moves, and the bus goes on working.',
		families: 'Family',
		allFamilies: 'All families',
		bauds: 'Speeds',
		ownBaud: 'With none chosen, only the configured speed is tried.',
		baud: (baud) => `${baud} baud`,
		from: 'First address',
		to: 'Last address',
		range: 'Enter numbers from 0 to 255. The first address must not be after the last.',
		start: 'Find boards',
		stop: 'Stop',
		asked: (asked, total) => `${asked} of ${total} questions`,
		running: 'Looking for boards.',
		done: (count) => `Done. Boards found: ${count}`,
		cancelled: (count) => `Stopped. Boards found until then: ${count}`,
		failed: (why) => `The search failed. (${why})`,
		nothing: 'No board answered. Check power, the A and B wires and the speed, then search again.',
		caption: 'Boards found',
		columns: ['Address', 'Family', 'Speed', 'Alone', 'Configuration'],
		configured: 'Configured',
		unconfigured: 'Not configured',
		write:
			'Write these lines under the [[bus]] in config.toml for boards that are not configured, then restart the server. Set the number of locks to that of the board.',
		lines: 'Lines for config.toml',
		sharing: {
			alone: 'One board',
			suspected: 'Two boards seem to share it',
			unsteady: 'Answers now and then',
			unknown: 'Not asked',
			later: 'Asked at the end'
		},
		sharingNext: {
			suspected: 'Disconnect all but one and set its address.',
			unsteady: 'Check cable, termination and power.'
		},
		noisy: (address, baud) =>
			`Only broken answers came from address ${address} at ${baud} baud. Check whether two boards share it.`,
		noise: (baud) =>
			`Something that is no answer was heard at ${baud} baud: a board that speaks at another speed, or a bad line.`,
		echo: 'The adapter hears its own requests. Write echo = "present" for this bus.',
		count: 'Two boards that answer alike look like one. Count the boards yourself.'
	},
	address: {
		intro: 'Relay boards come with address 1. They take another one by command.',
		family: 'Family of the board',
		switches: (by, first, last) => {
			const kind = { dip: 'DIP switches', rotary: 'rotary switch', switch: 'address switch' }[by];
			return `The address of this board is set by its ${kind}, not by command. Switch its power off, set a number from ${first} to ${last} that no other board has, switch it on and search for boards.`;
		},
		new: 'New address',
		range: (first, last) => `Enter a number from ${first} to ${last}.`,
		alone: 'Only the board that gets the address is connected',
		aloneWhy: 'The command goes to every connected board. Disconnect the others.',
		aloneMissing: 'Connect one board only, then tick this.',
		start: 'Set the address',
		confirm: (address) => `The connected board gets address ${address}.`,
		confirmText: 'All addresses are asked first. It is written only when exactly one board answers.',
		running: (asked) => `Asking whether there are other boards (address ${asked}).`,
		done: (old, now) => `The board's address was changed from ${old} to ${now}.`,
		cycle: (now) => `The board took address ${now}. It uses it after its power was switched off and on.`,
		failed: 'The address was not changed.',
		config: 'config.toml still has the old address. Change it and restart the server.'
	},
	prove: {
		intro: 'Each lock is opened once, and you say which door opened. Somebody must stand before the lockers.',
		begin: (address) => `Prove board ${address}`,
		goOn: (address) => `Go on with board ${address}`,
		look: (address) => `See the result of board ${address}`,
		progress: (proven, all) => `${proven} of ${all} channels proven`,
		notBegun: 'Not proven yet',
		finished: 'All done',
		rentedTitle: 'A locker on this board is rented',
		rented: (number) =>
			`${number === undefined ? 'Doors of rented lockers open' : `Locker ${number} is rented, and its door opens`} too. Go on only when somebody stands there to guard what is inside.`,
		force: 'Prove it all the same',
		noBoards: 'No board is configured. Find the boards, write them into config.toml and restart the server.'
	},
	proof: {
		title: (bus, board) => `Proof of bus ${bus}, board ${board}`,
		back: (bus) => `Bus ${bus}`,
		counts: (proven, skipped, left) => `Proven ${proven} · skipped ${skipped} · left ${left}`,
		there: 'Somebody stands before the lockers',
		thereWhy: 'Doors will open. Tick this only when somebody is there. It is asked again after the page was reloaded.',
		thereMissing: 'Tick “Somebody stands before the lockers” first.',
		pulseTitle: (lock) => `Channel ${lock} is next`,
		pulseText: 'Close all doors, keep your hands off, then press.',
		pulse: (lock) => `Open channel ${lock}`,
		pulsing: (lock) => `Opening channel ${lock}. Watch the doors.`,
		numberTitle: (lock) => `Opening channel ${lock}. Which locker opened?`,
		number: 'Number of the locker that opened',
		numberWrong: 'Enter the number on the door, from 1 to 999999.',
		proposed: (number) => `Locker ${number}`,
		proposedHint: 'The number that is configured now',
		opened: 'This locker opened',
		noneOpened: 'No door opened',
		key: (digit) => `Digit ${digit}`,
		back1: 'Delete one digit',
		keypad: 'Keypad',
		closeTitle: (number) => `Close the door of locker ${number}`,
		closeText: 'Close it until it clicks, then press.',
		closed: 'The door is closed',
		repeat: 'Repeat this channel',
		skip: 'Skip',
		waitTitle: (lock) => `Channel ${lock} is being opened`,
		waitText: 'Another page is doing this.',
		refresh: 'Show where it stands',
		doneTitle: 'Every channel is proven or skipped',
		sound: 'Nothing is to be mended.',
		revisit: 'Prove the skipped channels',
		doubt: 'The answer was lost, so nobody knows whether it opened. Look at the doors, close what is open, and try again.',
		stillThere: 'What is proven is kept on the server. You can leave and come back.',
		channels: 'Channels',
		channel: (lock) => `Channel ${lock}`,
		channelStates: { open: 'Left', now: 'Now', proven: 'Proven', mend: 'To mend', skipped: 'Skipped' },
		door: (number) => `Locker ${number}`,
		wasDoor: (number) => `was ${number}`,
		sensor: (sensor) => `Input ${sensor}`,
		noSensor: 'No sensor'
	},
	verdicts: {
		sensor_moved: ({ sensor }) => ({ said: `Input ${sensor} changed.` }),
		no_sensor_moved: () => ({
			said: 'No input changed.',
			next: 'If a door opened, enter its number and check its sensor and cable. If none did, press “No door opened”.'
		}),
		no_inputs: () => ({
			said: 'This board has no inputs that can be read.',
			next: 'Look at the doors yourself and enter the number.'
		}),
		several_moved: ({ sensors = [] }) => ({
			said: `Several inputs changed at once: ${sensors.join(', ')}.`,
			next: 'Close all doors, keep hands off, and repeat. If it stays so, coils or sensors are wired together.'
		}),
		sensor_taken: ({ sensor, lock }) => ({
			said: `Input ${sensor} changed, which belongs to channel ${lock}.`,
			next: 'Close all doors and repeat. If it stays so, two sensors share one input or the other door is loose.'
		}),
		pulse_failed: ({ why = '' }) => ({ said: `It was not opened. (${why})`, next: 'Check the board and the cable, then repeat.' }),
		opened: ({ number }) => ({ said: `Locker ${number} opened.` }),
		other_door: ({ number, expected }) => ({
			said: `Locker ${number} opened. The configuration has locker ${expected} here.`,
			next: 'Applying corrects the configuration to the wiring. To keep the configuration, swap the coil cables.'
		}),
		nothing_moved: () => ({
			said: 'Neither a door nor an input moved.',
			next: 'Check the coil cable and the power, then repeat. Skip it if no lock is wired.'
		}),
		sensor_without_door: ({ sensor }) => ({
			said: `Input ${sensor} changed, but no door opened.`,
			next: 'Push the door a little and repeat: the latch may be stiff, or the sensor sits at the hook.'
		}),
		number_taken: ({ number, lock }) => ({
			said: `Locker ${number} was opened by channel ${lock}.`,
			next: 'Read the number again. If it is right, two channels are wired to one door.'
		}),
		not_closed: ({ sensor }) => ({
			said: `Input ${sensor} does not show the door closed.`,
			next: 'Close it until it clicks. If it is closed, check its sensor or repeat.'
		}),
		proven: ({ number }) => ({ said: `Locker ${number} is proven.` }),
		proven_unseen: ({ number }) => ({
			said: `Locker ${number} is proven, but no sensor saw it.`,
			next: 'Its sensor is missing or broken: nobody will see this door.'
		}),
		crossed: ({ number, sensor }) => ({
			said: `Locker ${number} is proven, but its sensor is wired to input ${sensor}.`,
			next: 'Swap the sensor cables, then prove both channels anew.'
		})
	},
	findings: {
		title: 'Findings',
		wires: 'Crossed wires',
		none: 'No crossed wires. Every proven channel is as configured.',
		swapped: (a, x, b, y) =>
			`Channels ${a} and ${b} are swapped. Channel ${a} opens locker ${x}, channel ${b} opens locker ${y}.`,
		moved: (lock, before, now) => `Channel ${lock} was configured for locker ${before} when the proof began, but opens locker ${now}.`,
		mend: 'To mend',
		trouble: (it) => {
			if (it.kind === 'crossed')
				return `The sensor of channel ${it.lock} is wired to input ${it.sensor}. Swap the cables and prove it again.`;
			if (it.kind === 'odd')
				return `The sensor of channel ${it.lock} has open and closed the other way round. Change its switch (normally open or closed).`;
			if (it.kind === 'unseen') return `Channel ${it.lock} opens, but no sensor sees its door.`;
			return `Channels not proven: ${it.locks.join(', ')}`;
		},
		polarity: (bit) => (bit === null ? 'No sensor moved, so it is not known how a closed door reads.' : `A closed door reads ${bit ? 1 : 0}.`)
	},
	apply: {
		heading: 'Apply and report',
		open: 'Apply the wiring',
		title: 'Apply the wiring that was found',
		text: (count) =>
			`The channels of ${count} ${count === 1 ? 'locker' : 'lockers'} are written as proven: all of them or none. Other lockers that used these channels lose theirs.`,
		verb: 'Apply the wiring',
		bank: 'Bank in which unknown numbers are made',
		noBank: 'Make none',
		done: (count) => `The wiring of ${count} ${count === 1 ? 'locker' : 'lockers'} was applied.`,
		doneNext:
			'Settings of the board, such as how a closed door reads, are lines in the report: copy them into config.toml and restart the server.',
		wired: 'The configuration is as the proof found it.',
		nothing: 'No channel is proven, so there is nothing to apply.',
		crossed: 'Sensors of some channels are crossed, so it cannot be applied. Swap the cables and prove them again.'
	},
	forget: {
		open: 'Forget this proof',
		title: 'This proof will be forgotten',
		text: 'Its results are gone, and the board can be proven from the beginning. What was applied stays.',
		verb: 'Forget the proof'
	},
	report: {
		title: (bus, board) => `Report on bus ${bus}, board ${board}`,
		go: 'Show the report',
		back: 'Proof',
		made: (at) => `As of ${at}`,
		columns: ['Channel', 'Locker', 'Input', 'Closed reads', 'Result'],
		caption: 'Results by channel',
		config: 'Lines for config.toml',
		configWhy: 'The server never changes its configuration file. Check these lines, copy them, and restart the server.',
		print: 'Print',
		download: 'Download the report (JSON)',
		labels: 'Download door labels (to print)'
	},
	exchanges: {
		title: 'What was said on the wire',
		what: 'The last 200 exchanges at most, as they were. Copy them for the maker or the developers.',
		of: 'Which board',
		strangers: 'Addresses that are not configured',
		load: 'Load anew',
		none: 'Nothing was exchanged.',
		caption: 'Exchanges',
		columns: ['Time', 'Sent', 'Heard', 'Took', 'Verdict'],
		noAnswer: 'No answer',
		copyLabel: 'Exchanges'
	}
};
