/**
 * A site as it is served, with boards and rules that a demonstration does not have: doors without sensors, and a
 * clock for which nobody vouches until a file is there.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { begin, ENVIRONMENT, PROGRAM, Site } from './site';

const ADMIN = { id: 'ADMIN', password: 'own-admin-password' };
const STUDENT = { id: '2024000001', password: 'own-student-password' };

/** The first board sees its doors, the second does not; each has one locker, 101 and 201. */
const BOARDS = [
	{ address: 1, seesDoors: true },
	{ address: 2, seesDoors: false }
];

const simulated = (folder: string): string => `
[[buses]]
name = "east"
link = "${folder}/east"
baud = 9600
boards = [
${BOARDS.map((it) => `{ address = ${it.address}, family = "modbus-relay", locks = 8, door_inputs = ${it.seesDoors} }`).join(',\n')}
]
`;

const config = (folder: string): string => `
data_dir = "${folder}/data"
[clock]
synchronised_file = "${folder}/synchronised"
[http]
listen = "127.0.0.1:0"
[log]
filter = "error"
[[bus]]
name = "east"
port = "${folder}/east"
baud = 9600
${BOARDS.map(
	(it) => `[[bus.board]]
address = ${it.address}
family = "modbus-relay"
locks = 8
pulse_ms = 400
doors = ${it.seesDoors}
`
).join('')}`;

const SITE = `
[[location]]
name_ko = "정보관 1층"
${BOARDS.map(
	(it) => `[[location.bank]]
name_ko = "${it.address}번 벽"
[[location.bank.locker]]
id = ${it.address}01
bus = "east"
board = ${it.address}
lock = 1
`
).join('')}
[[term]]
name_ko = "학기"
opens_at = "2020-01-01T00:00:00"
closes_at = "2090-01-01T00:00:00"
starts_on = "2020-01-01"
ends_on = "2090-12-31"
`;

export class OwnSite {
	private constructor(
		readonly site: Site,
		private readonly folder: string
	) {}

	static async start(): Promise<OwnSite> {
		const folder = await mkdtemp(join(tmpdir(), 'lockerd-e2e-'));
		const at = (name: string): string => join(folder, name);
		await writeFile(at('boards.toml'), simulated(folder));
		await writeFile(at('config.toml'), config(folder));
		await writeFile(at('site.toml'), SITE);
		const set = ['--config', at('config.toml')];
		await run(['init', ...set, '--password-stdin'], ADMIN.password);
		await run(['bank', 'import', at('site.toml'), ...set]);
		const student = ['--id', STUDENT.id, '--name', '김하나', '--password-stdin'];
		await run(['member', 'add', ...set, ...student], STUDENT.password);
		const boards = await begin(['simulate', '--config', at('boards.toml'), '--listen', '127.0.0.1:0', '--json']);
		const { sim_url } = JSON.parse(boards.line) as { sim_url: string };
		const served = await begin(['serve', ...set]);
		const url = /http:\/\/\S+/.exec(served.line)?.[0] ?? '';
		const told = { demo_url: url, sim_url, accounts: { admin: ADMIN, student: STUDENT } };
		return new OwnSite(await Site.around(told, boards.program, served.program), folder);
	}

	/** Vouches for the clock, or no more. */
	async vouch(isRight: boolean): Promise<void> {
		const file = join(this.folder, 'synchronised');
		if (isRight) await writeFile(file, '');
		else await rm(file, { force: true });
	}

	async stop(): Promise<void> {
		await this.site.stop();
		await rm(this.folder, { recursive: true, force: true });
	}
}

/** Runs a command of the program to its end. */
async function run(args: string[], input = ''): Promise<void> {
	const program = spawn(PROGRAM, args, { stdio: ['pipe', 'ignore', 'inherit'], env: ENVIRONMENT });
	program.stdin.end(`${input}\n`);
	const [code] = (await once(program, 'exit')) as [number];
	if (code !== 0) throw new Error(`lockerd ${args[0]}: ${code}`);
}
