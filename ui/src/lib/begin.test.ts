import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Problem } from './api/problem';

const session = { resume: vi.fn<() => Promise<void>>(), isIn: false, mayResume: true };
const invalidateAll = vi.fn(() => Promise.resolve());
vi.mock('$app/navigation', () => ({ invalidateAll }));
vi.mock('./session.svelte', () => ({ session }));
vi.mock('./site.svelte', () => ({ site: { load: () => Promise.resolve() } }));
vi.mock('./live', () => ({ liveWhileLoggedIn: () => {} }));
vi.mock('./appearance.svelte', () => ({ appearance: { show: () => {} } }));
vi.mock('./i18n/texts.svelte', () => ({ texts: { language: 'ko' } }));
vi.stubGlobal('document', { documentElement: {} });

/** Of the same class as the module under test knows. */
async function busy(): Promise<Error> {
	const { Refusal } = await import('./api/problem');
	return new Refusal(503, { code: 'overloaded', detail: '', retry_after_ms: 4000 } as unknown as Problem);
}

beforeEach(() => {
	vi.resetModules();
	vi.useFakeTimers();
	vi.spyOn(Math, 'random').mockReturnValue(0);
	session.resume.mockReset();
	invalidateAll.mockClear();
	Object.assign(session, { isIn: false, mayResume: true });
});
afterEach(() => {
	vi.useRealTimers();
	vi.restoreAllMocks();
});

describe('the log-in of an earlier visit', () => {
	it('is asked for again when the server was too busy, and pages look again', async () => {
		session.resume.mockRejectedValueOnce(await busy()).mockImplementationOnce(async () => {
			Object.assign(session, { isIn: true, mayResume: false });
		});
		const { begin } = await import('./begin');
		await begin(false);
		await vi.advanceTimersByTimeAsync(3900);
		expect(session.resume).toHaveBeenCalledTimes(1);
		await vi.advanceTimersByTimeAsync(200);
		expect(session.resume).toHaveBeenCalledTimes(2);
		expect(invalidateAll).toHaveBeenCalledTimes(1);
	});

	it('is let be once somebody has logged in by hand', async () => {
		session.resume.mockRejectedValue(await busy());
		const { begin } = await import('./begin');
		await begin(false);
		Object.assign(session, { isIn: true, mayResume: false });
		await vi.advanceTimersByTimeAsync(60_000);
		expect(session.resume).toHaveBeenCalledTimes(1);
		expect(invalidateAll).not.toHaveBeenCalled();
	});

	it('is none of a kiosk’s', async () => {
		const { begin } = await import('./begin');
		await begin(true);
		expect(session.resume).not.toHaveBeenCalled();
	});
});
