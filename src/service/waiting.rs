//! The waiting list: joining the line before a bank that is full, leaving it, and what people see of it.
//!
//! One waits for the days of a term. What gets free is offered by the job in `offers.rs`, in the
//! order of joining; an offer is a hold with more time, confirmed and given up like any other, also
//! when the application window has closed. Whoever confirms, ends or finds a hold dead says so here
//! (`offer_over`), in the same transaction, so that a wait and its offer never part.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::clock::clock_untrusted;
use super::commissioning::demand_staff;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::lockers::window_data;
use super::mails::place;
use super::penalties::demand_no_penalty;
use super::places::bank_not_found;
use super::rentals::{self as claims, Moment};
use super::returning::PAGE_MAX;
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::bank::Bank;
use crate::domain::id::{BankId, LockerId, MemberId, TermId, WaitingId};
use crate::domain::mass_opening::parse_reason;
use crate::domain::rental::{EndReason, Rental, RentalState};
use crate::domain::term::{Term, Window, window};
use crate::domain::time::DateSpan;
use crate::domain::waiting::{Waiter, WaitingEnd, term_to_wait_for};
use crate::store::audit::AuditEntry;
use crate::store::{Change, Lane, Snapshot, StoreError, Tx, members, outbox, rentals, waiting};

mod offers;

/// Somebody who joined a line.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Joined {
    /// Their number.
    pub id: WaitingId,
    /// The days that they wait for.
    pub dates: DateSpan,
    /// Their place among those without an offer, from 1.
    pub place: usize,
}

/// A locker that is kept for somebody who waited.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// Which.
    pub locker_id: LockerId,
    /// How long it is kept, in milliseconds from now.
    pub expires_in_ms: u64,
    /// The same in wall time.
    pub until: Timestamp,
}

/// A place in a line.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Who, before which bank, since when.
    pub waiter: Waiter,
    /// The days; `None` when the term was retired and the wait will end in a moment.
    pub dates: Option<DateSpan>,
    /// The place among those without an offer, from 1; `None` for who has one.
    pub place: Option<usize>,
    /// What is kept for them.
    pub offer: Option<Offer>,
}

/// The line before a bank as one of its members sees it.
#[derive(Debug)]
pub struct LineView {
    /// The term that one would wait for.
    pub term: Option<(TermId, DateSpan)>,
    /// How many wait for it without an offer.
    pub count: usize,
    /// Why the caller cannot join; `None`: they can.
    pub refusal: Option<Code>,
    /// What the caller waits for here.
    pub mine: Vec<Standing>,
}

/// A place in a line, for staff.
#[derive(Debug, Clone)]
pub struct StaffLine {
    /// The place.
    pub standing: Standing,
    /// Who: student id and name; `None` when they have left since.
    pub member: Option<(String, String)>,
}

