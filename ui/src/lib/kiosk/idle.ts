/** When somebody left without saying so: first a warning that a touch takes away, then the end. */
import type { Screen } from './flow';

/** A touch is awaited for so long; longer while a door is open and hands are full. */
export const CALM_MS = 25_000;
export const OPENING_CALM_MS = 90_000;
/** The warning stands for so long (WCAG 2.2.1: at least 20 s). */
export const WARNING_MS = 20_000;
/** The thanks stand for so long. */
export const DONE_MS = 5000;
/** Language and size that somebody chose at the front and left. */
export const HOME_MS = CALM_MS + WARNING_MS;

export type Idleness = { kind: 'calm' } | { kind: 'warning'; leftMs: number } | { kind: 'over' };

/**
 * How it stands so long after the last touch.
 * @param isOpenDoor Whether an opening is under way, or its door was not seen closed yet.
 */
export function idleness(screen: Screen, isOpenDoor: boolean, quietMs: number): Idleness {
	if (screen === 'home') return { kind: quietMs >= HOME_MS ? 'over' : 'calm' };
	if (screen === 'done') return { kind: quietMs >= DONE_MS ? 'over' : 'calm' };
	const calm = screen === 'opening' && isOpenDoor ? OPENING_CALM_MS : CALM_MS;
	if (quietMs < calm) return { kind: 'calm' };
	const leftMs = calm + WARNING_MS - quietMs;
	return leftMs > 0 ? { kind: 'warning', leftMs } : { kind: 'over' };
}
