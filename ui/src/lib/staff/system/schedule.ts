/** When a job runs, as the server words it (`every 15 min`, `daily at 02:30`), taken apart. */
export type Schedule = { every: number; unit: 's' | 'min' | 'h' } | { daily: string };

export function schedule(text: string): Schedule | undefined {
	const every = /^every (\d+) (s|min|h)$/.exec(text);
	if (every) {
		const [count, unit] = [Number(every[1]), every[2] as 's' | 'min' | 'h'];
		return unit === 'min' && count % 60 === 0 ? { every: count / 60, unit: 'h' } : { every: count, unit };
	}
	const daily = /^daily at (\d{2}:\d{2})$/.exec(text);
	return daily?.[1] === undefined ? undefined : { daily: daily[1] };
}
