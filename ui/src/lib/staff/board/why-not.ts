/** What stands in the way of every change of staff stands in the way here. */
export { whyNot } from '../why-not';
