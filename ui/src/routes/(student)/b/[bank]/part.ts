/** The part of a bank's page: days and map lie apart, so that neither carries what only the other one needs. */
const days = () => import('$lib/dates/PoolBank.svelte');
const map = () => import('$lib/map/Choose.svelte');

export const partOf = (mode: string) => (mode === 'pool' ? days() : map());
