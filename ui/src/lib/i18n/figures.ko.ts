export const figures = {};

export type Figures = typeof figures;