impl Services {
    /// Puts the caller at the end of the line before a bank.
    pub async fn join_line(
        &self,
        caller: Caller,
        bank: BankId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Joined>, Error> {
        if key.is_none() {
            let snapshot = self.store.snapshot();
            self.demand_may_join(&snapshot, bank, caller.member_id, self.moment())?;
        }
        let own = self.own()?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "waiting.join", key.as_ref(), |tx| {
                    join_job(tx, &own, caller.member_id, bank)
                })
            })
            .await
    }

    /// Takes the caller off the lines before a bank; an offer is given up with it.
    pub async fn leave_line(&self, caller: Caller, bank: BankId) -> Result<(), Error> {
        self.store.write(Lane::Change, move |tx| leave_job(tx, caller.member_id, bank)).await
    }

    /// The line before a bank as the caller sees it.
    pub fn waiting_line(&self, caller: Caller, bank: BankId) -> Result<LineView, Error> {
        let (snapshot, moment) = (self.store.snapshot(), self.moment());
        let known = snapshot.site.banks.get(&bank).ok_or_else(|| bank_not_found(bank))?;
        let term = term_to_wait_for(&snapshot.site.terms, known, moment.now, moment.today);
        let may = self.demand_may_join(&snapshot, bank, caller.member_id, moment);
        let mine = snapshot.lines().of_member(caller.member_id).filter(|it| it.bank_id == bank);
        Ok(LineView {
            term: term.map(|term| (term.id, term.dates)),
            count: term.map_or(0, |term| snapshot.lines().count(bank, term.id)),
            refusal: may.err().map(|error| error.code),
            mine: mine.map(|it| self.standing(&snapshot, it)).collect(),
        })
    }

    /// Who waits before the caller's banks, in the order of joining, those behind `after`, at most
    /// `limit`. For staff.
    pub async fn lines(
        &self,
        caller: Caller,
        bank: Option<BankId>,
        (after, limit): (Option<WaitingId>, usize),
    ) -> Result<Vec<StaffLine>, Error> {
        demand_staff(caller)?;
        let snapshot = self.store.snapshot();
        let found: Vec<Standing> = snapshot
            .lines()
            .all()
            .filter(|it| after.is_none_or(|after| after < it.id))
            .filter(|it| bank.is_none_or(|bank| bank == it.bank_id))
            .filter(|it| is_staff_for(&snapshot, caller, it.bank_id))
            .take(limit.min(PAGE_MAX + 1))
            .map(|it| self.standing(&snapshot, it))
            .collect();
        let people: Vec<MemberId> = found.iter().map(|it| it.waiter.member_id).collect();
        let read = self.store.read(move |conn| {
            let one = |id| {
                let row = members::find_by_id(conn, id)?;
                Ok(row.map(|row| (row.student_id, row.name)))
            };
            people.into_iter().map(one).collect::<Result<Vec<_>, StoreError>>()
        });
        let row = |(standing, member)| StaffLine { standing, member };
        Ok(found.into_iter().zip(read.await?).map(row).collect())
    }

    /// Takes somebody off their line; an offer ends with it. They are told why. For staff of the bank.
    pub async fn take_off_line(
        &self,
        caller: Caller,
        id: WaitingId,
        reason: &str,
    ) -> Result<(), Error> {
        let snapshot = self.store.snapshot();
        let waiter = snapshot.lines().find(id).ok_or_else(waiting_not_found)?;
        if !is_staff_for(&snapshot, caller, waiter.bank_id) {
            return Err(Error::new(Code::Forbidden, "this is for staff of the bank"));
        }
        let reason = parse_reason(reason).map_err(|text| Error::new(Code::Invalid, text))?;
        let actor = Some(caller.member_id);
        self.store
            .write(Lane::Change, move |tx| {
                let waiter = *tx.snapshot().lines().find(id).ok_or_else(waiting_not_found)?;
                end_offer(tx, &waiter)?;
                end(tx, &waiter, WaitingEnd::ByStaff, (actor, Some(&reason)))
            })
            .await
    }

    /// How somebody who waits stands.
    fn standing(&self, snapshot: &Snapshot, waiter: &Waiter) -> Standing {
        let now = self.clock.monotonic();
        let held = waiter.offer.and_then(|id| snapshot.rental(id));
        let offer = held.and_then(|rental| match rental.state {
            RentalState::Held { until } if now < until => Some(Offer {
                locker_id: rental.locker_id,
                expires_in_ms: now.ms_until(until),
                until: self.clock.wall_in(now.ms_until(until)),
            }),
            _ => None,
        });
        let term = snapshot.site.terms.iter().find(|term| term.id == waiter.term_id);
        Standing {
            waiter: *waiter,
            dates: term.map(|term| term.dates),
            place: snapshot.lines().place(waiter),
            offer,
        }
    }

    /// Demands that a member may join the line before a bank now; gives the term.
    fn demand_may_join<'a>(
        &self,
        snapshot: &'a Snapshot,
        bank: BankId,
        member: MemberId,
        moment: Moment,
    ) -> Result<&'a Term, Error> {
        claims::demand_staying(snapshot, member)?;
        demand_no_penalty(snapshot, member, moment.today)?;
        let bank = snapshot.site.banks.get(&bank).ok_or_else(|| bank_not_found(bank))?;
        if !bank.policy.options.waiting_list {
            return Err(option_off("waiting_list", "this bank has no waiting list"));
        }
        let found = window(&snapshot.site.terms, bank, moment.now);
        if !moment.trusted {
            let data = window_data(found, moment.now, false);
            return Err(clock_untrusted().with("window", data));
        }
        let term = term_to_wait_for(&snapshot.site.terms, bank, moment.now, moment.today);
        let term = term.ok_or_else(|| {
            let detail = "nothing is lent here now: join when the application window is open";
            let data = window_data(found, moment.now, true);
            Error::new(Code::OutsideWindow, detail).with("window", data)
        })?;
        demand_waits_not_yet(snapshot, member, term.id)?;
        demand_has_nothing(snapshot, member, term.dates, moment)?;
        // What is free after the window can be had by an offer alone.
        let claimable = matches!(found, Window::Open(open) if open.id == term.id)
            && snapshot.lines().count(bank.id, term.id) == 0
            && self
                .any_free_locker(snapshot, (bank.id, &BTreeSet::new()), member, term.dates, moment)
                .is_ok();
        if claimable {
            let detail = "a locker of this bank is free and nobody waits: hold it";
            return Err(Error::new(Code::LockerFree, detail));
        }
        Ok(term)
    }
}

