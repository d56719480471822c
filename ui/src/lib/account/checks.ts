/**
 * What the server will surely refuse, found before it is sent. The server is the judge: whatever is not certain
 * passes here.
 */

/** Letters of Hangul, whole or in parts. */
const HANGUL = /[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]/;

/** Whether the keyboard was left in Korean. */
export const hasHangul = (text: string): boolean => HANGUL.test(text);

/** 3 to 20 letters and digits. */
export const isStudentId = (text: string): boolean => /^[A-Za-z0-9]{3,20}$/.test(text.trim());

/** 8 to 15 digits; blanks, hyphens, brackets and one plus in front are fine. */
export function isPhone(text: string): boolean {
	const digits = text.replace(/\D/g, '').length;
	return /^\+?[\d ().-]+$/.test(text.trim()) && digits >= 8 && digits <= 15;
}

/** The outline of an address; whether there is one is proven by mail. */
export function isEmail(text: string): boolean {
	const trimmed = text.trim();
	return trimmed.length <= 254 && /^[^\s@,]{1,64}@[^\s@,.]+(\.[^\s@,.]+)+$/.test(trimmed);
}

/** 1 to 60 characters. */
export function isName(text: string): boolean {
	const length = [...text.trim()].length;
	return length >= 1 && length <= 60;
}

/** The digits of a code, however they were typed or pasted: `1234 5678`. */
export const digitsOf = (text: string): string => text.normalize('NFKC').replace(/\D/g, '');

/** The fewest characters of a password. */
export function passwordLeast(role: string | undefined, hasSecondFactor: boolean): number {
	if (hasSecondFactor) return 8;
	return role === 'staff' || role === 'admin' ? 15 : 10;
}

/** The most characters of a password. */
export const PASSWORD_MOST = 256;

/** How many characters the server counts. */
export const lengthOf = (password: string): number => [...password.normalize('NFC')].length;

/** The addresses that a site takes, out of the sentence in which it refuses another one. */
export const domainsIn = (detail: string | undefined): string[] => detail?.match(/@[\w.-]+[\w]/g) ?? [];
