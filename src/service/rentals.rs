//! Claiming: hold, confirm, release-hold. Giving back is `returning.rs`.
//!
//! Each use-case looks at the published snapshot first: what it refuses never reaches the writer.
//! The job then decides again inside the transaction, where indexes and triggers guard against
//! whatever this code may get wrong. A hold whose time is up, and a return whose locker is empty by
//! now, are ended by the first job that meets them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::clock::clock_untrusted;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::lockers::window_data;
use super::mails;
use super::penalties::demand_no_penalty;
use super::places::bank_not_found;
use super::tokens::Caller;
use super::{Services, pool, returning, waiting};
use crate::domain::bank::{Bank, Mode};
use crate::domain::id::{BankId, LockerId, MemberId, RentalId};
use crate::domain::locker::Locker;
use crate::domain::rental::{EndReason, Rental, RentalError, RentalState};
use crate::domain::term::{Term, Window, window};
use crate::domain::time::{DateSpan, Monotonic};
use crate::domain::waiting::WaitingEnd;
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

/// A hold that was given up.
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
            self.refuse_early(&snapshot, caller.member_id, wish, self.moment())?;
        }
        let own = self.own()?;
        self.store
            .write(Lane::Change, move |tx| {
                let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
                once(tx, caller.member_id, "hold", key.as_ref(), |tx| {
                    hold_job(tx, &own, caller.member_id, wish, moment)
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
                    release_hold_job(tx, caller.member_id, locker)
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

    pub(super) fn moment(&self) -> Moment {
        let now = self.clock.now();
        let today = now.to_zoned(self.clock.zone().clone()).date();
        Moment { now, monotonic: self.clock.monotonic(), today, trusted: self.clock_is_trusted() }
    }

    /// Refuses what a snapshot already knows to be impossible, with the reason.
    fn refuse_early(
        &self,
        snapshot: &Snapshot,
        member: MemberId,
        wish: Wish,
        moment: Moment,
    ) -> Result<(), Error> {
        demand_staying(snapshot, member)?;
        demand_no_penalty(snapshot, member, moment.today)?;
        let bank = wished_bank(snapshot, wish)?;
        let dates = open_term(snapshot, bank, moment)?.dates;
        if let Some(mine) = overlapping(snapshot, member, dates, moment.monotonic) {
            let same = matches!(wish, Wish::This(id) if id == mine.locker_id);
            let held = matches!(mine.state, RentalState::Held { .. });
            return if same && held { Ok(()) } else { Err(has_another(mine, moment.monotonic)) };
        }
        waiting::demand_nobody_waits(snapshot, bank.id, dates)?;
        pool::demand_not_reserved(snapshot, member, dates)?;
        match wish {
            Wish::This(id) => match self.in_the_way(snapshot, id, dates, moment) {
                Some(other) => Err(taken(other, moment.monotonic)),
                None => Ok(()),
            },
            Wish::AnyOf(bank) => {
                let bank = (bank, &BTreeSet::new());
                self.any_free_locker(snapshot, bank, member, dates, moment).map(drop)
            }
        }
    }

    /// What keeps a claim from a locker; a return that only waits to be written down does not.
    pub(super) fn in_the_way<'a>(
        &self,
        snapshot: &'a Snapshot,
        id: LockerId,
        dates: DateSpan,
        moment: Moment,
    ) -> Option<&'a Rental> {
        let Moment { monotonic, today, .. } = moment;
        snapshot.of_locker(id).find(|rental| {
            rental.is_in_the_way(dates, monotonic, today)
                && !self.is_due(snapshot, rental, monotonic)
        })
    }

    /// Picks a free locker; different members start at different places, so that a crowd that asks
    /// for any locker does not fight for the first. `not`: lockers that were tried in vain.
    pub(super) fn any_free_locker(
        &self,
        snapshot: &Snapshot,
        (bank, not): (BankId, &BTreeSet<LockerId>),
        member: MemberId,
        dates: DateSpan,
        moment: Moment,
    ) -> Result<LockerId, Error> {
        let of_bank = |locker: &&Locker| locker.bank_id == bank;
        let lockers: Vec<&Locker> = snapshot.site.lockers.values().filter(of_bank).collect();
        let start = usize::try_from(member.0.unsigned_abs()).unwrap_or(0) % lockers.len().max(1);
        let (tail, head) = lockers.split_at(start);
        let free = |id| self.in_the_way(snapshot, id, dates, moment).is_none();
        head.iter()
            .chain(tail)
            .find(|it| it.in_service && !not.contains(&it.id) && free(it.id))
            .map(|locker| locker.id)
            .ok_or_else(|| {
                let waiting = snapshot.site.banks.get(&bank).map(|it| it.policy.options);
                let detail = if waiting.is_some_and(|it| it.waiting_list) {
                    "no locker of this bank is free right now: join the waiting list"
                } else {
                    "no locker of this bank is free right now: look again later, or at another bank"
                };
                Error::new(Code::NoFreeLocker, detail)
            })
    }
}

/// The times that a claim depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) now: jiff::Timestamp,
    pub(super) monotonic: Monotonic,
    pub(super) today: Date,
    /// Whether `now` is believed: windows stay shut while it is not.
    pub(super) trusted: bool,
}

