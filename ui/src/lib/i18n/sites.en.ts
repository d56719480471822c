import type { Sites } from './sites.ko';

export const sites: Sites = {};
