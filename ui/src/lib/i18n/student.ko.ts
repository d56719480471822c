/** Texts of the front page, one's own locker, opening and returning it. */
export const student = {};

export type Student = typeof student;
