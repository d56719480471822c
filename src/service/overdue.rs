//! Overdue cases: noticing who is late, sealing, collecting, handing back, and the end of a case.
//!
//! What runs by itself stands in `detect.rs`, what staff do in `steps.rs`, what they look at in
//! `list.rs`. Each step is stored with its row of the history, its audit row and the mail to the
//! member in one transaction. A case ends with its rental: by the return that frees the locker
//! (`note_ended`), by another last day (`note_moved`), or by the job, which makes up for whatever
//! ended otherwise.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::Services;
use super::error::{Code, Error};
use super::mails;
use super::penalties;
use crate::domain::bank::Bank;
use crate::domain::id::{MemberId, RentalId};
use crate::domain::overdue_case::{CaseStep, Transition, late_days};
use crate::domain::rental::Rental;
use crate::store::audit::AuditEntry;
use crate::store::overdue::{self, RentalTimes};
use crate::store::{Change, Snapshot, StoreError, Tx, outbox, rentals};

mod detect;
pub mod list;
pub mod steps;

pub use crate::store::overdue::{CaseRow, Item, StepRow};

/// How late a rental is, and what its renter may do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lateness {
    /// Days since its last day.
    pub late_days: u32,
    /// Whether its case is sealed.
    pub sealed: bool,
    /// Whether its renter may open the locker.
    pub may_open: bool,
    /// From which day on it is sealed by itself, where that would keep its renter out.
    pub seal_on: Option<Date>,
}

impl Services {
    /// Days since a last day, by today's date; 0 when it is not over.
    #[must_use]
    pub fn days_since(&self, last: Date) -> u32 {
        late_days(last, self.clock.today())
    }

    /// How late a rental is on `today`; `None` for one that is not, or not for certain.
    /// The day of sealing is that of the bank's rule: whether it holds for this rental says
    /// [`Services::without_void_seal_day`].
    pub(super) fn lateness(
        &self,
        snapshot: &Snapshot,
        rental: &Rental,
        today: Date,
    ) -> Option<Lateness> {
        let (_, bank) = snapshot.site.locker(rental.locker_id)?;
        (self.clock_is_trusted() && rental.is_late(today)).then(|| lateness(bank, rental, today))
    }

    /// How late a rental is, without a day of sealing that will not come, because staff have lifted the
    /// seal or let the case be. While the database cannot tell, no day is told.
    pub async fn without_void_seal_day(&self, rental: &Rental, late: Lateness) -> Lateness {
        if late.seal_on.is_none() {
            return late;
        }
        let (id, ended_on) = (rental.id, rental.dates.last());
        let read = move |conn: &_| overdue::is_sealed_by_itself(conn, id, ended_on);
        let holds = self.store.read(read).await.unwrap_or(false);
        Lateness { seal_on: late.seal_on.filter(|_| holds), ..late }
    }

    /// Refuses whoever is late and may not open any more. By a clock that is not believed nobody is
    /// late, but whose case was sealed stays out.
    pub(super) fn demand_not_sealed_off(
        &self,
        snapshot: &Snapshot,
        rental: &Rental,
        today: Date,
    ) -> Result<(), Error> {
        let Some((_, bank)) = snapshot.site.locker(rental.locker_id) else { return Ok(()) };
        let late = if self.clock_is_trusted() { rental.is_late(today) } else { rental.sealed };
        if late { demand_may_open(bank, rental, today) } else { Ok(()) }
    }
}

fn lateness(bank: &Bank, rental: &Rental, today: Date) -> Lateness {
    let policy = &bank.policy.overdue;
    let last = rental.dates.last();
    let seal_on = policy.seal_after_days.map(|days| last.saturating_add(i32::from(days).days()));
    let still_may = !rental.sealed && !rental.is_returned() && !policy.late_opening.permits(true);
    Lateness {
        late_days: late_days(last, today),
        sealed: rental.sealed,
        may_open: policy.late_opening.permits(rental.sealed),
        seal_on: seal_on.filter(|day| still_may && today < *day),
    }
}

