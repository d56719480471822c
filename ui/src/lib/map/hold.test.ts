import { describe, expect, it, vi } from 'vitest';
import { Refusal, Unreachable, type Problem } from '../api/problem';
import { Confirmation, HoldClock, Wish, missed, stageOf, type Counter, type Seen } from './hold.svelte';

function refusal(code: string, data: object = {}): Refusal {
	return new Refusal(409, { code, detail: '', ...data } as unknown as Problem);
}

describe('a miss', () => {
	it('names what the server knows', () => {
		expect(missed(refusal('locker_taken'), 101, 0)).toEqual({ kind: 'lost', locker: 101 });
		expect(missed(refusal('already_renting', { locker_id: 7 }), 101, 0)).toEqual({ kind: 'has', locker: 7 });
		expect(missed(refusal('already_holding', { locker_id: 7 }), 101, 0)).toEqual({ kind: 'holds', locker: 7 });
		expect(missed(refusal('others_wait'), 101, 0)).toEqual({ kind: 'line' });
	});

	it('tells whether held lockers may come back', () => {
		expect(missed(refusal('no_free_locker'), undefined, 3)).toEqual({ kind: 'none', coming: true });
		expect(missed(refusal('no_free_locker'), undefined, 0)).toEqual({ kind: 'none', coming: false });
	});

	it('leaves the rest to the text of its code', () => {
		for (const failure of [refusal('penalty'), refusal('already_renting'), new Unreachable()]) {
			expect(missed(failure, 101, 0)).toEqual({ kind: 'other', failure });
		}
	});
});

describe('a wish', () => {
	const reply = (locker_id: number) => ({ locker_id, expires_in_ms: 60_000 });
	const wait = vi.fn(async () => {});

	function counter(hold: (locker: number) => number): Counter {
		return {
			hold: async (locker) => reply(hold(locker)),
			holdAny: async () => reply(1)
		};
	}

	it('tries some of a filter, at most three, and tells the last refusal', async () => {
		const asked: number[] = [];
		const wish = new Wish(
			counter((locker) => {
				asked.push(locker);
				throw refusal('locker_taken');
			}),
			wait
		);
		await expect(wish.anyOf([5, 6, 7, 8])).rejects.toMatchObject({ code: 'locker_taken' });
		expect(asked).toEqual([5, 6, 7]);
		expect(wish.busy).toBeUndefined();
	});

	it('goes on to the next only when somebody else was first', async () => {
		const wish = new Wish(
			counter((locker) => {
				if (locker === 5) throw refusal('locker_taken');
				return locker;
			}),
			wait
		);
		await expect(wish.anyOf([5, 6])).resolves.toEqual(reply(6));
		const other = new Wish(
			counter(() => {
				throw refusal('penalty');
			}),
			wait
		);
		await expect(other.anyOf([5, 6])).rejects.toMatchObject({ code: 'penalty' });
	});

	it('comes again when an overloaded server says so, and gives up after some tries', async () => {
		let tries = 0;
		const wish = new Wish(
			counter((locker) => {
				tries += 1;
				if (tries < 3) throw refusal('overloaded', { retry_after_ms: 4000 });
				return locker;
			}),
			wait
		);
		await expect(wish.one(101)).resolves.toEqual(reply(101));
		expect(wait).toHaveBeenCalledWith(4000);
		const never = new Wish(
			counter(() => {
				throw refusal('overloaded', { retry_after_ms: 1 });
			}),
			wait
		);
		await expect(never.one(101)).rejects.toMatchObject({ code: 'overloaded' });
	});
});

