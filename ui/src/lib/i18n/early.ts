/**
 * The texts that a page will ask for, told by its address: the first page's are on their way before its code is
 * there. It is only a head start: what is missing here the page still loads for itself.
 */
const ROOMS = [
	{ at: /^\/my$/, areas: ['student', 'dates'] },
	{ at: /^\/($|my\/|p\/)/, areas: ['student'] },
	{ at: /^\/(places|b\/)/, areas: ['bank'] },
	{ at: /^\/(login|signup|password|me)(\/|$)/, areas: ['account'] },
	{ at: /^\/kiosk(\/|$)/, areas: ['kiosk'] }
] as const;

export type EarlyArea = (typeof ROOMS)[number]['areas'][number];

export const earlyAreas = (path: string): readonly EarlyArea[] => ROOMS.find(({ at }) => at.test(path))?.areas ?? [];
