export const lending = {};

export type Lending = typeof lending;