describe('the stage', () => {
	const seen: Seen = {
		isKnown: true,
		held: 101,
		rented: undefined,
		was: 101,
		leftMs: 30_000,
		confirming: 'no'
	};

	it('follows the hold', () => {
		expect(stageOf(seen)).toBe('held');
		expect(stageOf({ ...seen, leftMs: 0 })).toBe('expired');
		expect(stageOf({ ...seen, held: undefined, leftMs: undefined })).toBe('expired');
		expect(stageOf({ ...seen, held: undefined, was: undefined })).toBe('nothing');
		expect(stageOf({ ...seen, held: undefined, was: undefined, isKnown: false })).toBe('asking');
	});

	it('a confirmation under way outlives the hold', () => {
		expect(stageOf({ ...seen, leftMs: 0, confirming: 'asked' })).toBe('confirming');
		expect(stageOf({ ...seen, held: undefined, confirming: 'doubt' })).toBe('doubt');
		expect(stageOf({ ...seen, held: undefined, confirming: 'unsure' })).toBe('unsure');
		expect(stageOf({ ...seen, held: undefined, confirming: 'yes' })).toBe('done');
	});

	it('a rental of that locker is done, also when another tab confirmed it; one of another is not', () => {
		expect(stageOf({ ...seen, held: undefined, rented: 101 })).toBe('done');
		expect(stageOf({ ...seen, held: undefined, was: undefined, rented: 101 })).toBe('done');
		expect(stageOf({ ...seen, held: undefined, rented: 7 })).toBe('expired');
	});
});

describe('a confirmation', () => {
	const reply = { locker_id: 101, starts_on: '2026-03-02', ends_on: '2026-06-19' };

	it('is asked for once', async () => {
		const send = vi.fn(async () => reply);
		const confirmation = new Confirmation(send);
		await Promise.all([confirmation.ask(101), confirmation.ask(101)]);
		expect(send).toHaveBeenCalledTimes(1);
		expect(confirmation.state).toBe('yes');
		expect(confirmation.reply).toEqual(reply);
	});

	it('a lost answer is doubt until it comes', async () => {
		vi.useFakeTimers();
		const states: string[] = [];
		let isLost = true;
		const confirmation = new Confirmation(async () => {
			states.push(confirmation.state);
			if (isLost) {
				isLost = false;
				throw new Unreachable();
			}
			return reply;
		});
		const asked = confirmation.ask(101);
		await vi.advanceTimersByTimeAsync(1000);
		await asked;
		expect(states).toEqual(['asked', 'doubt']);
		expect(confirmation.state).toBe('yes');
		vi.useRealTimers();
	});

	it('a silent server leaves it unsure, and it can be asked for again', async () => {
		vi.useFakeTimers();
		let isSilent = true;
		const confirmation = new Confirmation(async () => {
			if (isSilent) throw new Unreachable();
			return reply;
		});
		const asked = confirmation.ask(101);
		await vi.advanceTimersByTimeAsync(60_000);
		await asked;
		expect(confirmation.state).toBe('unsure');
		isSilent = false;
		await confirmation.ask(101, true);
		expect(confirmation.state).toBe('yes');
		vi.useRealTimers();
	});

	it('a refusal is told', async () => {
		const confirmation = new Confirmation(async () => {
			throw refusal('hold_expired');
		});
		await expect(confirmation.ask(101)).rejects.toMatchObject({ code: 'hold_expired' });
		expect(confirmation.state).toBe('no');
	});
});

describe('the clock of a hold', () => {
	it('counts on its own count, second by second, and ends', () => {
		vi.useFakeTimers({ now: 0 });
		const clock = new HoldClock(() => Date.now());
		clock.follow(2500);
		expect(clock.leftMs).toBe(2500);
		vi.advanceTimersByTime(500);
		expect(clock.leftMs).toBe(2000);
		vi.advanceTimersByTime(1000);
		expect(clock.leftMs).toBe(1000);
		vi.advanceTimersByTime(1000);
		expect(clock.leftMs).toBe(0);
		vi.useRealTimers();
	});

	it('a little later is the same hold, much later is a longer one', () => {
		let now = 0;
		const clock = new HoldClock(() => now);
		clock.follow(60_000);
		now = 10_000;
		clock.follow(60_100);
		expect(clock.wholeMs).toBe(60_000);
		clock.follow(70_000);
		expect(clock.wholeMs).toBe(60_000);
		clock.follow(undefined);
		expect(clock.leftMs).toBeUndefined();
		clock.stop();
	});
});
