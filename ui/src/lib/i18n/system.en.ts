import type { System } from './system.ko';
export const system: System = { copy: { copy: 'Copy', copied: 'Copied.', select: 'The lines are selected. Copy them by hand.' }, adminOnly: 'Only admins can do this.' };