/// Demands that the policy of the bank lets the renter of a late rental open.
pub(super) fn demand_may_open(bank: &Bank, rental: &Rental, today: Date) -> Result<(), Error> {
    let late = lateness(bank, rental, today);
    if late.may_open {
        return Ok(());
    }
    let ended_on = rental.dates.last();
    let detail = format!("your rental ended on {ended_on}: ask the staff to open the locker");
    Err(Error::new(Code::Overdue, detail)
        .with("locker_id", rental.locker_id.0)
        .with("ended_on", ended_on.to_string())
        .with("late_days", late.late_days)
        .with("sealed", late.sealed))
}

/// Ends the case of a rental that has just ended, if it has one. While the time is not believed the
/// job does that later: how late it was decides on a penalty.
pub(super) fn note_ended(tx: &mut Tx<'_>, own: &Services, rental: &Rental) -> Result<(), Error> {
    if own.clock.today() <= rental.dates.last() || !own.clock_is_trusted() {
        return Ok(());
    }
    match overdue::find_unemptied(tx.conn, rental.id)? {
        Some(case) => settle(tx, own, case).map(drop),
        None => Ok(()),
    }
}

/// Ends the case of a rental that staff have just given another last day, if it has one.
pub(super) fn note_moved(tx: &mut Tx<'_>, own: &Services, id: RentalId) -> Result<(), Error> {
    match overdue::find_unemptied(tx.conn, id)? {
        Some(case) => settle(tx, own, case).map(drop),
        None => Ok(()),
    }
}

/// Ends a case whose rental has ended, or has another last day by now; says whether it did. Whoever was
/// given another last day is judged by that one.
fn settle(tx: &mut Tx<'_>, own: &Services, case: CaseRow) -> Result<bool, Error> {
    let times = overdue::rental_times(tx.conn, case.rental_id)?;
    let (ended, moved) = (times.ended_ms.is_some(), times.ends_on != case.ended_on);
    let returned_on = returned_on(tx, own, &case, &times);
    let late_days = late_days(times.ends_on, returned_on);
    if moved && (!ended || late_days == 0) {
        return let_be(tx, case, "the last day of the rental was moved");
    }
    let Some(taken) = case.state.after(CaseStep::Return).filter(|_| ended) else {
        return Ok(false);
    };
    let (closed_ms, late_days) = (Some(tx.now_ms()), Some(late_days));
    let next = CaseRow { closed_ms, late_days, ..case };
    let told = json!({
        "how": taken.to.name(),
        "ended_on": times.ends_on,
        "late_days": late_days,
        "penalty_until": penalties::impose(tx, &next, returned_on)?,
        "penalty_lifted": false,
    });
    unseal(tx, &next)?;
    take(tx, next, taken, None, None, told)?;
    Ok(true)
}

/// Ends a case by itself without consequences; says whether it did.
fn let_be(tx: &mut Tx<'_>, case: CaseRow, reason: &str) -> Result<bool, Error> {
    let Some(taken) = case.state.after(CaseStep::Drop) else { return Ok(false) };
    unseal(tx, &case)?;
    drop_case(tx, case, taken, None, Some(reason), false)?;
    Ok(true)
}

/// Closes a case of which nothing comes; `penalty_lifted`: a penalty that it had led to was taken back.
fn drop_case(
    tx: &mut Tx<'_>,
    case: CaseRow,
    taken: Transition,
    by: Option<MemberId>,
    reason: Option<&str>,
    penalty_lifted: bool,
) -> Result<CaseRow, Error> {
    let case = CaseRow { closed_ms: Some(tx.now_ms()), ..case };
    let told = json!({
        "how": taken.to.name(), "late_days": 0, "penalty_until": null,
        "penalty_lifted": penalty_lifted,
    });
    take(tx, case, taken, by, reason, told)
}

/// The day on which the locker of a case was given back; today when it was not. What was written down by
/// a clock that nobody vouched for is no later than today, and no earlier than the day on which the case
/// was there.
fn returned_on(tx: &Tx<'_>, own: &Services, case: &CaseRow, times: &RentalTimes) -> Date {
    let today = day(own, tx.now);
    let day_of = |ms| day(own, Timestamp::from_millisecond(ms).unwrap_or(tx.now));
    let returned_on = times.returned_ms.or(times.ended_ms).map_or(today, day_of);
    returned_on.min(today).max(day_of(case.detected_ms).min(today))
}

