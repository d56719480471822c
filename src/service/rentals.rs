//! Claiming and giving back: hold, confirm, release-hold, release.
//!
//! Each use-case looks at the published snapshot first: what it refuses never reaches the writer.
//! The job then decides again inside the transaction, where indexes and triggers guard against
//! whatever this code may get wrong. A hold whose time is up is ended by the first job that
//! meets it.

use serde::{Deserialize, Serialize};

use super::Services;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::lockers::window_data;
use super::tokens::Caller;
use crate::domain::bank::Bank;
use crate::domain::channel::DoorState;
use crate::domain::id::{BankId, LockerId, MemberId, RentalId};
use crate::domain::locker::Locker;
use crate::domain::rental::{EndReason, Rental, RentalError, RentalState};
use crate::domain::term::{Term, Window, window};
use crate::domain::time::{DateSpan, Monotonic};
use crate::store::audit::AuditEntry;
use crate::store::rentals::{self, NewHold};
use crate::store::{Change, Constraint, Lane, Snapshot, StoreError, Tx, outbox};

/// Most holds that one tidying job ends: the writer is not kept from others for long.
const TIDY_MAX: usize = 64;

/// A hold that was granted.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Held {
    /// Which locker.
    pub locker_id: LockerId,
    /// How long it is kept, in milliseconds from the moment it was granted.
    pub expires_in_ms: u64,
}

/// A rental that was confirmed.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Confirmed {
    /// Which locker.
    pub locker_id: LockerId,
    /// For which days.
    pub dates: DateSpan,
}

/// A hold or rental that was given up.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Released {
    /// Which locker.
    pub locker_id: LockerId,
}

/// What a hold may be asked for.
#[derive(Debug, Clone, Copy)]
enum Wish {
    This(LockerId),
    AnyOf(BankId),
}

impl Services {
    /// Holds a locker for the caller.
    pub async fn hold(
        &self,
        caller: Caller,
        locker: LockerId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Held>, Error> {
        self.demand_at_its_kiosk(caller, locker)?;
        self.hold_wish(caller, Wish::This(locker), key).await
    }

    /// Holds whatever locker of a bank is free.
    pub async fn hold_any(
        &self,
        caller: Caller,
        bank: BankId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Held>, Error> {
        self.hold_wish(caller, Wish::AnyOf(bank), key).await
    }

    async fn hold_wish(
        &self,
        caller: Caller,
        wish: Wish,
        key: Option<RequestKey>,
    ) -> Result<Answer<Held>, Error> {
        // A repeat must get its first answer, so a key goes to the writer whatever the state.
        if key.is_none() {
            let snapshot = self.store.snapshot();
            refuse_early(&snapshot, caller.member_id, wish, self.moment())?;
        }
        let clock = self.clock.clone();
        self.store
            .write(Lane::Change, move |tx| {
                let moment = Moment { now: clock.now(), monotonic: tx.monotonic };
                once(tx, caller.member_id, "hold", key.as_ref(), |tx| {
                    hold_job(tx, caller.member_id, wish, moment)
                })
            })
            .await
    }

    /// Turns the caller's hold into a rental.
    pub async fn confirm(
        &self,
        caller: Caller,
        locker: LockerId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Confirmed>, Error> {
        self.known_locker(locker)?;
        self.demand_at_its_kiosk(caller, locker)?;
        let answer = self
            .store
            .write::<_, Error, _>(Lane::Change, move |tx| {
                once(tx, caller.member_id, "confirm", key.as_ref(), |tx| {
                    confirm_job(tx, caller.member_id, locker)
                })
            })
            .await?;
        let value = answer.value.ok_or_else(hold_expired)?;
        Ok(Answer { value, replayed: answer.replayed })
    }

    /// Gives the caller's hold up.
    pub async fn release_hold(
        &self,
        caller: Caller,
        locker: LockerId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Released>, Error> {
        self.known_locker(locker)?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "release-hold", key.as_ref(), |tx| {
                    let monotonic = tx.monotonic;
                    end_job(tx, caller.member_id, locker, "rental.release_hold", |rental| {
                        rental.release_hold(caller.member_id, monotonic)
                    })
                })
            })
            .await
    }

    /// Ends the caller's rental.
    pub async fn release(
        &self,
        caller: Caller,
        locker: LockerId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Released>, Error> {
        let channel = self.known_locker(locker)?;
        if self.openings.is_under_way(locker) {
            let detail = "the locker is being opened right now: close the door and try again";
            return Err(Error::new(Code::OpeningUnderWay, detail));
        }
        if channel.is_some_and(|channel| self.bus.door(&channel).state == DoorState::Open) {
            let mine = self.store.snapshot();
            if mine.of_member(caller.member_id).any(|rental| rental.locker_id == locker) {
                let detail = "the door is open: take your things out, close it and try again";
                return Err(Error::new(Code::DoorOpen, detail));
            }
        }
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "release", key.as_ref(), |tx| {
                    end_job(tx, caller.member_id, locker, "rental.release", |rental| {
                        rental.release(caller.member_id)
                    })
                })
            })
            .await
    }

    /// Writes down holds whose time is up; says how many. A tick does this for tidiness only.
    pub async fn expire_holds(&self) -> Result<usize, Error> {
        let now = self.clock.monotonic();
        if self.store.snapshot().expired_holds(now).next().is_none() {
            return Ok(0);
        }
        self.store
            .write(Lane::Housekeeping, |tx| {
                let now = tx.monotonic;
                let dead: Vec<Rental> =
                    tx.snapshot().expired_holds(now).take(TIDY_MAX).copied().collect();
                for rental in &dead {
                    expire(tx, rental)?;
                }
                Ok(dead.len())
            })
            .await
    }

    fn moment(&self) -> Moment {
        Moment { now: self.clock.now(), monotonic: self.clock.monotonic() }
    }
}

