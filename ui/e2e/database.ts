/** Another program that holds the database of a demonstration: nothing can be written as long as it does. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const HOLD = `
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
sys.stdin.read()
held.execute("ROLLBACK")
`;

/** Holds it from now on; what is given back lets it go. */
export async function hold(file: string): Promise<() => Promise<void>> {
	const program: ChildProcess = spawn('python3', ['-c', HOLD, file], { stdio: ['pipe', 'pipe', 'inherit'] });
	const ended = once(program, 'exit');
	if (!program.stdout) throw new Error('python3 says nothing');
	await Promise.race([
		once(createInterface({ input: program.stdout }), 'line'),
		ended.then(([code]) => Promise.reject(new Error(`the database was not held (${code})`)))
	]);
	return async () => {
		program.stdin?.end();
		await ended;
	};
}