/// Seals a case: its renter may not open any more, where the policy says so.
fn seal(
    tx: &mut Tx<'_>,
    case: CaseRow,
    rental: &Rental,
    taken: Transition,
    by: Option<MemberId>,
    reason: Option<&str>,
) -> Result<CaseRow, Error> {
    rentals::update_sealed(tx.conn, rental.id, Some(tx.now_ms()))?;
    tx.apply(&Change::Rental(Rental { sealed: true, ..*rental }));
    let policy = tx.snapshot().site.banks.get(&case.bank_id).map(|bank| &bank.policy.overdue);
    let may_open = policy.is_some_and(|policy| policy.late_opening.permits(true));
    let case = CaseRow { sealed_ms: Some(tx.now_ms()), ..case };
    take(tx, case, taken, by, reason, json!({ "may_open": may_open }))
}

/// Takes the seal off a rental that goes on.
fn unseal(tx: &mut Tx<'_>, case: &CaseRow) -> Result<(), Error> {
    if let Some(rental) = tx.snapshot().rental(case.rental_id).filter(|it| it.sealed).copied() {
        rentals::update_sealed(tx.conn, rental.id, None)?;
        tx.apply(&Change::Rental(Rental { sealed: false, ..rental }));
    }
    Ok(())
}

/// Stores a step: the case as it is after it, the row of its history, the audit row, the mail. `told`
/// is what the mail says beside locker, place and last day.
fn take(
    tx: &mut Tx<'_>,
    case: CaseRow,
    taken: Transition,
    by: Option<MemberId>,
    reason: Option<&str>,
    told: Value,
) -> Result<CaseRow, Error> {
    let case = CaseRow { state: taken.to, ..case };
    overdue::update(tx.conn, &case)?;
    let (kind, action) = match taken.step {
        CaseStep::Seal => ("overdue_sealed", "overdue.seal"),
        CaseStep::Unseal => ("overdue_unsealed", "overdue.unseal"),
        CaseStep::Collect => ("overdue_collected", "overdue.collect"),
        CaseStep::HandBack => ("overdue_handed_back", "overdue.hand_back"),
        CaseStep::Return => ("overdue_closed", "overdue.return"),
        CaseStep::Drop => ("overdue_closed", "overdue.drop"),
    };
    write_down(tx, &case, action, by, reason)?;
    tell(tx, &case, kind, told)?;
    Ok(case)
}

/// The row of a case's history and that of the audit log.
fn write_down(
    tx: &mut Tx<'_>,
    case: &CaseRow,
    action: &'static str,
    by: Option<MemberId>,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let (at_ms, reason) = (tx.now_ms(), reason.map(str::to_owned));
    let detail = json!({
        "rental_id": case.rental_id, "locker_id": case.locker_id, "reason": reason,
        "late_days": case.late_days,
    });
    let step = StepRow { state: case.state, at_ms, actor: by, reason };
    overdue::insert_step(tx.conn, case.id, &step)?;
    let (subject, detail) = (format!("overdue:{}", case.id), detail.to_string());
    tx.audit(&AuditEntry { actor: by, action, subject: &subject, detail: &detail })
}

/// Puts the mail about a step into the outbox.
fn tell(tx: &Tx<'_>, case: &CaseRow, kind: &str, told: Value) -> Result<(), StoreError> {
    let mut payload = mails::place(tx.snapshot(), case.bank_id);
    payload["locker_id"] = json!(case.locker_id);
    payload["ended_on"] = case.ended_on.to_string().into();
    if let (Value::Object(payload), Value::Object(told)) = (&mut payload, told) {
        payload.extend(told);
    }
    outbox::insert(tx.conn, kind, case.member_id, &payload.to_string(), tx.now_ms())
}

/// The site's day at an instant.
fn day(own: &Services, at: Timestamp) -> Date {
    at.to_zoned(own.clock.zone().clone()).date()
}
