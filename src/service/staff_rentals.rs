//! What staff of a bank do with rentals: assign, move, end, give another last day. Each with a reason,
//! written down, and mailed to the member.
//!
//! Staff need no window and ask no limit of the policy, and a penalty is no bar; what the schema guards
//! holds for them as well, and a bank in pool mode never promises more than it has.
//! What was opened is never free before it was emptied: it is returned, and waits as every other. Many at
//! once stand in `bulk_ends.rs`; the renter's own ways in `rentals.rs`, `returning.rs`, `shortages.rs`.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::clock_untrusted;
use super::commissioning::demand_staff;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::rentals::{Moment, end_dead_holds, expire, locker_not_found, out_of_service, refuse};
use super::returning::TakenBy;
use super::shortages::{demand_free, put_in_place};
use super::tokens::Caller;
use super::{Services, is_staff_for, mails, overdue, pool, returning, waiting};
use crate::domain::id::{BankId, LockerId, MemberId, RentalId, TermId};
use crate::domain::mass_opening::parse_reason;
use crate::domain::member::MemberState;
use crate::domain::pool::Reservation;
use crate::domain::pool::room::is_left_behind;
use crate::domain::rental::{EndReason, Rental, RentalError, RentalState};
use crate::domain::returning::{Verdict, WaitsFor};
use crate::domain::time::DateSpan;
use crate::domain::waiting::WaitingEnd;
use crate::store::audit::AuditEntry;
use crate::store::members::MemberRow;
use crate::store::rentals::{self, NewHold};
use crate::store::{Change, Constraint, Lane, Snapshot, StoreError, Tx, members, outbox};

/// How far ahead of today the last day may lie that staff give, in days.
pub const DAYS_MAX: i64 = 400;

/// Whom a locker is assigned to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// By their number.
    Number(MemberId),
    /// By their student id.
    StudentId(String),
}

/// For which days a locker is assigned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Days {
    /// Those of a term.
    Term(TermId),
    /// From then (today when left out) until then.
    Given(Option<Date>, Date),
}

/// A locker for somebody.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Which.
    pub locker: LockerId,
    /// For whom.
    pub whom: Whom,
    /// For which days.
    pub days: Days,
    /// Why; they are told.
    pub reason: String,
}

/// A rental as staff made or changed it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Granted {
    /// Its number.
    pub rental_id: RentalId,
    /// Which locker.
    pub locker_id: LockerId,
    /// Whose it is.
    pub member_id: MemberId,
    /// For which days.
    pub dates: DateSpan,
}

impl Granted {
    const fn about(&self) -> (RentalId, MemberId, DateSpan) {
        (self.rental_id, self.member_id, self.dates)
    }
}

/// A rental that goes on in another locker.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Moved {
    /// The new one.
    pub granted: Granted,
    /// The number of the one before.
    pub former_rental_id: RentalId,
    /// The locker before.
    pub former_locker_id: LockerId,
    /// Whether the locker before still has to be emptied.
    pub to_be_emptied: bool,
}

/// A hold, rental or reservation that staff have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenAway {
    /// Its number.
    pub rental_id: RentalId,
    /// Its locker; `None` for a reservation.
    pub locker_id: Option<LockerId>,
    /// Whether it is over; else it is returned and its locker waits until it was emptied.
    pub over: bool,
    /// What it waits for.
    pub waits_for: Option<WaitsFor>,
    /// From when on the locker is free, as far as that is known.
    pub free_at: Option<Timestamp>,
}

