/** The simulated doors as the panel shows them: by place, each with the number that stands on it. */
import type { Name, State, Wired } from './server';

/** One door. */
export interface Door {
	/** Tells it from all others. */
	key: string;
	/** The number on it; none of a lock that no locker hangs on. */
	locker: number;
	bus: string;
	/** The board's name in the simulator. */
	board: string;
	lock: number;
	isOpen: boolean;
	isLocked: boolean;
	isJammed: boolean;
	isBurnt: boolean;
	/** The adapter of its bus is pulled: the server cannot reach it. */
	isCut: boolean;
}

/** The doors of one place. */
export interface Group {
	place: Name;
	doors: Door[];
}

/** Joins what the simulator knows with what the site knows; locks without a locker are left out. */
export function doorsOf(state: State, wired: readonly Wired[]): Group[] {
	const groups = new Map<string, Group>();
	for (const { locker, place, bus, board, lock } of wired) {
		const line = state.buses.find(({ name }) => name === bus);
		const at = line?.boards.find((one) => one.board === board);
		const found = at?.locks.find((one) => one.lock === lock);
		if (!line || !at || !found) continue;
		const group = groups.get(place.ko) ?? { place, doors: [] };
		groups.set(place.ko, group);
		group.doors.push({
			key: `${bus}/${at.name}/${lock}`,
			locker,
			bus,
			board: at.name,
			lock,
			isOpen: found.door === 'open',
			isLocked: found.latch === 'locked',
			isJammed: found.jammed,
			isBurnt: found.burnt,
			isCut: line.unplugged
		});
	}
	return [...groups.values()];
}

/** Only the doors whose number begins with what was typed; places without any are left out. */
export function filtered(groups: readonly Group[], typed: string): Group[] {
	const digits = typed.replace(/\D/g, '');
	return groups
		.map((group) => ({ ...group, doors: group.doors.filter(({ locker }) => String(locker).startsWith(digits)) }))
		.filter(({ doors }) => doors.length > 0);
}