/// The two times that a claim depends on.
#[derive(Debug, Clone, Copy)]
struct Moment {
    now: jiff::Timestamp,
    monotonic: Monotonic,
}

/// Refuses what a snapshot already knows to be impossible, with the reason.
fn refuse_early(
    snapshot: &Snapshot,
    member: MemberId,
    wish: Wish,
    moment: Moment,
) -> Result<(), Error> {
    demand_staying(snapshot, member)?;
    let bank = wished_bank(snapshot, wish)?;
    let dates = open_term(snapshot, bank, moment.now)?.dates;
    if let Some(mine) = overlapping(snapshot, member, dates, moment.monotonic) {
        let same = matches!(wish, Wish::This(id) if id == mine.locker_id);
        let held = matches!(mine.state, RentalState::Held { .. });
        return if same && held { Ok(()) } else { Err(has_another(mine, moment.monotonic)) };
    }
    match wish {
        Wish::This(id) => free_locker(snapshot, id, dates, moment.monotonic),
        Wish::AnyOf(bank) => {
            any_free_locker(snapshot, bank, member, dates, moment.monotonic).map(drop)
        }
    }
}

/// Who is gone from the roster claims nothing more.
fn demand_staying(snapshot: &Snapshot, member: MemberId) -> Result<(), Error> {
    if snapshot.site.leavers.contains(&member) {
        let detail = "you are not on the roster any more: you can empty your locker and return it";
        return Err(Error::new(Code::Leaving, detail));
    }
    Ok(())
}

fn wished_bank(snapshot: &Snapshot, wish: Wish) -> Result<&Bank, Error> {
    match wish {
        Wish::This(id) => {
            let (locker, bank) = snapshot.site.locker(id).ok_or_else(|| locker_not_found(id))?;
            if locker.in_service { Ok(bank) } else { Err(out_of_service()) }
        }
        Wish::AnyOf(id) => snapshot
            .site
            .banks
            .get(&id)
            .ok_or_else(|| Error::new(Code::BankNotFound, format!("there is no bank {id}"))),
    }
}

fn open_term<'a>(
    snapshot: &'a Snapshot,
    bank: &Bank,
    now: jiff::Timestamp,
) -> Result<&'a Term, Error> {
    let found = window(&snapshot.site.terms, bank, now);
    if let Window::Open(term) = found {
        return Ok(term);
    }
    let detail = match found {
        Window::Before(term) => format!("claims open at {}", term.opens_at),
        Window::After(term) => format!("claims closed at {}", term.closes_at),
        Window::Open(_) | Window::None => "no term is planned for this bank yet".to_owned(),
    };
    Err(Error::new(Code::OutsideWindow, detail).with("window", window_data(found, now)))
}

fn overlapping(
    snapshot: &Snapshot,
    member: MemberId,
    dates: DateSpan,
    now: Monotonic,
) -> Option<&Rental> {
    snapshot.of_member(member).find(|rental| rental.is_live(now) && rental.dates.overlaps(dates))
}

/// The member has a hold or rental in these dates already.
fn has_another(mine: &Rental, now: Monotonic) -> Error {
    let id = mine.locker_id;
    match mine.state {
        RentalState::Held { until } => Error::new(
            Code::AlreadyHolding,
            format!("you hold locker {id}: confirm it or give it up first"),
        )
        .with("locker_id", id.0)
        .with("hold_expires_in_ms", now.ms_until(until)),
        RentalState::Active | RentalState::Ended(_) => already_renting(id),
    }
}

