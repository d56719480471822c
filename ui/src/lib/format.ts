/**
 * Times, dates and lengths as people read them, in the site's time zone. Dates of rentals are days
 * without a time (`2026-03-02`) and are never counted as 24 hours.
 */
import type { Language } from './i18n/language';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

type Parts = Record<'year' | 'month' | 'day' | 'weekday' | 'hour' | 'minute' | 'second', string>;

const formats = new Map<string, Intl.DateTimeFormat>();

function parts(at: number, language: Language, zone: string): Parts {
	const key = `${language} ${zone}`;
	let format = formats.get(key);
	if (!format) {
		format = new Intl.DateTimeFormat(language === 'ko' ? 'ko-KR' : 'en-GB', {
			timeZone: zone,
			year: 'numeric',
			month: language === 'ko' ? 'numeric' : 'short',
			day: 'numeric',
			weekday: 'short',
			hour: '2-digit',
			minute: '2-digit',
			second: '2-digit',
			hourCycle: 'h23'
		});
		formats.set(key, format);
	}
	const found = format.formatToParts(at).map((part) => [part.type, part.value]);
	return Object.fromEntries(found) as Parts;
}

/** A day like `2026-03-02` as the instant that a format for UTC shows as that day. */
const noon = (day: string): number => Date.parse(`${day}T12:00:00Z`);

function dayOf(found: Parts, language: Language, withYear: boolean): string {
	const { year, month, day, weekday } = found;
	if (language === 'ko') {
		return `${withYear ? `${year}년 ` : ''}${month.replace('월', '')}월 ${day.replace('일', '')}일(${weekday})`;
	}
	return `${weekday} ${day} ${month}${withYear ? ` ${year}` : ''}`;
}

/** Writes for one language and one site. `now` is the server's clock, in ms. */
export class Format {
	constructor(
		readonly language: Language,
		readonly zone: string,
		private readonly now: () => number
	) {}

	/** The site's day of an instant, like `2026-03-02`. */
	dayAt(at: number): string {
		const found = parts(at, 'en', this.zone);
		const month = new Date(`${found.month} 1 2000 UTC`).getUTCMonth() + 1;
		return `${found.year}-${String(month).padStart(2, '0')}-${found.day.padStart(2, '0')}`;
	}

	/** Today at the site, like `2026-03-02`. */
	today(): string {
		return this.dayAt(this.now());
	}

	/** `3월 2일(월)`, `Mon 2 Mar`; with the year if it is another one. */
	day(day: string): string {
		const withYear = day.slice(0, 4) !== this.today().slice(0, 4);
		return dayOf(parts(noon(day), this.language, 'UTC'), this.language, withYear);
	}

	/** `3월 2일(월)–6월 19일(금)`. */
	range(from: string, to: string): string {
		if (from === to) return this.day(from);
		return this.language === 'ko' ? `${this.day(from)}–${this.day(to)}` : `${this.day(from)} – ${this.day(to)}`;
	}

	/** `6월 19일(금)까지`, `until Fri 19 Jun`: the last day included. */
	until(day: string): string {
		return this.language === 'ko' ? `${this.day(day)}까지` : `until ${this.day(day)}`;
	}

	/** `14:05`. */
	time(at: string | number): string {
		const found = parts(new Date(at).getTime(), this.language, this.zone);
		return `${found.hour}:${found.minute}`;
	}

	/** `14:05:09`. */
	seconds(at: string | number): string {
		const found = parts(new Date(at).getTime(), this.language, this.zone);
		return `${found.hour}:${found.minute}:${found.second}`;
	}

	/** `3월 2일(월) 09:00`, `Mon 2 Mar, 09:00`. */
	instant(at: string | number): string {
		const when = new Date(at).getTime();
		const day = this.dayAt(when);
		return this.language === 'ko' ? `${this.day(day)} ${this.time(when)}` : `${this.day(day)}, ${this.time(when)}`;
	}

	/** `2026-03-02 09:00:05`, for tables. */
	stamp(at: string | number): string {
		const when = new Date(at).getTime();
		return `${this.dayAt(when)} ${this.seconds(when)}`;
	}

	/** `방금`, `32초 전`, `5분 전`, `2시간 전`, `어제 14:05`, then the date. */
	ago(at: string | number): string {
		const when = new Date(at).getTime();
		const age = Math.max(0, this.now() - when);
		const ko = this.language === 'ko';
		if (age < 10_000) return ko ? '방금' : 'just now';
		if (age < MINUTE) return ko ? `${Math.floor(age / 1000)}초 전` : `${Math.floor(age / 1000)} s ago`;
		if (age < HOUR) return ko ? `${Math.floor(age / MINUTE)}분 전` : `${Math.floor(age / MINUTE)} min ago`;
		const today = this.today();
		if (this.dayAt(when) === today) return ko ? `${Math.floor(age / HOUR)}시간 전` : `${Math.floor(age / HOUR)} h ago`;
		if (addDays(this.dayAt(when), 1) === today) return `${ko ? '어제' : 'yesterday'} ${this.time(when)}`;
		return this.instant(when);
	}

	/** A time that runs: `1시간 12분 05초`, `1 h 12 min 05 s`; below an hour `12:05`; days from two on. */
	countdown(ms: number): string {
		const all = Math.max(0, Math.ceil(ms / 1000));
		const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
		const two = (value: number): string => String(value).padStart(2, '0');
		if (all < 3600) return `${minutes}:${two(seconds)}`;
		if (all >= 48 * 3600) return this.days(Math.floor(all / 86_400));
		return this.language === 'ko'
			? `${hours}시간 ${two(minutes)}분 ${two(seconds)}초`
			: `${hours} h ${two(minutes)} min ${two(seconds)} s`;
	}

	/** A length: `40초`, `5분`, `4분 30초`, `2시간`. */
	length(ms: number): string {
		const all = Math.max(0, Math.ceil(ms / 1000));
		const [hours, minutes, seconds] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60];
		const units = this.language === 'ko' ? ['시간', '분', '초'] : [' h', ' min', ' s'];
		const shown = [hours, minutes, hours ? 0 : seconds];
		const words = shown.map((value, at) => (value ? `${value}${units[at]}` : '')).filter(Boolean);
		return words.join(' ') || `0${units[2]}`;
	}

	/** `3일`, `3 days`. */
	days(count: number): string {
		if (this.language === 'ko') return `${count}일`;
		return `${count} ${count === 1 ? 'day' : 'days'}`;
	}

	/** `1,204`. */
	count(value: number): string {
		return value.toLocaleString(this.language === 'ko' ? 'ko-KR' : 'en-GB');
	}

	/**
	 * `010-1234-5678`, `02-123-4567`, `1588-1234`; `010-****-5678` where the server covers the middle; whatever is
	 * written otherwise as it is.
	 */
	phone(digits: string): string {
		const groups = /^(02|1\d{3}|\d{3})(\d{3,4}|\*{4})?(\d{4})$/.exec(digits);
		const isWhole = groups !== null && (groups[2] !== undefined || digits.length === 8);
		return isWhole ? groups.slice(1).filter(Boolean).join('-') : digits;
	}
}

/** The day that is so many days after another; both like `2026-03-02`. */
export function addDays(day: string, count: number): string {
	return new Date(noon(day) + count * DAY).toISOString().slice(0, 10);
}

/** How many days one day is after another; 0 for the same. */
export function daysBetween(from: string, to: string): number {
	return Math.round((noon(to) - noon(from)) / DAY);
}

/** Whether somebody typed a day that there is: `2026-02-30` is none. */
export function isDay(text: string): boolean {
	return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(noon(text)) && addDays(text, 0) === text;
}
