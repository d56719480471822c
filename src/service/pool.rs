//! Reservations in pool mode: made and given up by whoever they are for, who sees them in `mine`.
//!
//! A reservation is for days, not for a compartment; which one it is, is decided at check-in
//! (`check_in`). A day takes no more reservations than the bank can give then, as known now
//! (`domain/pool/room.rs`); what breaks or stays occupied later is told to those who reserved last
//! (`short`), who may go to another bank. Whoever does not come loses theirs (`no_shows`). As with
//! every claim the snapshot gives a cheap early no, and the job decides again inside the writer.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Services;
use super::clock::clock_untrusted;
use super::error::{Code, Error};
use super::idempotency::{Answer, RequestKey, once};
use super::penalties::demand_no_penalty;
use super::rentals::{self as claims, Moment};
use super::tokens::Caller;
use crate::domain::bank::{Bank, Mode};
use crate::domain::id::{BankId, MemberId, RentalId};
use crate::domain::pool::{DatesRefused, Reservation};
use crate::domain::rental::{EndReason, Rental};
use crate::domain::time::DateSpan;
use crate::store::audit::AuditEntry;
use crate::store::rentals::{self, NewReservation};
use crate::store::{Change, Lane, Snapshot, StoreError, Tx, outbox};

mod check_in;
mod mine;
mod no_shows;
pub(super) mod short;

pub use check_in::{CheckIn, CheckedIn};
pub use mine::{MyReservation, PoolStatus};
pub(super) use no_shows::JOB as NO_SHOWS;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct ReservationWish {
    /// In which bank.
    pub bank: BankId,
    /// For which days.
    pub dates: DateSpan,
    /// Whether a compartment at an accessible height is wished for.
    pub accessible: bool,
}

/// A reservation that was made.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Reserved {
    /// Its number, which the rental keeps.
    pub id: RentalId,
    /// In which bank.
    pub bank_id: BankId,
    /// For which days.
    pub dates: DateSpan,
    /// The last day on which it may be checked in.
    pub check_in_until: Date,
}

impl Services {
    /// Makes a reservation for the caller.
    pub async fn reserve(
        &self,
        caller: Caller,
        wish: ReservationWish,
        key: Option<RequestKey>,
    ) -> Result<Answer<Reserved>, Error> {
        self.at_kiosk_of(caller, wish.bank)?;
        // A repeat must get its first answer, so a key goes to the writer whatever the state.
        if key.is_none() {
            let (snapshot, moment) = (self.store.snapshot(), self.moment());
            decide(&snapshot, caller.member_id, wish, moment, self.clock.zone())?;
        }
        let own = self.own()?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "reserve", key.as_ref(), |tx| {
                    reserve_job(tx, &own, caller.member_id, wish)
                })
            })
            .await
    }

    /// Gives a reservation of the caller up; until it is checked in, also after its first day.
    pub async fn cancel_reservation(
        &self,
        caller: Caller,
        id: RentalId,
        key: Option<RequestKey>,
    ) -> Result<Answer<RentalId>, Error> {
        self.demand_at_kiosk_of_reservation(caller, id)?;
        self.store
            .write(Lane::Change, move |tx| {
                let member = caller.member_id;
                once(tx, member, "reservation.cancel", key.as_ref(), |tx| {
                    let it = own_reservation(tx.snapshot(), member, id)?;
                    end(tx, &it, EndReason::Cancelled, Some(member), "reservation.cancel")?;
                    Ok(id)
                })
            })
            .await
    }

    /// Refuses a request at a kiosk about a reservation in a bank that it does not stand beside.
    fn demand_at_kiosk_of_reservation(&self, caller: Caller, id: RentalId) -> Result<(), Error> {
        match self.store.snapshot().reservation(id) {
            Some(it) => self.at_kiosk_of(caller, it.bank_id).map(drop),
            None => Ok(()),
        }
    }
}

/// Whether a member may make a reservation, as the snapshot has it.
fn decide(
    snapshot: &Snapshot,
    member: MemberId,
    wish: ReservationWish,
    moment: Moment,
    zone: &TimeZone,
) -> Result<(), Error> {
    claims::demand_staying(snapshot, member)?;
    demand_no_penalty(snapshot, member, moment.today)?;
    let bank = pool_bank(snapshot, wish.bank)?;
    if !moment.trusted {
        return Err(clock_untrusted());
    }
    let pool = &bank.policy.pool;
    let dates = pool.check_dates(wish.dates, moment.today, |day| opens_on(bank, day, zone));
    dates.map_err(|refused| dates_refused(bank, refused, moment.today))?;
    let mine = snapshot.reservations_of(member);
    let waiting = mine.filter(|it| it.bank_id == bank.id).count();
    if waiting >= usize::from(pool.reservations_max) {
        let detail = format!(
            "you have {waiting} reservations in this bank, which is the most: give one up first"
        );
        return Err(Error::new(Code::TooManyReservations, detail)
            .with("reservations_max", pool.reservations_max));
    }
    demand_no_other_claim(snapshot, member, wish.dates, moment)?;
    demand_room(snapshot, bank, wish.dates, moment.today)
}

