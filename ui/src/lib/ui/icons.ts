/** The icons of all pages: deep imports, so that only these are in the bundle. */
export { default as ArrowLeft } from '@lucide/svelte/icons/arrow-left';
export { default as Bell } from '@lucide/svelte/icons/bell';
export { default as ChevronRight } from '@lucide/svelte/icons/chevron-right';
export { default as CircleAlert } from '@lucide/svelte/icons/circle-alert';
export { default as CircleCheck } from '@lucide/svelte/icons/circle-check';
export { default as DoorOpen } from '@lucide/svelte/icons/door-open';
export { default as House } from '@lucide/svelte/icons/house';
export { default as Info } from '@lucide/svelte/icons/info';
export { default as KeyRound } from '@lucide/svelte/icons/key-round';
export { default as Minus } from '@lucide/svelte/icons/minus';
export { default as Plus } from '@lucide/svelte/icons/plus';
export { default as Square } from '@lucide/svelte/icons/square';
export { default as TriangleAlert } from '@lucide/svelte/icons/triangle-alert';
export { default as User } from '@lucide/svelte/icons/user';
export { default as LayoutGrid } from '@lucide/svelte/icons/layout-grid';
