import { describe, expect, it } from 'vitest';
import { Refusal, Unreachable, type Problem } from '../../api/problem';
import { RosterImport, type Report, type Sending } from './import.svelte';

const report = (more: Partial<Report> = {}): Report => ({
	dry_run: true, encoding: 'utf-8', rows: 2, new: 1, changed: 1, unchanged: 0, returning: 0, leavers: 3, refused: 0,
	confirm_leavers: null, changes: [], leaving: [], errors: [], notes: [], ...more
});
const picked = (text: string) => ({
	name: 'roster.csv', size: text.length, arrayBuffer: () => Promise.resolve(new TextEncoder().encode(text).buffer)
});

/** An import whose server answers one after the other. */
function begin(...answers: (Report | Error)[]): { it: RosterImport; sent: { text: string; query: Sending }[] } {
	const sent: { text: string; query: Sending }[] = [];
	const it = new RosterImport((body, query) => {
		sent.push({ text: new TextDecoder().decode(body), query });
		const answer = answers.shift();
		return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer ?? report());
	});
	return { it, sent };
}

const FILE = '학번,이름\n2024000001,가\n';

describe('a roster on its way in', () => {
	it('writes nothing before the last step', async () => {
		const { it, sent } = begin();
		await it.choose(picked(FILE));
		expect([it.step, sent.length]).toEqual(['columns', 0]);
		await it.check();
		expect([it.step, it.taken]).toEqual(['preview', 2]);
		expect(sent.every(({ query }) => query.dry_run)).toBe(true);
		await it.take();
		expect(it.step).toBe('done');
		expect(sent[1]).toEqual({ text: FILE, query: { dry_run: false, leavers: 'keep' } });
	});

	it('names columns that the server would not know', async () => {
		const { it, sent } = begin();
		await it.choose(picked('No,누구,전화\n2024000001,가,0101\n'));
		expect(it.missing).toEqual(['student_id', 'name']);
		it.match('student_id', 0);
		it.match('name', 1);
		it.match('phone', -1);
		expect(it.missing).toEqual([]);
		await it.check();
		expect(sent[0]?.text).toBe('student_id,name,column3\n2024000001,가,0101\n');
	});

	it('says why a file cannot be read, and reads the next one', async () => {
		const { it } = begin();
		await it.choose(picked(''));
		expect([it.step, it.unreadable]).toEqual(['file', 'empty']);
		await it.choose({ ...picked(''), arrayBuffer: () => Promise.reject(new DOMException('gone')) });
		expect(it.unreadable).toBe('file');
		await it.choose(picked(FILE));
		expect([it.step, it.unreadable]).toEqual(['columns', undefined]);
	});

	it('marks who is gone only when asked to, and repeats their number where it must', async () => {
		const { it, sent } = begin(report({ confirm_leavers: 3 }));
		await it.choose(picked(FILE));
		await it.check();
		expect(it.confirmLeavers).toBeUndefined();
		it.isMarking = true;
		expect([it.confirmLeavers, it.taken, it.marked]).toEqual([3, 2, 3]);
		await it.take();
		expect(sent[1]?.query).toEqual({ dry_run: false, leavers: 'mark', confirm_leavers: 3 });
	});

	it('shows the preview anew when other people would leave by now', async () => {
		const shrinks = new Refusal(409, { code: 'roster_shrinks', detail: '' } as unknown as Problem);
		const { it } = begin(report(), shrinks, report({ leavers: 9, confirm_leavers: 9 }));
		await it.choose(picked(FILE));
		await it.check();
		it.isMarking = true;
		await it.take();
		expect([it.step, it.isOther, it.confirmLeavers]).toEqual(['preview', true, 9]);
	});

	it('stays where it was when no answer came', async () => {
		const { it } = begin(report(), new Unreachable());
		await it.choose(picked(FILE));
		await it.check();
		await it.take();
		expect([it.step, it.busy]).toEqual(['preview', undefined]);
		expect(it.failure).toBeInstanceOf(Unreachable);
		await it.take();
		expect(it.step).toBe('done');
	});
});
