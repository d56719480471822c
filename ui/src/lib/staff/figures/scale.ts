/** Scales of charts: round ticks from zero, lines that break where nothing is known, labels that do not collide. */

/** Round numbers from 0 to at least `max`, at most `count` steps: 0, 5, 10, 15. Whole ones, as counts are. */
export function ticks(max: number, count = 4): number[] {
	if (!(max > 0)) return [0, 1];
	const rough = max / count;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 5, 10].map((unit) => unit * power).find((unit) => unit >= rough) ?? power * 10;
	const whole = Math.max(1, Math.round(step));
	const steps = Math.ceil(max / whole - 1e-9);
	return Array.from({ length: steps + 1 }, (_, at) => at * whole);
}

export interface Frame {
	width: number;
	height: number;
	/** What stands around the plot. */
	left: number;
	right: number;
	top: number;
	bottom: number;
}

/** Where the nth of `count` points stands, the first at the left edge, the last at the right one. */
export function xOf(at: number, count: number, frame: Frame): number {
	const room = frame.width - frame.left - frame.right;
	return count < 2 ? frame.left + room / 2 : frame.left + (room * at) / (count - 1);
}

/** Where a value stands between 0 and `max`. */
export function yOf(value: number, max: number, frame: Frame): number {
	const room = frame.height - frame.top - frame.bottom;
	return frame.top + room * (1 - (max > 0 ? value / max : 0));
}

/** The runs of values between gaps, each with the place of its first one. */
export function runs(values: readonly (number | null)[]): { from: number; values: number[] }[] {
	const found: { from: number; values: number[] }[] = [];
	let isIn = false;
	values.forEach((value, at) => {
		if (value === null) {
			isIn = false;
			return;
		}
		const last = found.at(-1);
		if (isIn && last) last.values.push(value);
		else found.push({ from: at, values: [value] });
		isIn = true;
	});
	return found;
}

/** The lines of a chart as the `d` of a path; a run of one value is a short stroke, so that it is seen. */
export function pathOf(values: readonly (number | null)[], max: number, frame: Frame): string {
	const count = values.length;
	const point = (value: number, at: number): string =>
		`${xOf(at, count, frame).toFixed(1)} ${yOf(value, max, frame).toFixed(1)}`;
	return runs(values)
		.map(({ from, values: run }) => {
			const points = run.map((value, at) => point(value, from + at));
			return points.length === 1 ? `M${points[0]}h0.1` : `M${points.join('L')}`;
		})
		.join('');
}

/** Which of `count` labels are shown so that at most `most` are: always the first, at even distances. */
export function shownLabels(count: number, most: number): number[] {
	if (count <= 0) return [];
	const step = Math.max(1, Math.ceil(count / Math.max(1, most)));
	return Array.from({ length: Math.ceil(count / step) }, (_, at) => at * step);
}

/** A share in whole percent, with one digit below ten; nothing without a whole. */
export function percent(part: number, whole: number): number | null {
	if (!(whole > 0)) return null;
	const exact = (part / whole) * 100;
	return exact > 0 && exact < 10 ? Math.round(exact * 10) / 10 : Math.round(exact);
}

/** How strong a cell is shown, 0 to 5: by its share of the largest; the smallest count is not nothing. */
export function levelOf(value: number, max: number): number {
	if (value <= 0 || max <= 0) return 0;
	return Math.max(1, Math.ceil((value / max) * 5));
}

export const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** The place of the largest value; nothing where all are zero. */
export function peak(values: readonly number[]): number | undefined {
	const most = Math.max(0, ...values);
	return most > 0 ? values.indexOf(most) : undefined;
}