/// Who is gone from the roster claims nothing more.
pub(super) fn demand_staying(snapshot: &Snapshot, member: MemberId) -> Result<(), Error> {
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
            pool::demand_mode(bank, Mode::Choose)?;
            if locker.in_service { Ok(bank) } else { Err(out_of_service()) }
        }
        Wish::AnyOf(id) => {
            let bank = snapshot.site.banks.get(&id).ok_or_else(|| bank_not_found(id))?;
            pool::demand_mode(bank, Mode::Choose)?;
            Ok(bank)
        }
    }
}

fn open_term<'a>(snapshot: &'a Snapshot, bank: &Bank, moment: Moment) -> Result<&'a Term, Error> {
    let now = moment.now;
    let found = window(&snapshot.site.terms, bank, now);
    if !moment.trusted {
        return Err(clock_untrusted().with("window", window_data(found, now, false)));
    }
    if let Window::Open(term) = found {
        return Ok(term);
    }
    let detail = match found {
        Window::Before(term) => format!("claims open at {}", term.opens_at),
        Window::After(term) => format!("claims closed at {}", term.closes_at),
        Window::Open(_) | Window::None => "no term is planned for this bank yet".to_owned(),
    };
    Err(Error::new(Code::OutsideWindow, detail).with("window", window_data(found, now, true)))
}

/// The hold or rental of a member on some of these days.
pub(super) fn overlapping(
    snapshot: &Snapshot,
    member: MemberId,
    dates: DateSpan,
    now: Monotonic,
) -> Option<&Rental> {
    snapshot
        .of_member(member)
        .find(|rental| rental.binds_member(now) && rental.dates.overlaps(dates))
}

/// The member has a hold or rental in these dates already.
pub(super) fn has_another(mine: &Rental, now: Monotonic) -> Error {
    let id = mine.locker_id;
    match mine.state {
        RentalState::Held { until } => Error::new(
            Code::AlreadyHolding,
            format!("you hold locker {id}: confirm it or give it up first"),
        )
        .with("locker_id", id.0)
        .with("hold_expires_in_ms", now.ms_until(until)),
        RentalState::Active | RentalState::Returned(_) | RentalState::Ended(_) => {
            already_renting(id)
        }
    }
}

/// Somebody else has the locker.
pub(super) fn taken(other: &Rental, now: Monotonic) -> Error {
    let error = Error::new(Code::LockerTaken, "somebody else has this locker: pick another one");
    match other.state {
        RentalState::Held { until } => error.with("held_for_ms", now.ms_until(until)),
        _ => error,
    }
}

