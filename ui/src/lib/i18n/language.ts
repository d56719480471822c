/** The languages of the pages, and how the first one is found. */

export type Language = 'ko' | 'en';

const KEY = 'lockerd.language';

/** The choice that was made here, else what the browser asks for, else Korean. */
export function firstLanguage(): Language {
	const chosen = read(KEY);
	if (chosen === 'ko' || chosen === 'en') return chosen;
	for (const wanted of navigator.languages) {
		if (wanted.startsWith('ko')) return 'ko';
		if (wanted.startsWith('en')) return 'en';
	}
	return 'ko';
}

/** Keeps a choice for the next visit. */
export function keepLanguage(language: Language): void {
	write(KEY, language);
}

/** What this browser remembers under a name; nothing where it may not remember. */
export function read(key: string): string | null {
	try {
		return localStorage.getItem(key);
	} catch {
		return null;
	}
}

/** Has the browser remember something, if it may; `null` forgets. */
export function write(key: string, value: string | null): void {
	try {
		if (value === null) localStorage.removeItem(key);
		else localStorage.setItem(key, value);
	} catch {
		// A browser that keeps nothing (private windows of old ones) only forgets.
	}
}
