/** Texts of the places, the map of a bank and the rush. */
export const bank = {};

export type Bank = typeof bank;