fn hold_job(
    tx: &mut Tx<'_>,
    services: &Services,
    member: MemberId,
    wish: Wish,
    moment: Moment,
) -> Result<Held, Error> {
    demand_staying(tx.snapshot(), member)?;
    demand_no_penalty(tx.snapshot(), member, moment.today)?;
    let bank = wished_bank(tx.snapshot(), wish)?;
    let (term, hold_for) = (open_term(tx.snapshot(), bank, moment)?, bank.policy.hold());
    let (bank_id, term_id, dates) = (bank.id, Some(term.id), term.dates);
    let pick = |tx: &Tx<'_>, not: &BTreeSet<LockerId>| match wish {
        Wish::This(id) => Ok(id),
        Wish::AnyOf(bank) => {
            services.any_free_locker(tx.snapshot(), (bank, not), member, dates, moment)
        }
    };
    let mut not = BTreeSet::new();
    let mut locker_id = pick(tx, &not)?;
    if let Some(held) = kept(tx.snapshot(), member, locker_id, dates, moment.monotonic) {
        return Ok(held);
    }
    waiting::demand_nobody_waits(tx.snapshot(), bank_id, dates)?;
    let hold = NewHold { locker_id, member_id: member, term_id, dates };
    let id = loop {
        let hold = NewHold { locker_id, ..hold };
        match place_hold(tx, services, &hold, hold_for, moment) {
            // What looked free may have an opening that is not settled: whoever takes any gets another.
            Err(error) if error.code == Code::LockerTaken && matches!(wish, Wish::AnyOf(_)) => {
                not.insert(locker_id);
                locker_id = pick(tx, &not)?;
            }
            placed => break placed?,
        }
    };
    audit(tx, Some(member), "rental.hold", locker_id, id)?;
    let until = moment.monotonic.after(hold_for);
    Ok(Held { locker_id, expires_in_ms: moment.monotonic.ms_until(until) })
}

/// Keeps a locker for a member for a while, after ending what is over by now; who is in the way is the
/// refusal. The audit row is the caller's.
pub(super) fn place_hold(
    tx: &mut Tx<'_>,
    services: &Services,
    hold: &NewHold,
    hold_for: Duration,
    moment: Moment,
) -> Result<RentalId, Error> {
    let &NewHold { locker_id, member_id, term_id, dates } = hold;
    end_dead_holds(tx, locker_id, member_id)?;
    returning::settle_locker(tx, services, locker_id)?;
    demand_emptied(tx.snapshot(), locker_id, dates, moment)?;
    // Whether the locker and the member are free is not asked: the schema decides.
    let id = rentals::insert_hold(tx.conn, hold, tx.now_ms())
        .map_err(|error| explain(tx.snapshot(), error, hold, moment.monotonic))?;
    tx.apply(&Change::Rental(Rental {
        id,
        locker_id,
        member_id,
        term_id,
        dates,
        opened: false,
        extensions: 0,
        hold_extended: false,
        sealed: false,
        state: RentalState::Held { until: moment.monotonic.after(hold_for) },
    }));
    Ok(id)
}