impl Services {
    /// Gives a locker to somebody, active at once. For staff of its bank.
    pub async fn assign(
        &self,
        caller: Caller,
        wanted: Assignment,
        key: Option<RequestKey>,
    ) -> Result<Answer<Granted>, Error> {
        let reason = read_reason(caller, &wanted.reason)?;
        let (own, wanted) = (self.own()?, Assignment { reason, ..wanted });
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "rental.assign", key.as_ref(), |tx| {
                    assign_job(tx, &own, caller, &wanted)
                })
            })
            .await
    }

    /// Lets a rental go on in another locker, for the same days. For staff of both banks.
    pub async fn move_rental(
        &self,
        caller: Caller,
        id: RentalId,
        (target, reason): (LockerId, &str),
        key: Option<RequestKey>,
    ) -> Result<Answer<Moved>, Error> {
        let (own, reason) = (self.own()?, read_reason(caller, reason)?);
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "rental.move", key.as_ref(), |tx| {
                    move_job(tx, &own, caller, id, (target, &reason))
                })
            })
            .await
    }

    /// Ends a hold, rental or reservation. What was opened is returned and waits until it was emptied;
    /// what is returned already stays so. For staff of its bank.
    pub async fn end_rental(
        &self,
        caller: Caller,
        id: RentalId,
        reason: &str,
        key: Option<RequestKey>,
    ) -> Result<Answer<TakenAway>, Error> {
        let (own, reason) = (self.own()?, read_reason(caller, reason)?);
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "rental.end", key.as_ref(), |tx| {
                    if let Some(it) = tx.snapshot().reservation(id).copied() {
                        demand_staff_of(tx.snapshot(), caller, it.bank_id, id)?;
                        return end_reservation(tx, caller.member_id, it, &reason);
                    }
                    let rental = live(tx, caller, id)?;
                    take_away(tx, &own, caller.member_id, &rental, &reason)
                })
            })
            .await
    }

    /// Gives an active rental another last day, earlier or later, whatever the policy's limits. For staff
    /// of its bank.
    pub async fn change_last_day(
        &self,
        caller: Caller,
        id: RentalId,
        (last, reason): (Date, &str),
        key: Option<RequestKey>,
    ) -> Result<Answer<Granted>, Error> {
        let (own, reason) = (self.own()?, read_reason(caller, reason)?);
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "rental.change", key.as_ref(), |tx| {
                    change_job(tx, &own, caller, id, (last, &reason))
                })
            })
            .await
    }
}

/// Refuses students, and what is no reason.
pub(super) fn read_reason(caller: Caller, reason: &str) -> Result<String, Error> {
    demand_staff(caller)?;
    parse_reason(reason).map_err(|text| Error::new(Code::Invalid, text))
}

/// There is no such rental, or none that the caller looks after.
pub(super) fn rental_not_found(id: RentalId) -> Error {
    Error::new(
        Code::RentalNotFound,
        format!("there is no rental {id} in a bank that you look after"),
    )
}

fn rental_over(id: RentalId, how: &str) -> Error {
    Error::new(Code::RentalOver, format!("rental {id} {how}: there is nothing more to change"))
}

pub(super) fn demand_staff_of(
    snapshot: &Snapshot,
    caller: Caller,
    bank: BankId,
    id: RentalId,
) -> Result<(), Error> {
    if is_staff_for(snapshot, caller, bank) { Ok(()) } else { Err(rental_not_found(id)) }
}

/// A live hold or rental that the caller looks after.
fn live(tx: &Tx<'_>, caller: Caller, id: RentalId) -> Result<Rental, Error> {
    let snapshot = tx.snapshot();
    let found = snapshot.rental(id);
    let bank = match found {
        Some(rental) => snapshot.site.bank_of(rental.locker_id),
        None => rentals::find_bank(tx.conn, id)?,
    };
    demand_staff_of(snapshot, caller, bank.ok_or_else(|| rental_not_found(id))?, id)?;
    found.copied().ok_or_else(|| rental_over(id, "is over"))
}

/// The locker that staff of its bank give to somebody.
fn demand_lent(snapshot: &Snapshot, caller: Caller, id: LockerId) -> Result<BankId, Error> {
    let (locker, bank) = snapshot.site.locker(id).ok_or_else(|| locker_not_found(id))?;
    if !is_staff_for(snapshot, caller, bank.id) {
        return Err(Error::new(Code::Forbidden, "this is for staff of the bank"));
    }
    if locker.in_service { Ok(bank.id) } else { Err(out_of_service()) }
}