/// Demands that a member has no reservation and no locker on any of these days.
fn demand_no_other_claim(
    snapshot: &Snapshot,
    member: MemberId,
    dates: DateSpan,
    moment: Moment,
) -> Result<(), Error> {
    demand_not_reserved(snapshot, member, dates)?;
    match claims::overlapping(snapshot, member, dates, moment.monotonic) {
        Some(mine) => Err(claims::has_another(mine, moment.monotonic)),
        None => Ok(()),
    }
}

/// Demands that a member has no reservation on any of these days.
pub(super) fn demand_not_reserved(
    snapshot: &Snapshot,
    member: MemberId,
    dates: DateSpan,
) -> Result<(), Error> {
    let mut mine = snapshot.reservations_of(member);
    let Some(other) = mine.find(|it| it.dates.overlaps(dates)) else { return Ok(()) };
    let detail = format!(
        "you have a reservation from {} to {}: give it up first, or take other days",
        other.dates.first(),
        other.dates.last()
    );
    Err(with_dates(Error::new(Code::AlreadyReserved, detail), other.dates)
        .with("reservation_id", other.id.0))
}

/// Demands that each of these days, as far as it is not over, can bear one more claim on a bank in pool
/// mode. For whoever lends such a bank's compartments for days to come in another way than by a
/// reservation.
pub(super) fn demand_room(
    snapshot: &Snapshot,
    bank: &Bank,
    dates: DateSpan,
    today: Date,
) -> Result<(), Error> {
    let days = DateSpan::new(dates.first().max(today), dates.last());
    let Some(days) = days.filter(|_| bank.mode == Mode::Pool) else { return Ok(()) };
    let full = snapshot.room(bank.id, days, today).full_days();
    let Some(first) = full.first() else { return Ok(()) };
    let detail = format!("the bank is full on {first}: take other days");
    let full: Vec<String> = full.iter().map(Date::to_string).collect();
    Err(Error::new(Code::DayFull, detail).with("full_days", full))
}

fn reserve_job(
    tx: &mut Tx<'_>,
    own: &Services,
    member: MemberId,
    wish: ReservationWish,
) -> Result<Reserved, Error> {
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    decide(tx.snapshot(), member, wish, moment, own.clock.zone())?;
    // Dead, but perhaps not written down yet: the schema would still refuse beside them.
    let mine = tx.snapshot().of_member(member);
    let dead: Vec<Rental> =
        mine.filter(|it| it.is_expired_hold(moment.monotonic)).copied().collect();
    for hold in &dead {
        claims::expire(tx, hold)?;
    }
    let ReservationWish { bank, dates, accessible } = wish;
    let new = NewReservation { bank_id: bank, member_id: member, dates, accessible, follows: None };
    insert(tx, &new, "reservation.make")
}

/// Writes a reservation down and tells its member.
fn insert(tx: &mut Tx<'_>, new: &NewReservation, action: &'static str) -> Result<Reserved, Error> {
    let bank = pool_bank(tx.snapshot(), new.bank_id)?.clone();
    let id = rentals::insert_reservation(tx.conn, new, tx.now_ms())?;
    let NewReservation { bank_id, member_id, dates, accessible, .. } = *new;
    let it = Reservation { id, bank_id, member_id, dates, accessible, unserved: false };
    let check_in_until = it.check_in_until(&bank.policy.pool);
    audit(tx, Some(member_id), action, &it, new.follows)?;
    let mut payload = described(tx.snapshot(), &bank, dates);
    payload["check_in_until"] = check_in_until.to_string().into();
    outbox::insert(tx.conn, "reserved", member_id, &payload.to_string(), tx.now_ms())?;
    tx.apply(&Change::Reserved(it));
    Ok(Reserved { id, bank_id, dates, check_in_until })
}

/// Ends a reservation that waits: by its member, by staff, or because its time is over.
pub(super) fn end(
    tx: &mut Tx<'_>,
    it: &Reservation,
    reason: EndReason,
    actor: Option<MemberId>,
    action: &'static str,
) -> Result<(), Error> {
    rentals::update_ended(tx.conn, it.id, reason, tx.now_ms())?;
    audit(tx, actor, action, it, None)?;
    tx.apply(&Change::ReservationEnded(it.id));
    Ok(())
}

