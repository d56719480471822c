import { expect, it } from 'vitest';
import { BankCounts } from './counts.svelte';

const item = (locker_id: number, state: string) => ({ locker_id, state });

it('counts each bank by itself and goes on with what changes, once a frame', () => {
	const frames: (() => void)[] = [];
	const counts = new BankCounts((draw) => void frames.push(draw));
	counts.snapshot([
		{ bank: 1, items: [item(101, 'free'), item(102, 'held'), item(103, 'out_of_service')] },
		{ bank: 2, items: [item(201, 'free')] }
	]);
	expect(counts.value.get(1)).toEqual({ free: 1, lent: 2 });
	counts.delta([item(101, 'held')], 1);
	counts.delta([item(103, 'free')], 1);
	expect(frames).toHaveLength(1);
	frames[0]?.();
	expect(counts.value.get(1)).toEqual({ free: 1, lent: 3 });
	expect(counts.value.get(2)).toEqual({ free: 1, lent: 1 });
});

it('counts no bank of which it heard a change alone', () => {
	const frames: (() => void)[] = [];
	const counts = new BankCounts((draw) => void frames.push(draw));
	counts.delta([item(101, 'free')], 1);
	frames[0]?.();
	expect(counts.value.get(1)).toBeUndefined();
});