fn free_locker(
    snapshot: &Snapshot,
    id: LockerId,
    dates: DateSpan,
    now: Monotonic,
) -> Result<(), Error> {
    match snapshot.live_on(id, dates, now) {
        None => Ok(()),
        Some(other) => {
            let detail = "somebody else has this locker: pick another one";
            let error = Error::new(Code::LockerTaken, detail);
            Err(match other.state {
                RentalState::Held { until } => error.with("held_for_ms", now.ms_until(until)),
                _ => error,
            })
        }
    }
}

/// Picks a free locker; different members start at different places, so that a crowd that asks
/// for any locker does not fight for the first.
fn any_free_locker(
    snapshot: &Snapshot,
    bank: BankId,
    member: MemberId,
    dates: DateSpan,
    now: Monotonic,
) -> Result<LockerId, Error> {
    let of_bank = |locker: &&Locker| locker.bank_id == bank;
    let lockers: Vec<&Locker> = snapshot.site.lockers.values().filter(of_bank).collect();
    let start = usize::try_from(member.0.unsigned_abs()).unwrap_or(0) % lockers.len().max(1);
    let (tail, head) = lockers.split_at(start);
    head.iter()
        .chain(tail)
        .find(|locker| locker.in_service && snapshot.live_on(locker.id, dates, now).is_none())
        .map(|locker| locker.id)
        .ok_or_else(|| Error::new(Code::NoFreeLocker, "no locker of this bank is free right now"))
}

fn hold_job(tx: &mut Tx<'_>, member: MemberId, wish: Wish, moment: Moment) -> Result<Held, Error> {
    demand_staying(tx.snapshot(), member)?;
    let bank = wished_bank(tx.snapshot(), wish)?;
    let (term, hold_for) = (open_term(tx.snapshot(), bank, moment.now)?, bank.policy.hold());
    let (term_id, dates) = (term.id, term.dates);
    let locker_id = match wish {
        Wish::This(id) => id,
        Wish::AnyOf(bank) => any_free_locker(tx.snapshot(), bank, member, dates, moment.monotonic)?,
    };
    if let Some(held) = kept(tx.snapshot(), member, locker_id, dates, moment.monotonic) {
        return Ok(held);
    }
    let dead: Vec<Rental> = tx
        .snapshot()
        .of_locker(locker_id)
        .chain(tx.snapshot().of_member(member))
        .filter(|rental| rental.is_expired_hold(moment.monotonic))
        .copied()
        .collect();
    for rental in &dead {
        expire(tx, rental)?;
    }
    // Whether the locker and the member are free is not asked: the schema decides.
    let hold = NewHold { locker_id, member_id: member, term_id, dates };
    let id = rentals::insert_hold(tx.conn, &hold, tx.now_ms())
        .map_err(|error| explain(tx.snapshot(), error, &hold, moment.monotonic))?;
    audit(tx, Some(member), "rental.hold", locker_id, id)?;
    let until = moment.monotonic.after(hold_for);
    tx.apply(&Change::Rental(Rental {
        id,
        locker_id,
        member_id: member,
        term_id,
        dates,
        state: RentalState::Held { until },
    }));
    Ok(Held { locker_id, expires_in_ms: moment.monotonic.ms_until(until) })
}

/// The member's own live hold of this locker: asking again changes nothing.
fn kept(
    snapshot: &Snapshot,
    member: MemberId,
    locker: LockerId,
    dates: DateSpan,
    now: Monotonic,
) -> Option<Held> {
    let mine = overlapping(snapshot, member, dates, now).filter(|it| it.locker_id == locker)?;
    match mine.state {
        RentalState::Held { until } => {
            Some(Held { locker_id: locker, expires_in_ms: now.ms_until(until) })
        }
        _ => None,
    }
}

/// Puts what the schema refused into the words that the snapshot has for it.
fn explain(snapshot: &Snapshot, error: StoreError, hold: &NewHold, now: Monotonic) -> Error {
    let refused = match &error {
        StoreError::Conflict(Constraint::RentalMember) => {
            overlapping(snapshot, hold.member_id, hold.dates, now)
                .map(|mine| has_another(mine, now))
        }
        StoreError::Conflict(Constraint::RentalLocker) => {
            free_locker(snapshot, hold.locker_id, hold.dates, now).err()
        }
        _ => None,
    };
    refused.unwrap_or_else(|| error.into())
}

