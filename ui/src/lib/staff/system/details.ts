/** What an audit row says besides who, what and whom: taken apart into keys and values that people can read. */

export interface Detail {
	/** The keys that lead there, like `['policy', 'hold_seconds']`; numbers count from 1. */
	path: string[];
	value: string | number | boolean | null;
}

/** Every value of a detail with the way to it, in the order in which it was written. */
export function details(value: unknown, path: string[] = []): Detail[] {
	if (Array.isArray(value)) {
		const isPlain = value.every((it) => it === null || typeof it !== 'object');
		if (isPlain) return [{ path, value: value.length === 0 ? null : value.map(String).join(', ') }];
		return value.flatMap((it, at) => details(it, [...path, String(at + 1)]));
	}
	if (typeof value === 'object' && value !== null) {
		return Object.entries(value).flatMap(([key, it]) => details(it, [...path, key]));
	}
	if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return [{ path, value }];
	return [{ path, value: null }];
}

/** Whether a value is an instant as the server writes them. */
export function isInstant(value: Detail['value']): value is string {
	return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$/.test(value);
}

/** A signed head of the log: 210 hex digits; what was pasted with spaces or line breaks is taken as well. */
export function headOf(typed: string): string | undefined {
	const text = typed.replace(/\s+/g, '').toLowerCase();
	return /^[0-9a-f]{210}$/.test(text) ? text : undefined;
}
