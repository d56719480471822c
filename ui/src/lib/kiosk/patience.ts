/** A kiosk does not wait for long: whoever stands before it must know whether the server is there. */
import { Unreachable } from '../api/problem';

const PATIENCE_MS = 8000;

/** @throws Unreachable when nothing came in time. */
export async function soon<T>(asked: Promise<T>, patienceMs = PATIENCE_MS): Promise<T> {
	let timer: ReturnType<typeof setTimeout> | undefined;
	const late = new Promise<never>((_, reject) => {
		timer = setTimeout(() => reject(new Unreachable()), patienceMs);
	});
	try {
		return await Promise.race([asked, late]);
	} finally {
		clearTimeout(timer);
	}
}
