import type { System } from './system.ko';

export const system: System = {};
