//! Reservations that nobody came for: given up, so that others may have the days that are left.
//!
//! Goes by the calendar, so the job waits while the time is not believed. What it does is asked of the
//! state: a day that was missed is made up for by one run.

use jiff::civil::Date;

use super::check_in::note_unserved;
use super::{described, end};
use crate::domain::id::{MemberId, RentalId};
use crate::domain::pool::Reservation;
use crate::domain::rental::EndReason;
use crate::service::Services;
use crate::service::error::Error;
use crate::store::{Snapshot, Tx, outbox};

/// The job's name in the table of jobs.
pub(in crate::service) const JOB: &str = "release-no-shows";

impl Services {
    /// Ends reservations whose days of check-in are over, and those of people who are gone from the
    /// roster and may not come any more; tells them. Says how many.
    pub async fn release_no_shows(&self) -> Result<usize, Error> {
        if self.store.degraded().is_some() {
            return Ok(0);
        }
        let (snapshot, today) = (self.store.snapshot(), self.clock.today());
        let before = self.job_succeeded_at(JOB);
        let looked_on = before.map(|at| at.to_zoned(self.clock.zone().clone()).date());
        let due: Vec<(RentalId, bool)> = snapshot
            .site
            .banks
            .values()
            .flat_map(|bank| snapshot.reservations_until(bank.id, today))
            .filter(|it| over(&snapshot, it, today).is_some())
            .chain(of_leavers(&snapshot))
            .map(|it| (it.id, was_away(&snapshot, it, looked_on)))
            .collect();
        self.in_slices(due, |tx, own, (id, away)| {
            give_up(tx, (id, away), own.clock.today()).map(|()| true)
        })
        .await
    }
}

/// Whether nobody could check a reservation in on its last day for it: the program was off, or the time
/// was not believed, from `looked_on` until after that day.
fn was_away(snapshot: &Snapshot, it: &Reservation, looked_on: Option<Date>) -> bool {
    let bank = snapshot.site.banks.get(&it.bank_id);
    let until = bank.map(|bank| it.check_in_until(&bank.policy.pool));
    looked_on.zip(until).is_some_and(|(looked_on, until)| looked_on < until)
}

/// Reservations of people who are gone from the roster.
fn of_leavers(snapshot: &Snapshot) -> impl Iterator<Item = &Reservation> {
    let leavers: Vec<MemberId> = snapshot.site.leavers.iter().copied().collect();
    leavers.into_iter().flat_map(|member| snapshot.reservations_of(member))
}

/// Why a reservation is over on `today`, if it is.
fn over(snapshot: &Snapshot, it: &Reservation, today: Date) -> Option<EndReason> {
    if snapshot.site.leavers.contains(&it.member_id) {
        return Some(EndReason::Cancelled);
    }
    let bank = snapshot.site.banks.get(&it.bank_id)?;
    // Whoever was not served has not stayed away.
    let reason = if it.unserved { EndReason::Cancelled } else { EndReason::NoShow };
    it.is_no_show(&bank.policy.pool, today).then_some(reason)
}

fn give_up(tx: &mut Tx<'_>, (id, away): (RentalId, bool), today: Date) -> Result<(), Error> {
    let snapshot = tx.snapshot();
    let Some(it) = snapshot.reservation(id).copied() else { return Ok(()) };
    let Some(reason) = over(snapshot, &it, today) else { return Ok(()) };
    let Some(bank) = snapshot.site.banks.get(&it.bank_id) else { return Ok(()) };
    if away && reason == EndReason::NoShow && today <= it.dates.last() {
        return note_unserved(tx, id);
    }
    let payload = described(snapshot, bank, it.dates).to_string();
    let (kind, action) = match reason {
        EndReason::NoShow => ("no_show", "reservation.no_show"),
        _ => ("reservation_cancelled", "reservation.cancel"),
    };
    end(tx, &it, reason, None, action)?;
    Ok(outbox::insert(tx.conn, kind, it.member_id, &payload, tx.now_ms())?)
}
