import type { Bank } from './bank.ko';

export const bank: Bank = {};
