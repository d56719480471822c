import { beforeEach, describe, expect, it } from 'vitest';
import { IDLE_MS, Idle, type Kept } from './idle';

const MINUTE = 60_000;
let now = 0;
let store: Map<string, string>;
let kept: Kept;

beforeEach(() => {
	now = 1_000_000;
	store = new Map();
	kept = {
		getItem: (name) => store.get(name) ?? null,
		setItem: (name, value) => void store.set(name, value),
		removeItem: (name) => void store.delete(name)
	};
});

const tab = (): Idle => new Idle(() => now, kept);

describe('a page that nobody touches', () => {
	it('is covered after a quarter of an hour, and not before', () => {
		const idle = tab();
		idle.arrive(false);
		now += IDLE_MS - 1;
		expect(idle.look()).toBe(false);
		expect(idle.leftMs).toBe(1);
		now += 1;
		expect(idle.look()).toBe(true);
	});
	it('is not uncovered by a touch, only by the password', () => {
		const idle = tab();
		idle.arrive(false);
		now += IDLE_MS;
		idle.touch();
		expect(idle.look()).toBe(true);
		idle.unlock();
		expect(idle.look()).toBe(false);
	});
	it('stays covered over a reload', () => {
		tab().arrive(false);
		now += 20 * MINUTE;
		expect(tab().arrive(false)).toBe(true);
	});
	it('is open for whoever has just come from another page by hand', () => {
		tab().arrive(false);
		now += 20 * MINUTE;
		expect(tab().arrive(true)).toBe(false);
	});
	it('is not opened by going away and coming back', () => {
		const idle = tab();
		idle.arrive(false);
		now += IDLE_MS;
		expect(idle.look()).toBe(true);
		expect(idle.arrive(true)).toBe(true);
	});
});

describe('several tabs', () => {
	it('stay open as long as one of them is used', () => {
		const [one, other] = [tab(), tab()];
		one.arrive(false);
		other.arrive(false);
		for (let at = 0; at < 20; at += 1) {
			now += MINUTE;
			one.touch();
		}
		expect(other.look()).toBe(false);
	});
});

describe('what is kept', () => {
	it('is gone with the log-in', () => {
		const idle = tab();
		idle.arrive(false);
		now += IDLE_MS;
		idle.look();
		idle.forget();
		expect(tab().arrive(false)).toBe(false);
	});
	it('does not count when it lies in the future', () => {
		store.set('lockerd.touched', String(now + 60 * MINUTE));
		const idle = tab();
		idle.arrive(false);
		now += IDLE_MS;
		expect(idle.look()).toBe(true);
	});
	it('may be nothing at all', () => {
		const idle = new Idle(() => now, undefined);
		idle.arrive(false);
		now += IDLE_MS;
		expect(idle.look()).toBe(true);
	});
});
