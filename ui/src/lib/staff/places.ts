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

/** Pages that stand in no group, and the place that they belong to. */
const BELONGING: [string, StaffPlace['key']][] = [
	['/staff/banks', 'board'],
	['/staff/penalties', 'members'],
	['/staff/policies', 'places'],
	['/staff/claim', 'places'],
	['/staff/waiting', 'rentals'],
	['/staff/returns', 'rentals'],
	['/staff/shortages', 'rentals']
];

const isUnder = (path: string, href: string): boolean => path === href || path.startsWith(`${href}/`);

/** The place of an address: the one with the longest matching beginning. */
export function placeOf(path: string): StaffPlace | undefined {
	const all = groups.flatMap(({ places }) => places);
	const fitting = all.filter(({ href }) => (href === '/staff' ? path === href : isUnder(path, href)));
	const longest = fitting.sort((one, other) => other.href.length - one.href.length)[0];
	if (longest) return longest;
	const belongs = BELONGING.find(([href]) => isUnder(path, href));
	return all.find(({ key }) => key === belongs?.[1]);
}