fn assign_job(
    tx: &mut Tx<'_>,
    own: &Services,
    caller: Caller,
    wanted: &Assignment,
) -> Result<Granted, Error> {
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    let bank = demand_lent(tx.snapshot(), caller, wanted.locker)?;
    let member = recipient(tx, &wanted.whom)?;
    let (term_id, dates) = days(tx.snapshot(), bank, wanted.days, moment)?;
    let dead: Vec<Rental> = tx
        .snapshot()
        .of_member(member)
        .filter(|rental| rental.is_expired_hold(moment.monotonic))
        .copied()
        .collect();
    for rental in &dead {
        expire(tx, rental)?;
    }
    demand_room(tx.snapshot(), bank, dates, moment)?;
    demand_free(tx, own, wanted.locker, dates, moment)?;
    let claim = NewHold { locker_id: wanted.locker, member_id: member, term_id, dates };
    let id = rentals::insert_active(tx.conn, &claim, None, tx.now_ms())
        .map_err(|error| explain(tx.snapshot(), error, member, dates))?;
    tx.apply(&Change::Rental(Rental {
        id,
        locker_id: wanted.locker,
        member_id: member,
        term_id,
        dates,
        opened: false,
        extensions: 0,
        hold_extended: false,
        sealed: false,
        state: RentalState::Active,
    }));
    let granted = Granted { rental_id: id, locker_id: wanted.locker, member_id: member, dates };
    let more = json!({ "locker_id": wanted.locker, "term_id": term_id });
    tell(
        tx,
        caller.member_id,
        ("rental.assign", "rental_assigned"),
        granted.about(),
        more,
        &wanted.reason,
    )?;
    Ok(granted)
}

/// Demands that a bank in pool mode has not promised all it has on any of these days.
fn demand_room(
    snapshot: &Snapshot,
    bank: BankId,
    dates: DateSpan,
    moment: Moment,
) -> Result<(), Error> {
    let bank = snapshot.site.banks.get(&bank);
    bank.map_or(Ok(()), |bank| pool::demand_room(snapshot, bank, dates, moment.today))
}

/// Demands room for the days that another last day adds.
fn demand_room_for_more(
    snapshot: &Snapshot,
    had: &Rental,
    last: Date,
    moment: Moment,
) -> Result<(), Error> {
    // What somebody late has is promised to nobody: it takes no more room than it has taken.
    if is_left_behind(had, moment.today) {
        return Ok(());
    }
    let first = had.dates.last().checked_add(1.day()).ok();
    let added = first.and_then(|first| DateSpan::new(first, last));
    match (snapshot.site.bank_of(had.locker_id), added) {
        (Some(bank), Some(added)) => demand_room(snapshot, bank, added, moment),
        _ => Ok(()),
    }
}

/// Whom a locker may be assigned to: who has not left, is not leaving and not kept out.
fn recipient(tx: &Tx<'_>, whom: &Whom) -> Result<MemberId, Error> {
    let (found, named) = match whom {
        Whom::Number(id) => (members::find_by_id(tx.conn, *id)?, id.to_string()),
        Whom::StudentId(id) => (members::find_by_student_id(tx.conn, id)?, id.clone()),
    };
    let missing = || Error::new(Code::MemberNotFound, format!("there is no member {named}"));
    let row: MemberRow = found.ok_or_else(missing)?;
    match row.state() {
        MemberState::Leaving => {
            let detail = "this member is not on the roster any more and can claim nothing";
            Err(Error::new(Code::Leaving, detail))
        }
        MemberState::Disabled => {
            Err(Error::new(Code::AccountDisabled, "this account is disabled: enable it first"))
        }
        _ => Ok(row.id),
    }
}

/// The days of an assignment; its last one must not be over.
fn days(
    snapshot: &Snapshot,
    bank: BankId,
    wanted: Days,
    moment: Moment,
) -> Result<(Option<TermId>, DateSpan), Error> {
    if !moment.trusted {
        return Err(clock_untrusted());
    }
    let invalid = |text: String| Error::new(Code::Invalid, text);
    let (term, dates) = match wanted {
        Days::Term(id) => {
            let term = snapshot.site.terms.iter().find(|term| term.id == id);
            let missing = || Error::new(Code::TermNotFound, format!("there is no term {id}"));
            let term = term.ok_or_else(missing)?;
            if !snapshot.site.banks.get(&bank).is_some_and(|bank| term.covers(bank)) {
                return Err(invalid(format!("term {id} is not for the bank of this locker")));
            }
            (Some(id), term.dates)
        }
        Days::Given(first, last) => {
            let first = first.unwrap_or(moment.today);
            if first < moment.today {
                return Err(invalid("starts_on must be today or later".to_owned()));
            }
            let dates = DateSpan::new(first, last);
            (None, dates.ok_or_else(|| invalid("ends_on is before starts_on".to_owned()))?)
        }
    };
    if dates.last() < moment.today {
        return Err(invalid("ends_on must be today or later".to_owned()));
    }
    if term.is_none() {
        demand_near(dates.last(), moment.today)?;
    }
    Ok((term, dates))
}