fn demand_waits_not_yet(snapshot: &Snapshot, member: MemberId, term: TermId) -> Result<(), Error> {
    let waits = snapshot.lines().of_member(member).find(|it| it.term_id == term);
    let Some(waits) = waits else { return Ok(()) };
    let detail = "you wait for a locker for these days already";
    Err(Error::new(Code::AlreadyWaiting, detail).with("bank_id", waits.bank_id.0))
}

/// Demands that a member has no hold, rental or reservation in these days.
fn demand_has_nothing(
    snapshot: &Snapshot,
    member: MemberId,
    dates: DateSpan,
    moment: Moment,
) -> Result<(), Error> {
    if let Some(mine) = claims::overlapping(snapshot, member, dates, moment.monotonic) {
        return Err(claims::has_another(mine, moment.monotonic));
    }
    if snapshot.reservations_of(member).any(|it| it.dates.overlaps(dates)) {
        let detail = "you have a reservation for some of these days";
        return Err(Error::new(Code::AlreadyRenting, detail));
    }
    Ok(())
}

/// Demands that nobody waits before a bank for some of these days: what is free there is theirs.
pub(super) fn demand_nobody_waits(
    snapshot: &Snapshot,
    bank: BankId,
    dates: DateSpan,
) -> Result<(), Error> {
    if days_waited_for(snapshot, bank).any(|days| days.overlaps(dates)) {
        return Err(others_wait());
    }
    Ok(())
}

/// The days that people wait for before a bank, as far as it has a waiting list.
pub(super) fn days_waited_for(
    snapshot: &Snapshot,
    bank: BankId,
) -> impl Iterator<Item = DateSpan> + '_ {
    let offers = |bank: &Bank| bank.policy.options.waiting_list;
    let listed = snapshot.site.banks.get(&bank).is_some_and(offers);
    let days = snapshot.lines().days_waited_for(bank, &snapshot.site.terms);
    days.filter(move |_| listed)
}

pub(super) fn others_wait() -> Error {
    let detail = "others wait for a locker of this bank: join the waiting list";
    Error::new(Code::OthersWait, detail)
}

/// The bank does not offer this; `option` is its setting's name.
pub(super) fn option_off(option: &'static str, detail: &'static str) -> Error {
    Error::new(Code::OptionOff, detail).with("option", option)
}

fn waiting_not_found() -> Error {
    Error::new(Code::WaitingNotFound, "nobody waits under this number, or not any more")
}

fn join_job(
    tx: &mut Tx<'_>,
    own: &Services,
    member: MemberId,
    bank: BankId,
) -> Result<Joined, Error> {
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    let term = own.demand_may_join(tx.snapshot(), bank, member, moment)?;
    let (term_id, dates) = (term.id, term.dates);
    let id = waiting::insert(tx.conn, (bank, term_id), member, tx.now_ms())?;
    let (bank_id, since) = (bank, tx.now);
    let waiter = Waiter { id, bank_id, term_id, member_id: member, since, offer: None };
    audit(tx, "waiting.join", &waiter, Some(member), json!({}))?;
    tx.apply(&Change::Waiting(waiter));
    Ok(Joined { id, dates, place: tx.snapshot().lines().place(&waiter).unwrap_or_default() })
}

