/** Application windows as the front page shows them: one card for all banks that open and close together. */
import type { PlacedBank } from '../site.svelte';

export type WindowState = 'open' | 'before' | 'after' | 'none' | 'clock_untrusted';

export interface WindowCard {
	/** Tells it from the others, as long as it is the same window. */
	key: string;
	state: WindowState;
	opensAt: string | undefined;
	closesAt: string | undefined;
	startsOn: string | undefined;
	endsOn: string | undefined;
	banks: PlacedBank[];
}

const ORDER: WindowState[] = ['open', 'clock_untrusted', 'before', 'after', 'none'];

/** What a window is now: it opens and closes by the server's clock, without an answer of the server. */
export function stateAt(window: PlacedBank['bank']['window'], now: number): WindowState {
	const state = ORDER.find((known) => known === window.state) ?? 'none';
	if (state !== 'before' && state !== 'open') return state;
	const [opens, closes] = [window.opens_at, window.closes_at].map((at) => (at ? Date.parse(at) : undefined));
	if (closes !== undefined && now >= closes) return 'after';
	if (state === 'before' && opens !== undefined && now >= opens) return 'open';
	return state;
}

/** The windows that are open or will be; where there is none at all, one card that says so. */
export function windowCards(banks: readonly PlacedBank[], now: number): WindowCard[] {
	const cards = new Map<string, WindowCard>();
	for (const placed of banks) {
		// In pool mode days are reserved: there is no window.
		if (placed.bank.mode !== 'choose') continue;
		const { window } = placed.bank;
		const state = stateAt(window, now);
		const isNamed = state === 'open' || state === 'before';
		const key = isNamed ? [state, window.opens_at, window.closes_at, window.starts_on, window.ends_on].join() : state;
		const card = cards.get(key);
		if (card) card.banks.push(placed);
		else {
			cards.set(key, {
				key,
				state,
				opensAt: window.opens_at ?? undefined,
				closesAt: window.closes_at ?? undefined,
				startsOn: window.starts_on ?? undefined,
				endsOn: window.ends_on ?? undefined,
				banks: [placed]
			});
		}
	}
	const all = [...cards.values()].sort(
		(one, other) =>
			ORDER.indexOf(one.state) - ORDER.indexOf(other.state) ||
			(one.opensAt ?? '').localeCompare(other.opensAt ?? '')
	);
	const worth = all.filter(({ state }) => state === 'open' || state === 'before' || state === 'clock_untrusted');
	return worth.length > 0 ? worth : all.slice(0, 1);
}

/** When the next window opens or closes, by the server's clock; nothing when none is to come. */
export function nextTurn(banks: readonly PlacedBank[], now: number): number | undefined {
	const times = banks.flatMap(({ bank }) =>
		[bank.window.opens_at, bank.window.closes_at].map((at) => (at ? Date.parse(at) : NaN))
	);
	const coming = times.filter((time) => time > now);
	return coming.length > 0 ? Math.min(...coming) : undefined;
}
