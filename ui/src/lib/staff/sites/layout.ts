/** The layout of a bank as a table of fields, and as it would be drawn. */
import type { Schemas } from '../../api/client';
import { overlap, placeDraft, placeOf, type Box, type Locker, type PlaceDraft } from './lockers';

export type Fixture = Schemas['FixtureReply'];

export interface Line {
	locker: number;
	place: PlaceDraft;
	level: string | null;
	accessible: boolean;
}

export const linesOf = (lockers: Locker[]): Line[] =>
	lockers.map(({ locker_id, place, level, accessible }) => ({ locker: locker_id, place: placeDraft(place), level: level ?? null, accessible }));

/** Something drawn: a locker by its number, or a fixture. */
export interface Drawn extends Box {
	key: string;
	locker?: number;
	fixture?: Fixture;
}

export interface Drawing {
	cols: number;
	rows: number;
	boxes: Drawn[];
	/** Nobody said where any locker stands. */
	isComputed: boolean;
}

const boxOf = ({ locker, place }: Line): Drawn | undefined => {
	const at = placeOf(place);
	return at ? { key: `l${locker}`, locker, col: at.col, row: at.row, w: at.width, h: at.height } : undefined;
};
const fixed = (fixture: Fixture, index: number): Drawn => ({ ...fixture, key: `f${index}`, fixture });

/** Lockers without a place below the others, as the server draws them: in the order of their numbers. */
export function drawing(lines: Line[], fixtures: Fixture[]): Drawing {
	const placed = lines.map(boxOf).filter((box) => box !== undefined);
	const boxes: Drawn[] = [...fixtures.map(fixed), ...placed];
	const cols = Math.max(0, ...boxes.map(({ col, w }) => col + w - 1));
	const below = Math.max(0, ...boxes.map(({ row, h }) => row + h - 1));
	const others = lines.filter((line) => boxOf(line) === undefined);
	const wide = cols || Math.min(Math.max(others.length, 1), 10);
	others.forEach(({ locker }, index) => {
		boxes.push({ key: `l${locker}`, locker, col: (index % wide) + 1, row: below + Math.floor(index / wide) + 1, w: 1, h: 1 });
	});
	const rows = Math.max(1, ...boxes.map(({ row, h }) => row + h - 1));
	return { cols: Math.max(cols, wide), rows, boxes, isComputed: placed.length === 0 };
}

/** The lockers whose fields are no place. */
export const wrongLines = (lines: Line[]): number[] => lines.filter(({ place }) => placeOf(place) === undefined).map(({ locker }) => locker);

/** The first two things that take the same cell. */
export function overlapping(lines: Line[], fixtures: Fixture[]): [Drawn, Drawn] | undefined {
	return overlap([...fixtures.map(fixed), ...lines.map(boxOf).filter((box) => box !== undefined)]);
}

/** All lockers in rows, by number, from the top left. */
export const arranged = (lines: Line[], perRow: number): Line[] =>
	lines.map((line, index) => ({
		...line,
		place: { col: String((index % perRow) + 1), row: String(Math.floor(index / perRow) + 1), width: '1', height: '1' }
	}));

/** As it is sent: lockers without a place are left out, and have none afterwards. */
export function mapBody(lines: Line[], fixtures: Fixture[], front: string | null | undefined): Schemas['MapBody'] {
	const cells = lines.flatMap(({ locker, place, level, accessible }) => {
		const at = placeOf(place);
		return at ? [{ locker, col: at.col, row: at.row, w: at.width, h: at.height, level, accessible }] : [];
	});
	return { front: front ?? null, cells, fixtures: fixtures.map(({ label, ...box }) => ({ ...box, label: label ?? null })) };
}
