import type { Wiring } from './wiring.ko';

export const wiring: Wiring = {};
