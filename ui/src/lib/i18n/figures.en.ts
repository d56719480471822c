import type { Figures } from './figures.ko';

export const figures: Figures = {};
