/** What the demo page asks of its server: who there is, the simulated doors, the clock. */

/** Somebody to log in as. */
export interface Person {
	role: 'student' | 'staff' | 'admin';
	id: string;
	password: string;
	name: string;
}

/** What this demo has. */
export interface Site {
	people: Person[];
	/** Which faces the app has by now: student, staff, kiosk. */
	faces: string[];
}

/** A lock of the simulator, as far as it is shown. */
export interface Lock {
	lock: number;
	door: 'open' | 'closed';
	latch: 'locked' | 'released';
	jammed: boolean;
	burnt: boolean;
	forced: number;
}

/** The simulator at one moment. */
export interface State {
	buses: {
		name: string;
		unplugged: boolean;
		connected: boolean;
		boards: { board: number; name: string; locks: Lock[] }[];
	}[];
}

export type DoorAction = 'open' | 'close' | 'jam' | 'unjam';

/** A bilingual name, as the API gives it. */
export interface Name {
	ko: string;
	en: string;
}

/** A locker and where it is wired. */
export interface Wired {
	locker: number;
	place: Name;
	bus: string;
	board: number;
	lock: number;
}

/** The server did not do what it was asked for. */
export class Failed extends Error {}

async function send<T>(method: string, path: string, body?: unknown, headers: HeadersInit = {}): Promise<T> {
	let response: Response;
	try {
		response = await fetch(path, {
			method,
			headers: { ...headers, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
			...(body === undefined ? {} : { body: JSON.stringify(body) })
		});
	} catch (cause) {
		throw new Failed('', { cause });
	}
	const text = await response.text();
	if (!response.ok) throw new Failed(reason(text));
	return (text ? JSON.parse(text) : undefined) as T;
}

/** The words of a refusal, of the simulator or of the site. */
function reason(text: string): string {
	try {
		const { error, detail } = JSON.parse(text) as { error?: string; detail?: string };
		return error ?? detail ?? '';
	} catch {
		return '';
	}
}

export const site = (): Promise<Site> => send('GET', '/demo/api/site');
export const state = (): Promise<State> => send('GET', '/demo/api/state');
export const clock = (): Promise<{ server_time: string }> => send('GET', '/demo/api/clock');

export const turn = (seconds: number): Promise<{ server_time: string }> =>
	send('POST', '/demo/api/clock', { advance_s: seconds });

export const door = (bus: string, board: string, lock: number, action: DoorAction): Promise<void> =>
	send('POST', `/demo/api/doors/${encodeURIComponent(bus)}/${encodeURIComponent(board)}/${lock}`, { action });

export const plug = (bus: string, isIn: boolean): Promise<void> =>
	send('POST', `/demo/api/buses/${encodeURIComponent(bus)}/${isIn ? 'replug' : 'unplug'}`);

/** Logs this browser in; the refresh token comes as a cookie that the app takes up. */
export const logIn = ({ id, password }: Person): Promise<{ member_id: number }> =>
	send('POST', '/api/v1/auth/login', { id, password }, { 'X-Lockerd': '1' });

/** Makes this browser the demo's kiosk: its credential comes as a cookie that no script can read. */
export async function beKiosk(): Promise<void> {
	const { pairing_code: code } = await send<{ pairing_code: string }>('POST', '/demo/api/kiosk');
	await send('POST', '/api/v1/kiosk/pair', { code }, { 'X-Lockerd': '1' });
}

interface BankLockers {
	lockers: { locker_id: number; wire?: { bus: string; board: number; lock: number } | null }[];
	next_cursor?: string | null;
}

/**
 * Which locker hangs on which lock: only staff may know, so it is asked for in a log-in of its own, which
 * leaves this browser's alone (no cookie) and is ended at once.
 */
export async function wiring(staff: Person): Promise<Wired[]> {
	const { id, password } = staff;
	const { access_token } = await send<{ access_token: string }>('POST', '/api/v1/auth/login', { id, password });
	const headers = { Authorization: `Bearer ${access_token}` };
	try {
		const { locations } = await send<{ locations: { name: Name; banks: { bank_id: number }[] }[] }>(
			'GET',
			'/api/v1/lockers/summary',
			undefined,
			headers
		);
		const found: Wired[] = [];
		for (const { name, banks } of locations) {
			for (const { bank_id } of banks) found.push(...(await wiringOf(bank_id, name, headers)));
		}
		return found;
	} finally {
		await send('POST', '/api/v1/auth/logout', undefined, headers).catch(() => {});
	}
}

async function wiringOf(bank: number, place: Name, headers: HeadersInit): Promise<Wired[]> {
	const found: Wired[] = [];
	let cursor = '';
	do {
		const query = `limit=100${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
		const page = await send<BankLockers>('GET', `/api/v1/banks/${bank}/lockers?${query}`, undefined, headers);
		for (const { locker_id, wire } of page.lockers) {
			if (wire) found.push({ locker: locker_id, place, ...wire });
		}
		cursor = page.next_cursor ?? '';
	} while (cursor);
	return found;
}
