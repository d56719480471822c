import type { Watch } from './watch.ko';

export const watch: Watch = {};