fn demand_near(last: Date, today: Date) -> Result<(), Error> {
    if today.checked_add(DAYS_MAX.days()).is_ok_and(|limit| last <= limit) {
        return Ok(());
    }
    Err(Error::new(Code::Invalid, format!("ends_on may lie at most {DAYS_MAX} days ahead")))
}

/// Puts what the schema refused into words for staff.
fn explain(snapshot: &Snapshot, error: StoreError, member: MemberId, dates: DateSpan) -> Error {
    let is_of_member = matches!(error, StoreError::Conflict(Constraint::RentalMember));
    let error = Error::from(error);
    if !is_of_member {
        return error;
    }
    let of_days = |it: &&Rental| !it.is_returned() && it.dates.overlaps(dates);
    let other = snapshot.of_member(member).find(of_days).map(|it| it.locker_id.0);
    let detail = "this member has a locker or a reservation on some of these days already";
    error.reworded(Code::AlreadyRenting, detail).with("locker_id", other)
}

fn move_job(
    tx: &mut Tx<'_>,
    own: &Services,
    caller: Caller,
    id: RentalId,
    (target, reason): (LockerId, &str),
) -> Result<Moved, Error> {
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    let old = live(tx, caller, id)?;
    if !moment.trusted {
        return Err(clock_untrusted());
    }
    if old.is_returned() {
        return Err(rental_over(id, "was given back"));
    }
    if old.state != RentalState::Active {
        return Err(refuse(RentalError::OnlyHeld, old.locker_id));
    }
    demand_lent(tx.snapshot(), caller, target)?;
    if target == old.locker_id {
        return Err(Error::new(Code::Invalid, "locker_id must be another locker"));
    }
    if old.dates.last() < moment.today {
        return Err(rental_over(id, "is past its last day"));
    }
    demand_free(tx, own, target, old.dates, moment)?;
    let new = put_in_place(tx, own, &old, target, TakenBy::Staff)?;
    let former = tx.snapshot().rental(id).is_some_and(Rental::is_returned);
    let granted =
        Granted { rental_id: new, locker_id: target, member_id: old.member_id, dates: old.dates };
    let more = json!({
        "locker_id": target, "former_locker_id": old.locker_id, "to_be_emptied": former,
    });
    tell(tx, caller.member_id, ("rental.move", "rental_moved"), granted.about(), more, reason)?;
    Ok(Moved {
        granted,
        former_rental_id: id,
        former_locker_id: old.locker_id,
        to_be_emptied: former,
    })
}

fn change_job(
    tx: &mut Tx<'_>,
    own: &Services,
    caller: Caller,
    id: RentalId,
    (last, reason): (Date, &str),
) -> Result<Granted, Error> {
    let moment = own.moment();
    let had = live(tx, caller, id)?;
    if !moment.trusted {
        return Err(clock_untrusted());
    }
    if had.is_returned() {
        return Err(rental_over(id, "was given back"));
    }
    let next = had.lasting_until(last).map_err(|error| refuse(error, had.locker_id))?;
    let next = next.filter(|it| it.dates.last() >= moment.today);
    let detail = "ends_on must be today or later, and not before the first day: end it instead";
    let next = next.ok_or_else(|| Error::new(Code::Invalid, detail))?;
    demand_near(last, moment.today)?;
    let granted = Granted {
        rental_id: id,
        locker_id: had.locker_id,
        member_id: had.member_id,
        dates: next.dates,
    };
    if next == had {
        return Ok(granted);
    }
    demand_room_for_more(tx.snapshot(), &had, last, moment)?;
    end_dead_holds(tx, had.locker_id, had.member_id)?;
    rentals::update_last_day(tx.conn, id, last)
        .map_err(|error| explain(tx.snapshot(), error, had.member_id, next.dates))?;
    tx.apply(&Change::Rental(next));
    overdue::note_moved(tx, own, id)?;
    let more = json!({
        "locker_id": had.locker_id, "former_ends_on": had.dates.last().to_string(),
    });
    tell(tx, caller.member_id, ("rental.change", "rental_changed"), granted.about(), more, reason)?;
    Ok(granted)
}

