/** What the demo page knows and does: looks at the simulator every second while somebody sees the page. */
import { write } from '../src/lib/i18n/language';
import { doorsOf, type Group } from './panel';
import * as server from './server';
import { Failed, type DoorAction, type Person, type Site, type State, type Wired } from './server';

const LOOK_MS = 1000;

export class Play {
	site = $state.raw<Site | undefined>();
	/** What the last thing that went wrong said; empty when nobody answered. */
	failure = $state<string | undefined>();
	/** What is being done, by its name. */
	busy = $state<string | undefined>();
	/** The site's time, in ms, and when it was heard on `performance.now()`. */
	time = $state.raw<{ at: number; heard: number } | undefined>();
	#state = $state.raw<State | undefined>();
	#wired = $state.raw<Wired[] | undefined>();
	#isWiring = false;

	readonly buses = $derived(this.#state?.buses ?? []);
	readonly groups = $derived<Group[] | undefined>(
		this.#state && this.#wired ? doorsOf(this.#state, this.#wired) : undefined
	);

	person(role: Person['role']): Person | undefined {
		return this.site?.people.find((one) => one.role === role);
	}

	has(face: string): boolean {
		return this.site?.faces.includes(face) ?? false;
	}

	/** Looks as long as the page is there: use it as the body of an `$effect`. */
	follow(): () => void {
		void this.look();
		const timer = setInterval(() => {
			if (document.visibilityState === 'visible') void this.look();
		}, LOOK_MS);
		return () => clearInterval(timer);
	}

	/** Looks at everything; a page that found nobody at first fills itself when the server is there. */
	async look(): Promise<void> {
		try {
			this.site ??= await server.site();
			const [state, { server_time }] = await Promise.all([server.state(), server.clock()]);
			this.#state = state;
			this.time = { at: Date.parse(server_time), heard: performance.now() };
			// Only what the looking itself said is over; a refused deed stays until the next one.
			if (this.failure === '') this.failure = undefined;
			await this.#wire();
		} catch (error) {
			if (!(error instanceof Failed)) throw error;
			this.failure ??= error.message;
		}
	}

	async #wire(): Promise<void> {
		const admin = this.person('admin') ?? this.person('staff');
		if (this.#wired || this.#isWiring || !admin) return;
		this.#isWiring = true;
		try {
			this.#wired = await server.wiring(admin);
		} finally {
			this.#isWiring = false;
		}
	}

	door(bus: string, board: string, lock: number, action: DoorAction): Promise<void> {
		return this.#do(`${bus}/${board}/${lock}/${action}`, () => server.door(bus, board, lock, action));
	}

	plug(bus: string, isIn: boolean): Promise<void> {
		return this.#do(bus, () => server.plug(bus, isIn));
	}

	turn(seconds: number): Promise<void> {
		return this.#do('clock', () => server.turn(seconds));
	}

	/** Logs this browser in and goes to the app, which takes the log-in up. */
	enter(person: Person, to: string): Promise<void> {
		return this.#do(person.role, async () => {
			const { member_id } = await server.logIn(person);
			write('lockerd.in', '1');
			// Pages of the app that are open show somebody else's things now.
			if (typeof BroadcastChannel !== 'undefined') {
				new BroadcastChannel('lockerd').postMessage({ kind: 'log_in', member: member_id });
			}
			location.assign(to);
		});
	}

	/** Makes this browser a kiosk and goes there. */
	kiosk(): Promise<void> {
		return this.#do('kiosk', async () => {
			await server.beKiosk();
			location.assign('/kiosk');
		});
	}

	async #do(name: string, deed: () => Promise<unknown>): Promise<void> {
		if (this.busy === name) return;
		this.busy = name;
		this.failure = undefined;
		try {
			await deed();
			await this.look();
		} catch (error) {
			if (!(error instanceof Failed)) throw error;
			this.failure = error.message;
		} finally {
			if (this.busy === name) this.busy = undefined;
		}
	}
}