fn leave_job(tx: &mut Tx<'_>, member: MemberId, bank: BankId) -> Result<(), Error> {
    let of_member = tx.snapshot().lines().of_member(member);
    let mine: Vec<Waiter> = of_member.filter(|it| it.bank_id == bank).copied().collect();
    if mine.is_empty() {
        let detail = "you do not wait for a locker of this bank, or not any more";
        return Err(Error::new(Code::NotWaiting, detail));
    }
    for waiter in mine {
        let reason = if waiter.offer.is_some() { WaitingEnd::Declined } else { WaitingEnd::Left };
        if let Some(rental) = offered(tx.snapshot(), &waiter) {
            rentals::update_ended(tx.conn, rental.id, EndReason::HoldReleased, tx.now_ms())?;
            claims::audit(tx, Some(member), "rental.release_hold", rental.locker_id, rental.id)?;
            tx.apply(&Change::Rental(rental.let_go(EndReason::HoldReleased)));
        }
        end(tx, &waiter, reason, (Some(member), None))?;
    }
    Ok(())
}

/// The hold that is somebody's offer, as stored.
fn offered(snapshot: &Snapshot, waiter: &Waiter) -> Option<Rental> {
    let rental = snapshot.rental(waiter.offer?)?;
    matches!(rental.state, RentalState::Held { .. }).then_some(*rental)
}

/// Ends the hold that is somebody's offer, by the word or doing of staff; says which locker it was.
fn end_offer(tx: &mut Tx<'_>, waiter: &Waiter) -> Result<Option<LockerId>, Error> {
    let Some(rental) = offered(tx.snapshot(), waiter) else { return Ok(None) };
    rentals::update_ended(tx.conn, rental.id, EndReason::EndedByStaff, tx.now_ms())?;
    claims::audit(tx, None, "rental.offer_withdrawn", rental.locker_id, rental.id)?;
    tx.apply(&Change::Rental(rental.let_go(EndReason::EndedByStaff)));
    Ok(Some(rental.locker_id))
}

/// Whoever ends a hold, or makes a rental of it, says so: if it was an offer, the wait is over.
pub(super) fn offer_over(
    tx: &mut Tx<'_>,
    rental: &Rental,
    reason: WaitingEnd,
) -> Result<(), Error> {
    let found = tx.snapshot().lines().of_offer(rental.member_id, rental.id).copied();
    let Some(waiter) = found else { return Ok(()) };
    if reason == WaitingEnd::OfferExpired {
        tell(
            tx,
            &waiter,
            "offer_expired",
            json!({ "locker_id": rental.locker_id, "withdrawn": false }),
        )?;
    }
    end(tx, &waiter, reason, (None, None))
}

/// Ends whatever a member waits for: their account is closed in this transaction. Offers are holds, which
/// keep an account from being closed.
pub(super) fn end_all_of(tx: &mut Tx<'_>, member: MemberId) -> Result<(), Error> {
    let mine: Vec<Waiter> = tx.snapshot().lines().of_member(member).copied().collect();
    mine.iter().try_for_each(|it| end(tx, it, WaitingEnd::MemberLeft, (None, None)))
}

/// Writes down that somebody does not wait any more, and tells them if they did not do it themselves.
fn end(
    tx: &mut Tx<'_>,
    waiter: &Waiter,
    reason: WaitingEnd,
    (actor, why): (Option<MemberId>, Option<&str>),
) -> Result<(), Error> {
    waiting::update_ended(tx.conn, waiter.id, reason, tx.now_ms())?;
    audit(tx, "waiting.end", waiter, actor, json!({ "reason": reason, "why": why }))?;
    if matches!(reason, WaitingEnd::ByStaff | WaitingEnd::TermOver | WaitingEnd::ListClosed) {
        tell(tx, waiter, "waiting_ended", json!({ "reason": reason, "why": why }))?;
    }
    tx.apply(&Change::WaitingEnded(waiter.id));
    Ok(())
}

/// Mails somebody about their wait; where it is goes with it while the bank is there.
fn tell(tx: &mut Tx<'_>, waiter: &Waiter, kind: &'static str, payload: Value) -> Result<(), Error> {
    let mut told = place(tx.snapshot(), waiter.bank_id);
    if let (Value::Object(told), Value::Object(payload)) = (&mut told, payload) {
        told.extend(payload);
    }
    Ok(outbox::insert(tx.conn, kind, waiter.member_id, &told.to_string(), tx.now_ms())?)
}

fn audit(
    tx: &mut Tx<'_>,
    action: &'static str,
    waiter: &Waiter,
    actor: Option<MemberId>,
    mut detail: Value,
) -> Result<(), Error> {
    detail["bank_id"] = json!(waiter.bank_id);
    detail["term_id"] = json!(waiter.term_id);
    let (subject, detail) = (format!("waiting:{}", waiter.id), detail.to_string());
    Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?)
}
