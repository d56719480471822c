/**
 * A roster on its way in: the file is read in the browser, its columns are matched, the server says what it would do,
 * and only the last step writes. Sending a roster twice changes nothing more, so a lost answer may be asked for again.
 */
import { api, ask, type Schemas } from '../../api/client';
import { Refusal, Unreachable } from '../../api/problem';
import { UnreadableFile, readCsv, type CsvFile, type Encoding, type Unreadable } from './csv';
import { guessColumns, isReadAs, missing, shared, withHeads, type Columns, type LineNote } from './roster';

/** What the server says of a roster; the lists are of objects in its document. */
export interface Report extends Omit<Schemas['ImportReply'], 'changes' | 'errors' | 'notes'> {
	changes: { line: number; student_id: string; fields: { field: string; before: string | null; after: string | null }[] }[];
	errors: LineNote[];
	notes: LineNote[];
}

export interface Sending {
	dry_run: boolean;
	leavers: 'keep' | 'mark';
	confirm_leavers?: number;
}

export type Step = 'file' | 'columns' | 'preview' | 'done';
export const STEPS: readonly Step[] = ['file', 'columns', 'preview', 'done'];

/** What of a file can be picked, so that tests need no browser. */
export type Picked = Pick<File, 'name' | 'size' | 'arrayBuffer'>;

/** Sends bytes as they are; the document calls them a text. */
export async function sendRoster(body: Uint8Array, query: Sending): Promise<Report> {
	const sent = api.POST('/api/v1/members/import', {
		params: { query },
		headers: { 'Content-Type': 'text/csv' },
		body: body as unknown as string,
		bodySerializer: (bytes) => bytes as unknown as BodyInit
	});
	return (await ask(sent)) as unknown as Report;
}

export class RosterImport {
	step = $state<Step>('file');
	name = $state('');
	file = $state.raw<CsvFile | undefined>();
	columns = $state.raw<Columns>({});
	unreadable = $state<Unreadable | 'file' | undefined>();
	/** What the server would do. */
	preview = $state.raw<Report | undefined>();
	/** What it did. */
	result = $state.raw<Report | undefined>();
	failure = $state.raw<Refusal | Unreachable | undefined>();
	busy = $state<'reading' | 'checking' | 'taking' | undefined>();
	/** Whether students who are not in the file are marked. */
	isMarking = $state(false);
	/** People changed between preview and import, so that other ones would leave. */
	isOther = $state(false);

	#bytes: Uint8Array = new Uint8Array();

	constructor(private readonly send: typeof sendRoster = sendRoster) {}

	readonly missing = $derived(missing(this.columns));
	readonly shared = $derived(shared(this.columns));
	/** How the file is written. */
	readonly encoding = $derived<Encoding | undefined>(this.file?.encoding);
	/** How many would leave; nothing when the number need not be repeated. */
	readonly confirmLeavers = $derived(this.isMarking ? (this.preview?.confirm_leavers ?? undefined) : undefined);
	/** How many people the import makes, changes or lets in again; somebody may be the last two at once. */
	readonly taken = $derived.by(() => {
		const report = this.preview;
		return report ? report.rows - report.refused - report.unchanged : 0;
	});
	/** How many it marks. */
	readonly marked = $derived(this.isMarking ? (this.preview?.leavers ?? 0) : 0);

	async choose(picked: Picked): Promise<void> {
		if (this.busy) return;
		this.busy = 'reading';
		this.unreadable = undefined;
		this.failure = undefined;
		try {
			const bytes = new Uint8Array(await picked.arrayBuffer());
			// A large file takes a moment: what is being done is painted before it.
			await new Promise((resolve) => setTimeout(resolve));
			const file = readCsv(bytes);
			this.#bytes = bytes;
			this.file = file;
			this.name = picked.name;
			this.columns = guessColumns(file.head.cells);
			this.step = 'columns';
		} catch (error) {
			this.unreadable = error instanceof UnreadableFile ? error.why : 'file';
		} finally {
			this.busy = undefined;
		}
	}

	/** Says which column a field is; -1 for none. */
	match(field: keyof Columns, column: number): void {
		const { [field]: _, ...others } = this.columns;
		this.columns = column < 0 ? others : { ...others, [field]: column };
	}

	/** Has the server say what it would do. */
	async check(): Promise<void> {
		await this.#do('checking', async () => {
			// Whoever is not in the file is shown whether they will be marked or not.
			this.preview = await this.send(this.#body(), { dry_run: true, leavers: 'mark' });
			this.isMarking = false;
			this.isOther = false;
			this.step = 'preview';
		});
	}

	/** Has the server do it. */
	async take(): Promise<void> {
		await this.#do('taking', async () => {
			try {
				const confirm = this.confirmLeavers;
				this.result = await this.send(this.#body(), {
					dry_run: false,
					leavers: this.isMarking ? 'mark' : 'keep',
					...(confirm === undefined ? {} : { confirm_leavers: confirm })
				});
				this.step = 'done';
			} catch (error) {
				if (!(error instanceof Refusal && error.code === 'roster_shrinks')) throw error;
				// Other people would leave than were shown: nothing was written, show anew.
				this.preview = await this.send(this.#body(), { dry_run: true, leavers: 'mark' });
				this.isOther = true;
			}
		});
	}

	/** One step back; what was read and matched stays. */
	back(to: 'file' | 'columns'): void {
		if (this.busy) return;
		this.failure = undefined;
		this.step = to;
	}

	#body(): Uint8Array {
		const { file } = this;
		if (!file || isReadAs(file.head.cells, this.columns)) return this.#bytes;
		return new TextEncoder().encode(withHeads(file, this.columns));
	}

	async #do(what: 'checking' | 'taking', work: () => Promise<void>): Promise<void> {
		if (this.busy) return;
		this.busy = what;
		this.failure = undefined;
		try {
			await work();
		} catch (error) {
			if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
			this.failure = error;
		} finally {
			this.busy = undefined;
		}
	}
}
