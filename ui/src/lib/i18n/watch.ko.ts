export const watch = {};

export type Watch = typeof watch;
