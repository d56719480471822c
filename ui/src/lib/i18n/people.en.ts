import type { People } from './people.ko';

export const people: People = {};
