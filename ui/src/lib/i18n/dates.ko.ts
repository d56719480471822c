/** Texts of reservations by days. */
export const dates = {};

export type Dates = typeof dates;