/// Gives all reservations of a member up: their account is closed.
pub(super) fn end_all_of(
    tx: &mut Tx<'_>,
    member: MemberId,
    actor: Option<MemberId>,
) -> Result<(), Error> {
    let mine: Vec<Reservation> = tx.snapshot().reservations_of(member).copied().collect();
    mine.iter().try_for_each(|it| end(tx, it, EndReason::Cancelled, actor, "reservation.cancel"))
}

/// A reservation of a member that waits.
fn own_reservation(
    snapshot: &Snapshot,
    member: MemberId,
    id: RentalId,
) -> Result<Reservation, Error> {
    if let Some(it) = snapshot.reservation(id).filter(|it| it.member_id == member) {
        return Ok(*it);
    }
    if let Some(rental) = snapshot.rental(id).filter(|it| it.member_id == member) {
        let locker = rental.locker_id;
        let detail = format!("this was checked in: locker {locker} is yours, return it instead");
        return Err(Error::new(Code::CheckedIn, detail).with("locker_id", locker.0));
    }
    let detail = format!("you have no reservation {id}, or it has ended");
    Err(Error::new(Code::ReservationNotFound, detail))
}

fn pool_bank(snapshot: &Snapshot, id: BankId) -> Result<&Bank, Error> {
    let bank = snapshot.site.banks.get(&id);
    let bank = bank.ok_or_else(|| super::places::bank_not_found(id))?;
    demand_mode(bank, Mode::Pool)?;
    Ok(bank)
}

/// Demands that a bank lends its lockers in this way.
pub(super) fn demand_mode(bank: &Bank, mode: Mode) -> Result<(), Error> {
    if bank.mode == mode {
        return Ok(());
    }
    let detail = match bank.mode {
        Mode::Choose => "in this bank a locker is picked and held: it takes no reservations",
        Mode::Pool => "in this bank days are reserved, and the locker is given at check-in",
    };
    Err(Error::new(Code::WrongMode, detail).with("mode", bank.mode.name()))
}

/// Whether a bank opens at some time of a day.
fn opens_on(bank: &Bank, day: Date, zone: &TimeZone) -> bool {
    !bank.policy.opening().day(day, zone).spans.is_empty()
}

fn dates_refused(bank: &Bank, refused: DatesRefused, today: Date) -> Error {
    let pool = &bank.policy.pool;
    let starts = pool.starts(today);
    let closed = match refused {
        DatesRefused::Closed(day) => Some(day.to_string()),
        _ => None,
    };
    let detail = match (refused, pool.days_max) {
        (DatesRefused::TooEarly | DatesRefused::TooFar, _) => {
            format!("a reservation made today begins on {} to {}", starts.first(), starts.last())
        }
        (DatesRefused::TooLong, Some(most)) => {
            format!("this bank takes reservations of at most {most} days")
        }
        (DatesRefused::TooLong | DatesRefused::Closed(_), _) => refused.to_string(),
    };
    Error::new(Code::DatesRefused, detail)
        .with("reason", refused.name())
        .with("first_start_on", starts.first().to_string())
        .with("last_start_on", starts.last().to_string())
        .with("days_max", pool.days_max)
        .with("closed_on", closed)
}

/// What mails tell of a reservation.
fn described(snapshot: &Snapshot, bank: &Bank, dates: DateSpan) -> Value {
    let location = snapshot.site.locations.get(&bank.location_id);
    json!({
        "bank": bank.name,
        "location": location.map_or(&bank.name, |location| &location.name),
        "starts_on": dates.first().to_string(),
        "ends_on": dates.last().to_string(),
    })
}

fn with_dates(error: Error, dates: DateSpan) -> Error {
    error.with("starts_on", dates.first().to_string()).with("ends_on", dates.last().to_string())
}

fn audit(
    tx: &mut Tx<'_>,
    actor: Option<MemberId>,
    action: &'static str,
    it: &Reservation,
    follows: Option<RentalId>,
) -> Result<(), StoreError> {
    let detail = json!({
        "bank_id": it.bank_id,
        "starts_on": it.dates.first().to_string(),
        "ends_on": it.dates.last().to_string(),
        "follows_id": follows,
    });
    let (subject, detail) = (format!("rental:{}", it.id), detail.to_string());
    tx.audit(&AuditEntry { actor, action, subject: &subject, detail: &detail })
}