/// Writes down what is dead by now of the holds of a locker and of a member.
pub(super) fn end_dead_holds(
    tx: &mut Tx<'_>,
    locker: LockerId,
    member: MemberId,
) -> Result<(), Error> {
    let (now, snapshot) = (tx.monotonic, tx.snapshot());
    let both = snapshot.of_locker(locker).chain(snapshot.of_member(member));
    let dead: BTreeMap<RentalId, Rental> =
        both.filter(|it| it.is_expired_hold(now)).map(|it| (it.id, *it)).collect();
    dead.values().try_for_each(|rental| expire(tx, rental))
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

/// Demands that nobody from before still has their things in the locker on the day on which the
/// claim begins: the schema knows of days only.
pub(super) fn demand_emptied(
    snapshot: &Snapshot,
    locker: LockerId,
    dates: DateSpan,
    moment: Moment,
) -> Result<(), Error> {
    let of_days = |rental: &&Rental| rental.dates.overlaps(dates);
    let mut others = snapshot.of_locker(locker).filter(|rental| !of_days(rental));
    match others.find(|rental| rental.is_in_the_way(dates, moment.monotonic, moment.today)) {
        Some(other) => Err(taken(other, moment.monotonic)),
        None => Ok(()),
    }
}

/// Puts what the schema refused into the words that the snapshot has for it.
fn explain(snapshot: &Snapshot, error: StoreError, hold: &NewHold, now: Monotonic) -> Error {
    let refused = match &error {
        StoreError::Conflict(Constraint::RentalMember) => {
            let reserved = pool::demand_not_reserved(snapshot, hold.member_id, hold.dates);
            overlapping(snapshot, hold.member_id, hold.dates, now)
                .map(|mine| has_another(mine, now))
                .or_else(|| reserved.err())
        }
        StoreError::Conflict(Constraint::RentalLocker) => {
            let of_locker = snapshot.of_locker(hold.locker_id);
            let mut live = of_locker.filter(|rental| rental.is_live(now));
            live.find(|rental| rental.dates.overlaps(hold.dates)).map(|other| taken(other, now))
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
    let payload = mails::rental(tx.snapshot(), locker, active.dates).to_string();
    outbox::insert(tx.conn, "rental_confirmed", member, &payload, tx.now_ms())?;
    tx.apply(&Change::Rental(active));
    waiting::offer_over(tx, &active, WaitingEnd::Taken)?;
    Ok(Some(Confirmed { locker_id: locker, dates: active.dates }))
}

fn release_hold_job(
    tx: &mut Tx<'_>,
    member: MemberId,
    locker: LockerId,
) -> Result<Released, Error> {
    let mine = own(tx, member, locker, |state| matches!(state, RentalState::Held { .. }))
        .or_else(|| own(tx, member, locker, |_| true))
        .ok_or_else(hold_expired)?;
    let ended = mine.release_hold(member, tx.monotonic).map_err(|error| refuse(error, locker))?;
    rentals::update_ended(tx.conn, mine.id, EndReason::HoldReleased, tx.now_ms())?;
    audit(tx, Some(member), "rental.release_hold", locker, mine.id)?;
    tx.apply(&Change::Rental(ended));
    waiting::offer_over(tx, &mine, WaitingEnd::Declined)?;
    Ok(Released { locker_id: locker })
}

/// The member's own hold or rental of a locker, as the transaction sees it: of several one whose time is
/// not up, then the one they have had longest.
pub(super) fn own(
    tx: &Tx<'_>,
    member: MemberId,
    locker: LockerId,
    wanted: impl Fn(RentalState) -> bool,
) -> Option<Rental> {
    tx.snapshot()
        .of_member(member)
        .filter(|rental| rental.locker_id == locker && wanted(rental.state))
        .min_by_key(|rental| (rental.is_expired_hold(tx.monotonic), rental.id))
        .copied()
}

/// Writes down that a hold's time is up.
pub(super) fn expire(tx: &mut Tx<'_>, rental: &Rental) -> Result<(), Error> {
    rentals::update_ended(tx.conn, rental.id, EndReason::HoldExpired, tx.now_ms())?;
    audit(tx, None, "rental.hold_expired", rental.locker_id, rental.id)?;
    tx.apply(&Change::Rental(rental.expire(tx.monotonic)));
    waiting::offer_over(tx, rental, WaitingEnd::OfferExpired)
}

pub(super) fn audit(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    action: &'static str,
    locker: LockerId,
    rental: RentalId,
) -> Result<(), Error> {
    let (subject, detail) = (format!("rental:{rental}"), format!("{{\"locker_id\":{locker}}}"));
    Ok(tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })?)
}

pub(super) fn refuse(error: RentalError, locker: LockerId) -> Error {
    match error {
        RentalError::HoldExpired => hold_expired(),
        RentalError::AlreadyActive => already_renting(locker),
        RentalError::HoldExtended => {
            Error::new(Code::HoldExtended, "this hold was extended already: confirm it now")
        }
        RentalError::OnlyHeld => Error::new(
            Code::OnlyHeld,
            format!("locker {locker} is only held: confirm it, or give the hold up"),
        ),
        RentalError::NotMine | RentalError::NotReturned | RentalError::Ended => {
            not_your_locker(locker)
        }
    }
}

pub(super) fn hold_expired() -> Error {
    Error::new(
        Code::HoldExpired,
        "you do not hold this locker: the hold has expired or was given up; hold it again",
    )
}

pub(super) fn already_renting(locker: LockerId) -> Error {
    Error::new(Code::AlreadyRenting, format!("you rent locker {locker} already"))
        .with("locker_id", locker.0)
}

pub(super) fn not_your_locker(locker: LockerId) -> Error {
    Error::new(Code::NotYourLocker, format!("you do not rent locker {locker}"))
}

pub(super) fn out_of_service() -> Error {
    Error::new(Code::OutOfService, "this locker is out of service: pick another one")
}

/// There is no locker with this number.
pub(super) fn locker_not_found(id: LockerId) -> Error {
    Error::new(Code::LockerNotFound, format!("there is no locker {id}"))
}
