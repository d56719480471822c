export const board = {};

export type Board = typeof board;
