//! Reservations that nobody came for: given up, so that others may have the days that are left.
//!
//! Goes by the calendar, so the job waits while the time is not believed. What it does is asked of the
//! state: a day that was missed is made up for by one run.

use super::{described, end};
use crate::domain::id::{MemberId, RentalId};
use crate::domain::pool::Reservation;
use crate::domain::rental::EndReason;
use crate::service::Services;
use crate::service::error::Error;
use crate::store::{Lane, Snapshot, Tx, outbox};

/// Most reservations ended in one job: the writer is not kept from others for long.
const SLICE: usize = 32;

impl Services {
    /// Ends reservations whose days of check-in are over, and those of people who are gone from the
    /// roster and may not come any more; tells them. Says how many.
    pub async fn release_no_shows(&self) -> Result<usize, Error> {
        if self.store.degraded().is_some() {
            return Ok(0);
        }
        let (snapshot, today) = (self.store.snapshot(), self.clock.today());
        let due: Vec<RentalId> = snapshot
            .site
            .banks
            .values()
            .flat_map(|bank| snapshot.reservations_until(bank.id, today))
            .filter(|it| over(&snapshot, it, today) == Some(EndReason::NoShow))
            .chain(of_leavers(&snapshot))
            .map(|it| it.id)
            .collect();
        for slice in due.chunks(SLICE) {
            let (own, slice) = (self.own()?, slice.to_vec());
            self.store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    let today = own.clock.today();
                    slice.iter().try_for_each(|id| give_up(tx, *id, today))
                })
                .await?;
        }
        Ok(due.len())
    }
}

/// Reservations of people who are gone from the roster.
fn of_leavers(snapshot: &Snapshot) -> impl Iterator<Item = &Reservation> {
    let leavers: Vec<MemberId> = snapshot.site.leavers.iter().copied().collect();
    leavers.into_iter().flat_map(|member| snapshot.reservations_of(member))
}

/// Why a reservation is over on `today`, if it is.
fn over(snapshot: &Snapshot, it: &Reservation, today: jiff::civil::Date) -> Option<EndReason> {
    if snapshot.site.leavers.contains(&it.member_id) {
        return Some(EndReason::Cancelled);
    }
    let bank = snapshot.site.banks.get(&it.bank_id)?;
    it.is_no_show(&bank.policy.pool, today).then_some(EndReason::NoShow)
}

fn give_up(tx: &mut Tx<'_>, id: RentalId, today: jiff::civil::Date) -> Result<(), Error> {
    let snapshot = tx.snapshot();
    let Some(it) = snapshot.reservation(id).copied() else { return Ok(()) };
    let Some(reason) = over(snapshot, &it, today) else { return Ok(()) };
    let Some(bank) = snapshot.site.banks.get(&it.bank_id) else { return Ok(()) };
    let payload = described(snapshot, bank, it.dates).to_string();
    let (kind, action) = match reason {
        EndReason::NoShow => ("no_show", "reservation.no_show"),
        _ => ("reservation_cancelled", "reservation.cancel"),
    };
    end(tx, &it, reason, None, action)?;
    Ok(outbox::insert(tx.conn, kind, it.member_id, &payload, tx.now_ms())?)
}
