import type { Account } from './account.ko';

export const account: Account = {};
