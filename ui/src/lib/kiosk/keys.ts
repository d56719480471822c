/** What a key of a keyboard or a number pad means: every screen works without a touch. */

export type Meaning =
	| { kind: 'type'; key: string }
	| { kind: 'erase' }
	/** Presses what is in focus, else the main thing of the screen. */
	| { kind: 'enter' }
	/** To the next thing that can be pressed, or to the one before. */
	| { kind: 'move'; by: 1 | -1 };

export function meaningOf(key: string): Meaning | undefined {
	switch (key) {
		case 'Enter':
			return { kind: 'enter' };
		case 'Backspace':
			return { kind: 'erase' };
		case '+':
			return { kind: 'move', by: 1 };
		case '-':
			return { kind: 'move', by: -1 };
		default:
			return /^[0-9A-Za-z]$/.test(key) ? { kind: 'type', key } : undefined;
	}
}

/** Where the focus goes from one of so many things; from none of them (-1) to the first or the last. */
export function moved(from: number, by: 1 | -1, count: number): number {
	if (from < 0) return by === 1 ? 0 : count - 1;
	return (from + by + count) % count;
}