/// Ends a hold or rental of a locker, in the name of staff who may.
pub(super) fn take_away(
    tx: &mut Tx<'_>,
    own: &Services,
    staff: MemberId,
    rental: &Rental,
    reason: &str,
) -> Result<TakenAway, Error> {
    let (id, locker) = (rental.id, rental.locker_id);
    let over = TakenAway {
        rental_id: id,
        locker_id: Some(locker),
        over: true,
        waits_for: None,
        free_at: Some(tx.now),
    };
    let waits = |verdict: Verdict| TakenAway {
        over: false,
        waits_for: verdict.waits_for(),
        free_at: own.free_at(verdict),
        ..over
    };
    if rental.is_expired_hold(tx.monotonic) {
        expire(tx, rental)?;
        return Ok(over);
    }
    if rental.is_returned() {
        let verdict = own.judge(tx.snapshot(), rental, false, tx.monotonic).1;
        return Ok(waits(verdict.unwrap_or(Verdict::WaitsForStaff)));
    }
    let returned = returning::taken_away(tx, own, rental, TakenBy::Staff)?;
    let done = if let Some((seen, verdict)) = returned {
        rentals::update_known(tx.conn, &seen, tx.now_ms())?;
        tx.apply(&Change::Rental(seen));
        if verdict == Verdict::Free {
            returning::end(tx, own, &seen)?;
            over
        } else {
            waits(verdict)
        }
    } else {
        end_unused(tx, own, rental)?;
        over
    };
    let about = (id, rental.member_id, rental.dates);
    let more = json!({ "locker_id": locker, "to_be_emptied": !done.over });
    tell(tx, staff, ("rental.end", "rental_ended"), about, more, reason)?;
    Ok(done)
}

/// Ends what has nothing of its member inside.
fn end_unused(tx: &mut Tx<'_>, own: &Services, rental: &Rental) -> Result<(), Error> {
    let ended = rental.taken_away(false, tx.monotonic, None);
    let ended = ended.map_err(|error| refuse(error, rental.locker_id))?;
    rentals::update_ended(tx.conn, rental.id, EndReason::EndedByStaff, tx.now_ms())?;
    waiting::offer_over(tx, rental, WaitingEnd::ByStaff)?;
    tx.apply(&Change::Rental(ended));
    overdue::note_ended(tx, own, &ended)
}

fn end_reservation(
    tx: &mut Tx<'_>,
    staff: MemberId,
    it: Reservation,
    reason: &str,
) -> Result<TakenAway, Error> {
    rentals::update_ended(tx.conn, it.id, EndReason::EndedByStaff, tx.now_ms())?;
    tx.apply(&Change::ReservationEnded(it.id));
    let about = (it.id, it.member_id, it.dates);
    let more = json!({ "locker_id": null, "bank_id": it.bank_id, "to_be_emptied": false });
    tell(tx, staff, ("rental.end", "rental_ended"), about, more, reason)?;
    Ok(TakenAway {
        rental_id: it.id,
        locker_id: None,
        over: true,
        waits_for: None,
        free_at: Some(tx.now),
    })
}

/// Writes down what staff did with a rental, and tells its member; `more` goes into both.
fn tell(
    tx: &mut Tx<'_>,
    staff: MemberId,
    (action, mail): (&'static str, &'static str),
    (id, member, dates): (RentalId, MemberId, DateSpan),
    more: Value,
    reason: &str,
) -> Result<(), Error> {
    let mut told = more;
    told["starts_on"] = dates.first().to_string().into();
    told["ends_on"] = dates.last().to_string().into();
    told["reason"] = reason.into();
    let locker = told["locker_id"].as_i64().map(LockerId);
    let mut mailed = locker.map_or_else(|| json!({}), |it| mails::rental(tx.snapshot(), it, dates));
    if let (Value::Object(mailed), Value::Object(told)) = (&mut mailed, told.clone()) {
        mailed.extend(told);
    }
    outbox::insert(tx.conn, mail, member, &mailed.to_string(), tx.now_ms())?;
    told["member_id"] = member.0.into();
    let (subject, detail) = (format!("rental:{id}"), told.to_string());
    Ok(tx.audit(&AuditEntry { actor: Some(staff), action, subject: &subject, detail: &detail })?)
}
