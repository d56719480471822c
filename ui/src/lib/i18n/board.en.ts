import type { Board } from './board.ko';

export const board: Board = {};
