export const system = {};

export type System = typeof system;
