/** Gives a locker back, once; asked again it tells how that goes and takes the renter's word. */
import { api, ask, type Schemas } from '../api/client';
import { once } from '../api/once';

/**
 * @param emptied The renter's word that it is empty.
 * @param onDoubt Told when the first answer was lost.
 */
export function release(locker: number, emptied: boolean, onDoubt?: () => void): Promise<Schemas['ReleaseReply']> {
	return once(
		`release:${locker}`,
		(key) =>
			ask(
				api.POST('/api/v1/lockers/{locker_id}/release', {
					params: { path: { locker_id: locker }, header: { 'Idempotency-Key': key } },
					body: { emptied, open: false }
				})
			),
		onDoubt
	);
}
