/** Sentences of the kiosk that depend on more than one thing. */
import { Refusal, type Unreachable } from '../api/problem';
import { texts } from '../i18n/texts.svelte';
import { failureText } from '../problems';
import { site } from '../site.svelte';
import { itself, type Bank } from './itself.svelte';

/** From so many tries left on they are counted: a number that nobody comes near only frightens. */
const FEW = 10;
const HOUR_MS = 3_600_000;

/** Why somebody was not signed in. It never tells which of id and code was wrong. */
export function signInText(failure: Refusal | Unreachable, leftMs: number): string {
	const words = texts.kiosk.code;
	if (!(failure instanceof Refusal)) return words.unsent;
	switch (failure.code) {
		case 'bad_credentials': {
			const left = failure.number('tries_left');
			return words.wrong(left !== undefined && left <= FEW ? texts.format.count(left) : undefined);
		}
		case 'too_many_attempts':
			if ((failure.retryAfterMs ?? 0) >= HOUR_MS) return words.lockedLong;
			return leftMs > 0 ? words.locked(texts.format.length(leftMs)) : '';
		case 'clock_untrusted':
			return words.untrusted;
		default:
			return failureText(failure);
	}
}

/** Why a locker was not opened. */
export function openText(refusal: Refusal): string {
	const words = texts.student.open;
	const startsOn = refusal.text('starts_on');
	switch (refusal.code) {
		case 'not_at_kiosk':
			return texts.kiosk.my.elsewhere;
		case 'outside_dates':
			return startsOn && startsOn > texts.format.today()
				? words.notNow(words.startsOn(texts.format.day(startsOn)))
				: failureText(refusal);
		case 'not_your_locker':
		case 'locker_not_found':
			return words.notNow(words.returned);
		case 'overdue':
			return words.notNow(words.restricted);
		case 'lock_cooling':
			return words.resting;
		case 'opening_under_way':
			return words.notNow(words.busy);
		default:
			return failureText(refusal);
	}
}

/** That there is no server, and whom to call. */
export function lostText(): string {
	const phone = site.value?.phone;
	return phone ? texts.kiosk.home.lost(texts.format.phone(phone)) : texts.kiosk.home.lostNoPhone;
}

/** Where a bank stands; with its own name when several stand there. */
export function whereText(bank: Bank): string {
	const place = texts.name(bank.location);
	const isAlone = (itself.known?.banks ?? []).filter((other) => other.location.ko === bank.location.ko).length < 2;
	return isAlone ? place : `${place} ${texts.name(bank.name)}`;
}
