//! The job that notices who is late: from the first minute after the last day in the site's zone, also
//! when the machine was off at that minute.
//!
//! It asks the database what is due, by indexes of what is live or open, and does it in slices; what
//! one run does not manage waits for the next. It also seals what its bank wants sealed by now, and
//! ends cases whose rental has ended, goes on, or was given another last day.

use jiff::ToSpan;
use serde_json::json;

use super::{lateness, let_be, settle, tell, write_down};
use crate::domain::id::{OverdueCaseId, RentalId};
use crate::domain::overdue_case::{CaseState, CaseStep, PastEnd, continued_by, past_end};
use crate::domain::rental::{EndReason, Rental};
use crate::service::Services;
use crate::service::error::Error;
use crate::service::rentals::{audit, refuse};
use crate::store::overdue::{self, CaseRow, NewCase};
use crate::store::{Change, Tx, outbox, rentals};

/// Most cases of one kind of step in one run.
const RUN_MAX: usize = 20_000;

impl Services {
    /// Opens a case for every rental that was not returned in time, seals and ends those that are due
    /// for it; says how many changed.
    pub async fn detect_overdue(&self) -> Result<usize, Error> {
        if self.store.degraded().is_some() {
            return Ok(0);
        }
        let today = self.clock.today();
        let ended = self.store.read(|conn| overdue::list_to_settle(conn, RUN_MAX)).await?;
        let mut count = self.in_slices(ended, settle_found).await?;
        let due = self.store.read(move |conn| overdue::list_due(conn, today, RUN_MAX)).await?;
        count += self.in_slices(due, detect).await?;
        let snapshot = self.store.snapshot();
        for bank in snapshot.site.banks.values() {
            let Some(days) = bank.policy.overdue.seal_after_days else { continue };
            let (bank, before) = (bank.id, today.saturating_sub(i32::from(days).days()));
            let due = move |conn: &_| overdue::list_to_seal(conn, bank, before, RUN_MAX);
            let due = self.store.read(due).await?;
            count += self.in_slices(due, seal).await?;
        }
        Ok(count)
    }
}

fn settle_found(tx: &mut Tx<'_>, own: &Services, id: OverdueCaseId) -> Result<bool, Error> {
    let unemptied = |case: &CaseRow| case.state.after(CaseStep::Return).is_some();
    let Some(case) = overdue::find(tx.conn, id)?.filter(unemptied) else { return Ok(false) };
    if let Some(rental) = tx.snapshot().rental(case.rental_id).copied()
        && let Some(next) = continued_by(&rental, tx.snapshot().of_locker(rental.locker_id))
    {
        go_on(tx, &rental, next)?;
        return let_be(tx, case, "the same member rents the locker on");
    }
    settle(tx, own, case)
}

fn detect(tx: &mut Tx<'_>, own: &Services, id: RentalId) -> Result<bool, Error> {
    let Some(rental) = tx.snapshot().rental(id).copied() else { return Ok(false) };
    let of_locker = tx.snapshot().of_locker(rental.locker_id);
    match past_end(&rental, of_locker, own.clock.today(), tx.monotonic) {
        None => Ok(false),
        Some(PastEnd::Late) => open_case(tx, own, &rental),
        Some(PastEnd::Continued(next)) => go_on(tx, &rental, next),
        Some(PastEnd::NeverHad) => lapse(tx, &rental),
    }
}

fn open_case(tx: &mut Tx<'_>, own: &Services, rental: &Rental) -> Result<bool, Error> {
    // Of a locker that is gone nothing is to be emptied.
    let Some((_, bank)) = tx.snapshot().site.locker(rental.locker_id) else { return Ok(false) };
    let ended_on = rental.dates.last();
    let new = NewCase {
        rental_id: rental.id,
        bank_id: bank.id,
        locker_id: rental.locker_id,
        member_id: rental.member_id,
        ended_on,
    };
    let late = lateness(bank, rental, own.clock.today());
    let told = json!({
        "late_days": late.late_days,
        "may_open": late.may_open,
        "seal_on": late.seal_on.map(|day| day.to_string()),
        "penalty": bank.policy.overdue.penalty_factor > 0,
    });
    let Some(id) = overdue::insert(tx.conn, &new, tx.now_ms())? else { return Ok(false) };
    let case = CaseRow {
        id,
        rental_id: new.rental_id,
        bank_id: new.bank_id,
        locker_id: new.locker_id,
        member_id: new.member_id,
        ended_on,
        state: CaseState::Detected,
        detected_ms: tx.now_ms(),
        sealed_ms: None,
        unsealed_ms: None,
        collected_ms: None,
        storage: None,
        handed_back_ms: None,
        handed_to: None,
        closed_ms: None,
        late_days: None,
    };
    write_down(tx, &case, "overdue.detect", None, None)?;
    tell(tx, &case, "overdue_detected", told)?;
    Ok(true)
}

/// The next rental of the same member and locker takes the place of one that is over.
fn go_on(tx: &mut Tx<'_>, rental: &Rental, next: RentalId) -> Result<bool, Error> {
    let Some(next) = tx.snapshot().rental(next).copied() else { return Ok(false) };
    let (over, next) =
        rental.continued_by(next).map_err(|error| refuse(error, rental.locker_id))?;
    rentals::update_ended(tx.conn, over.id, EndReason::Replaced, tx.now_ms())?;
    rentals::update_known(tx.conn, &next, tx.now_ms())?;
    tx.apply(&Change::Rental(over));
    tx.apply(&Change::Rental(next));
    audit(tx, None, "rental.continued", rental.locker_id, rental.id)?;
    Ok(true)
}

/// Ends a rental whose locker its member never had, and tells them.
fn lapse(tx: &mut Tx<'_>, rental: &Rental) -> Result<bool, Error> {
    let over = rental.give_up(rental.member_id).map_err(|error| refuse(error, rental.locker_id))?;
    rentals::update_ended(tx.conn, over.id, EndReason::Returned, tx.now_ms())?;
    tx.apply(&Change::Rental(over));
    audit(tx, None, "rental.lapsed", rental.locker_id, rental.id)?;
    let payload = json!({
        "locker_id": rental.locker_id, "starts_on": rental.dates.first(),
        "ends_on": rental.dates.last(),
    });
    let (kind, payload) = ("rental_lapsed", payload.to_string());
    outbox::insert(tx.conn, kind, rental.member_id, &payload, tx.now_ms())?;
    Ok(true)
}

/// Seals a case by itself, unless its renter has given the locker back meanwhile.
fn seal(tx: &mut Tx<'_>, own: &Services, id: OverdueCaseId) -> Result<bool, Error> {
    let Some(case) = overdue::find(tx.conn, id)? else { return Ok(false) };
    let rental = tx.snapshot().rental(case.rental_id).copied();
    let Some(rental) = rental.filter(|it| it.is_late(own.clock.today()) && !it.is_returned())
    else {
        return Ok(false);
    };
    let Some(taken) = case.state.after(CaseStep::Seal) else { return Ok(false) };
    super::seal(tx, case, &rental, taken, None, None)?;
    Ok(true)
}
