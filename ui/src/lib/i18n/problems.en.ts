import type { Problems } from './problems.ko';

export const problems: Problems = {};
