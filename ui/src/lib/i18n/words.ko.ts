/** What every page says: one file, so that a first visit waits for one. */
export { common } from './common.ko';
export { problems } from './problems.ko';
