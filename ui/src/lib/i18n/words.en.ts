/** What every page says: one file, so that a first visit waits for one. */
export { common } from './common.en';
export { problems } from './problems.en';
