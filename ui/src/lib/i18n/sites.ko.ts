export const sites = {};

export type Sites = typeof sites;
