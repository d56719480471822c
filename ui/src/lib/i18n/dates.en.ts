import type { Dates } from './dates.ko';

export const dates: Dates = {};
