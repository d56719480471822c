/** Where staff can go: the rail's groups and their pages, in the order of the day's work. */
import type { Staff } from '../i18n/staff.ko';

export interface StaffPlace {
	href: string;
	/** Its name in `texts.staff.places`. */
	key: keyof Staff['places'];
	/** Only admins may go there. */
	admin?: boolean;
}

export interface StaffGroup {
	key: keyof Staff['groups'];
	places: StaffPlace[];
}

export const groups: StaffGroup[] = [
	{
		key: 'now',
		places: [
			{ href: '/staff', key: 'board' },
			{ href: '/staff/alarms', key: 'alarms' },
			{ href: '/staff/openings', key: 'openings' },
			{ href: '/staff/mass', key: 'mass' }
		]
	},
	{
		key: 'lending',
		places: [
			{ href: '/staff/rentals', key: 'rentals' },
			{ href: '/staff/overdue', key: 'overdue' },
			{ href: '/staff/members', key: 'members' },
			{ href: '/staff/stats', key: 'stats' }
		]
	},
	{
		key: 'site',
		places: [
			{ href: '/staff/terms', key: 'terms' },
			{ href: '/staff/places', key: 'places' },
			{ href: '/staff/kiosks', key: 'kiosks' },
			{ href: '/staff/service', key: 'service' }
		]
	},
	{
		key: 'system',
		places: [
			{ href: '/staff/system', key: 'health' },
			{ href: '/staff/system/mails', key: 'mails' },
			{ href: '/staff/system/bus', key: 'bus', admin: true },
			{ href: '/staff/system/audit', key: 'audit', admin: true }
		]
	}
];

/** The place of an address: the one with the longest matching beginning. */
export function placeOf(path: string): StaffPlace | undefined {
	const all = groups.flatMap(({ places }) => places);
	const fitting = all.filter(({ href }) => path === href || (href !== '/staff' && path.startsWith(`${href}/`)));
	const longest = fitting.sort((one, other) => other.href.length - one.href.length)[0];
	if (longest) return longest;
	// Who waits, what came back and what is short belong to the rentals.
	if (/^\/staff\/(waiting|returns|shortages)(\/|$)/.test(path)) return all.find(({ key }) => key === 'rentals');
	// Pages of one bank belong to the board.
	return path.startsWith('/staff/banks/') ? all[0] : undefined;
}
