import type { Lending } from './lending.ko';

export const lending: Lending = {};