/// `None`: the hold was met after its time; that it ended is written down and stands.
fn confirm_job(
    tx: &mut Tx<'_>,
    member: MemberId,
    locker: LockerId,
) -> Result<Option<Confirmed>, Error> {
    demand_staying(tx.snapshot(), member)?;
    let mine = own(tx, member, locker, |state| matches!(state, RentalState::Held { .. }))
        .or_else(|| own(tx, member, locker, |_| true))
        .ok_or_else(hold_expired)?;
    if mine.is_expired_hold(tx.monotonic) {
        expire(tx, &mine)?;
        return Ok(None);
    }
    // It may have been taken out of service since it was held.
    if tx.snapshot().site.lockers.get(&locker).is_none_or(|it| !it.in_service) {
        return Err(out_of_service());
    }
    let active = mine.confirm(member, tx.monotonic).map_err(|error| refuse(error, locker))?;
    if !rentals::update_confirmed(tx.conn, mine.id, tx.now_ms())? {
        return Err(hold_expired());
    }
    audit(tx, Some(member), "rental.confirm", locker, mine.id)?;
    let payload = format!(
        "{{\"locker_id\":{locker},\"starts_on\":\"{}\",\"ends_on\":\"{}\"}}",
        active.dates.first(),
        active.dates.last()
    );
    outbox::insert(tx.conn, "rental_confirmed", member, &payload, tx.now_ms())?;
    tx.apply(&Change::Rental(active));
    Ok(Some(Confirmed { locker_id: locker, dates: active.dates }))
}

fn end_job(
    tx: &mut Tx<'_>,
    member: MemberId,
    locker: LockerId,
    action: &'static str,
    step: impl Fn(Rental) -> Result<Rental, RentalError>,
) -> Result<Released, Error> {
    let wants_hold = action == "rental.release_hold";
    let mine =
        own(tx, member, locker, |state| matches!(state, RentalState::Held { .. }) == wants_hold)
            .or_else(|| own(tx, member, locker, |_| true))
            .ok_or_else(|| if wants_hold { hold_expired() } else { not_your_locker(locker) })?;
    let ended = step(mine).map_err(|error| refuse(error, locker))?;
    if let RentalState::Ended(reason) = ended.state {
        rentals::update_ended(tx.conn, mine.id, reason, tx.now_ms())?;
    }
    audit(tx, Some(member), action, locker, mine.id)?;
    tx.apply(&Change::Rental(ended));
    Ok(Released { locker_id: locker })
}

/// The member's own hold or rental of a locker, as the transaction sees it.
fn own(
    tx: &Tx<'_>,
    member: MemberId,
    locker: LockerId,
    wanted: impl Fn(RentalState) -> bool,
) -> Option<Rental> {
    tx.snapshot()
        .of_member(member)
        .find(|rental| rental.locker_id == locker && wanted(rental.state))
        .copied()
}

/// Writes down that a hold's time is up.
pub(super) fn expire(tx: &mut Tx<'_>, rental: &Rental) -> Result<(), Error> {
    rentals::update_ended(tx.conn, rental.id, EndReason::HoldExpired, tx.now_ms())?;
    audit(tx, None, "rental.hold_expired", rental.locker_id, rental.id)?;
    tx.apply(&Change::Rental(rental.expire(tx.monotonic)));
    Ok(())
}

fn audit(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    action: &'static str,
    locker: LockerId,
    rental: RentalId,
) -> Result<(), Error> {
    let (subject, detail) = (format!("rental:{rental}"), format!("{{\"locker_id\":{locker}}}"));
    Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?)
}

fn refuse(error: RentalError, locker: LockerId) -> Error {
    match error {
        RentalError::HoldExpired => hold_expired(),
        RentalError::AlreadyActive => already_renting(locker),
        RentalError::OnlyHeld => Error::new(
            Code::OnlyHeld,
            format!("locker {locker} is only held: confirm it, or give the hold up"),
        ),
        RentalError::NotMine | RentalError::Ended => not_your_locker(locker),
    }
}

fn hold_expired() -> Error {
    Error::new(
        Code::HoldExpired,
        "you do not hold this locker: the hold has expired or was given up; hold it again",
    )
}

fn already_renting(locker: LockerId) -> Error {
    Error::new(Code::AlreadyRenting, format!("you rent locker {locker} already"))
        .with("locker_id", locker.0)
}

fn not_your_locker(locker: LockerId) -> Error {
    Error::new(Code::NotYourLocker, format!("you do not rent locker {locker}"))
}

fn out_of_service() -> Error {
    Error::new(Code::OutOfService, "this locker is out of service: pick another one")
}

/// There is no locker with this number.
pub(super) fn locker_not_found(id: LockerId) -> Error {
    Error::new(Code::LockerNotFound, format!("there is no locker {id}"))
}
