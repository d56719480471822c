/**
 * Where somebody at the kiosk stands: one state in one page, so that the browser's way back has nothing to show.
 * What was typed lives only as long as its screen needs it.
 */

export type Screen = 'home' | 'id' | 'code' | 'my' | 'opening' | 'return' | 'done' | 'help';
/** What somebody came for. */
export type Purpose = 'open' | 'return' | 'reservations';
/** How it ended: the door was seen closed, the locker was given back, or somebody just left. */
export type Ending = 'closed' | 'returned' | 'left';

export interface Flow {
	readonly screen: Screen;
	readonly purpose: Purpose;
	readonly id: string;
	readonly code: string;
	readonly isIn: boolean;
	readonly locker: number | undefined;
	readonly ending: Ending;
	/** Where the way back from the help leads. */
	readonly from: Screen;
}

export type Deed =
	| { kind: 'choose'; purpose: Purpose }
	| { kind: 'type'; key: string }
	| { kind: 'erase' | 'clear' | 'next' | 'back' | 'refused' | 'signedIn' | 'help' | 'end' }
	| { kind: 'open' | 'giveBack'; locker: number }
	| { kind: 'done'; ending: Ending };

export const HOME: Flow = {
	screen: 'home',
	purpose: 'open',
	id: '',
	code: '',
	isIn: false,
	locker: undefined,
	ending: 'left',
	from: 'home'
};

/** As the server takes them: student ids, codes of an app (6 digits), codes from staff (8 digits). */
const ID_MIN = 3;
const ID_MAX = 20;
const CODE_LENGTHS = [6, 8];
const CODE_MAX = 8;

/** Whether what was typed can be sent on. */
export function isWhole(flow: Flow): boolean {
	if (flow.screen === 'id') return flow.id.length >= ID_MIN;
	return flow.screen === 'code' && CODE_LENGTHS.includes(flow.code.length);
}

/** Where it stands after a deed. What makes no sense where it stands changes nothing. */
export function after(flow: Flow, deed: Deed): Flow {
	const { screen, isIn } = flow;
	switch (deed.kind) {
		case 'end':
			return HOME;
		case 'choose':
			return screen === 'home' ? { ...HOME, screen: 'id', purpose: deed.purpose } : flow;
		case 'type':
			return typed(flow, deed.key);
		case 'erase':
			return edited(flow, (text) => text.slice(0, -1));
		case 'clear':
			return edited(flow, () => '');
		case 'next':
			return screen === 'id' && isWhole(flow) ? { ...flow, screen: 'code', code: '' } : flow;
		case 'refused':
			return screen === 'code' ? { ...flow, code: '' } : flow;
		case 'signedIn':
			// Whoever it is, the server knows now; here nobody needs id and code any more.
			return screen === 'code' ? { ...flow, screen: 'my', id: '', code: '', isIn: true } : flow;
		case 'open':
			return isIn && (screen === 'my' || screen === 'return')
				? { ...flow, screen: 'opening', locker: deed.locker }
				: flow;
		case 'giveBack':
			return isIn && (screen === 'my' || screen === 'opening')
				? { ...flow, screen: 'return', locker: deed.locker }
				: flow;
		case 'done':
			return isIn ? { ...flow, screen: 'done', ending: deed.ending } : flow;
		case 'help':
			return screen === 'done' || screen === 'help' ? flow : { ...flow, screen: 'help', from: screen };
		case 'back':
			return back(flow);
	}
}

function back(flow: Flow): Flow {
	switch (flow.screen) {
		case 'id':
			return HOME;
		case 'code':
			return { ...flow, screen: 'id', code: '' };
		case 'opening':
		case 'return':
			return { ...flow, screen: 'my', locker: undefined };
		case 'help':
			// An opening that was left is not begun again by coming back: its screen asks for one when it appears.
			return { ...flow, screen: flow.from === 'opening' ? 'my' : flow.from, from: 'home' };
		default:
			return flow;
	}
}

function typed(flow: Flow, key: string): Flow {
	if (flow.screen === 'id' && /^[0-9A-Za-z]$/.test(key)) {
		return flow.id.length < ID_MAX ? { ...flow, id: flow.id + key.toUpperCase() } : flow;
	}
	if (flow.screen === 'code' && /^\d$/.test(key)) {
		return flow.code.length < CODE_MAX ? { ...flow, code: flow.code + key } : flow;
	}
	return flow;
}

function edited(flow: Flow, edit: (text: string) => string): Flow {
	if (flow.screen === 'id') return { ...flow, id: edit(flow.id) };
	if (flow.screen === 'code') return { ...flow, code: edit(flow.code) };
	return flow;
}
