/** Texts of log-in, sign-up, forgotten passwords and one's own account. */
export const account = {};

export type Account = typeof account;
