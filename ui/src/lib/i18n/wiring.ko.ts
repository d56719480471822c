export const wiring = {};

export type Wiring = typeof wiring;
