//! Check-in: a compartment is bound to a reservation, or another bank takes it over.
//!
//! What is free goes to those who reserved first: while fewer compartments are free than reservations
//! wait today, whoever reserved last waits or goes to the bank that is offered. Presence is proven as
//! for an opening, but the code is not used up by it: the opening that follows needs it.

use std::collections::HashMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Reserved, demand_room, end, insert, own_reservation, pool_bank, with_dates};
use crate::domain::bank::Bank;
use crate::domain::id::{BankId, LockerId, MemberId, RentalId};
use crate::domain::locker::Locker;
use crate::domain::pool::{CheckInRefused, Reservation, preference};
use crate::domain::rental::EndReason;
use crate::domain::time::DateSpan;
use crate::service::Services;
use crate::service::clock::clock_untrusted;
use crate::service::error::{Code, Error};
use crate::service::idempotency::{Answer, RequestKey, kept, once};
use crate::service::mails;
use crate::service::presence::{PresenceUse, demand_few_misses};
use crate::service::rentals::{self as claims, Moment};
use crate::service::shortages::make_room;
use crate::service::tokens::Caller;
use crate::store::audit::AuditEntry;
use crate::store::rentals::{self, NewReservation};
use crate::store::{Change, Lane, Snapshot, Tx, outbox};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct CheckIn {
    /// Which reservation.
    pub id: RentalId,
    /// The code that the bank's kiosk shows, if it was typed.
    pub presence_code: Option<String>,
    /// The client's key for this request.
    pub key: Option<RequestKey>,
}

/// A reservation that has its compartment.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct CheckedIn {
    /// Its number, which the rental keeps.
    pub id: RentalId,
    /// The compartment.
    pub locker_id: LockerId,
    /// For which days.
    pub dates: DateSpan,
}

impl Services {
    /// Binds a free compartment to a reservation of the caller.
    pub async fn check_in(
        &self,
        caller: Caller,
        wanted: CheckIn,
    ) -> Result<Answer<CheckedIn>, Error> {
        let CheckIn { id, presence_code, key } = wanted;
        let member = caller.member_id;
        // A repeat may come with a code that is too old by now: it gets its first answer.
        if let Some(key) = &key {
            let now_ms = self.clock.now().as_millisecond();
            if let Some(answer) = kept(&self.store, member, "check-in", key, now_ms).await? {
                return Ok(answer);
            }
        }
        let (snapshot, moment) = (self.store.snapshot(), self.moment());
        let (_, bank) = due(&snapshot, member, id, moment)?;
        self.demand_open(bank)?;
        let presence = match self.prove_presence(caller, bank, presence_code.as_deref()) {
            Err(refusal) if refusal.code == Code::PresenceWrong => {
                return Err(self.count_wrong_presence(caller, refusal).await);
            }
            proven => proven?,
        };
        let own = self.own()?;
        let bound = self
            .store
            .write(Lane::Change, move |tx| {
                once(tx, member, "check-in", key.as_ref(), |tx| {
                    check_in_job(tx, &own, member, id, presence)
                })
            })
            .await;
        // Whoever came and got nothing is no no-show.
        if bound.as_ref().is_err_and(|refusal| refusal.code == Code::NoFreeLocker) {
            self.store.write(Lane::Change, move |tx| note_unserved(tx, id)).await?;
        }
        bound
    }

    /// Takes the same days in another bank of the location, in place of a reservation of the caller that
    /// cannot be served.
    pub async fn replace_reservation(
        &self,
        caller: Caller,
        id: RentalId,
        bank: BankId,
        key: Option<RequestKey>,
    ) -> Result<Answer<Reserved>, Error> {
        self.demand_at_kiosk_of_reservation(caller, id)?;
        let own = self.own()?;
        self.store
            .write(Lane::Change, move |tx| {
                let member = caller.member_id;
                once(tx, member, "reservation.replace", key.as_ref(), |tx| {
                    replace_job(tx, &own, member, id, bank)
                })
            })
            .await
    }
}

/// A reservation of a member that may be checked in now, with its bank.
fn due(
    snapshot: &Snapshot,
    member: MemberId,
    id: RentalId,
    moment: Moment,
) -> Result<(Reservation, &Bank), Error> {
    claims::demand_staying(snapshot, member)?;
    let it = own_reservation(snapshot, member, id)?;
    let bank = pool_bank(snapshot, it.bank_id)?;
    if !moment.trusted {
        return Err(clock_untrusted());
    }
    let pool = &bank.policy.pool;
    let (first, until) = (it.dates.first(), it.check_in_until(pool));
    let detail = match it.check_in(pool, moment.today) {
        Ok(()) => return Ok((it, bank)),
        Err(CheckInRefused::TooEarly) => format!("this reservation is checked in from {first} on"),
        Err(CheckInRefused::TooLate) => {
            format!("this reservation had to be checked in by {until}: make another one")
        }
    };
    Err(with_dates(Error::new(Code::OutsideDates, detail), it.dates)
        .with("check_in_until", until.to_string()))
}

fn check_in_job(
    tx: &mut Tx<'_>,
    own: &Services,
    member: MemberId,
    id: RentalId,
    presence: Option<PresenceUse>,
) -> Result<CheckedIn, Error> {
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    let (it, _) = due(tx.snapshot(), member, id, moment)?;
    presence.map_or(Ok(()), |it| demand_few_misses(tx, it))?;
    let locker = take_free(tx, own, &it, moment)?;
    if !rentals::update_checked_in(tx.conn, id, locker, tx.now_ms())? {
        return Err(Error::new(Code::ReservationNotFound, "this reservation has ended"));
    }
    tx.apply(&Change::ReservationEnded(id));
    tx.apply(&Change::Rental(it.bound(locker)));
    let detail = json!({ "locker_id": locker, "bank_id": it.bank_id }).to_string();
    let (subject, action) = (format!("rental:{id}"), "reservation.check_in");
    tx.audit(&AuditEntry { actor: Some(member), action, subject: &subject, detail: &detail })?;
    let payload = mails::rental(tx.snapshot(), locker, it.dates).to_string();
    outbox::insert(tx.conn, "rental_confirmed", member, &payload, tx.now_ms())?;
    Ok(CheckedIn { id, locker_id: locker, dates: it.dates })
}

/// Picks the compartment that comes first, and has what is over there written down.
fn take_free(
    tx: &mut Tx<'_>,
    own: &Services,
    it: &Reservation,
    moment: Moment,
) -> Result<LockerId, Error> {
    let freed: HashMap<LockerId, i64> =
        rentals::list_freed(tx.conn, it.bank_id)?.into_iter().collect();
    let snapshot = tx.snapshot();
    let bank = pool_bank(snapshot, it.bank_id)?;
    let line = own.line(snapshot);
    let waiting = line.waiting(bank, moment.today);
    let kept = waiting.iter().any(|other| other.accessible && other.id != it.id);
    let mut free: Vec<_> = snapshot
        .site
        .lockers_of(bank.id)
        .filter(|locker| own.is_free(snapshot, locker, it.dates, moment))
        .map(|locker| {
            let freed_ms = freed.get(&locker.id).copied();
            let next = next_claim(snapshot, locker.id, it.dates.last());
            preference(locker, next, freed_ms, it.accessible, kept)
        })
        .collect();
    let before = waiting.iter().filter(|other| other.id < it.id).count();
    if before >= free.len() {
        let offered = line.offers(bank, it).next().map(|id| id.0);
        let detail = if free.is_empty() {
            "no locker of this bank is free right now: somebody has not left theirs"
        } else {
            "what is free now was reserved by others before you: ask again later"
        };
        return Err(with_dates(Error::new(Code::NoFreeLocker, detail), it.dates)
            .with("offered_bank_id", offered));
    }
    free.sort_unstable();
    for (_, _, _, locker) in free {
        // What looked free may still have an opening that is not settled.
        match make_room(tx, own, locker, it.dates, moment) {
            Ok(()) => return Ok(locker),
            Err(error) if error.code == Code::LockerTaken => {}
            Err(error) => return Err(error),
        }
    }
    let detail = "no locker of this bank is free right now: try again in a moment";
    Err(with_dates(Error::new(Code::NoFreeLocker, detail), it.dates))
}

/// The first day after a last one for which a compartment was given to somebody already; the latest of
/// all days when there is none.
fn next_claim(snapshot: &Snapshot, locker: LockerId, last: Date) -> Date {
    let claims = snapshot.of_locker(locker).map(|rental| rental.dates.first());
    claims.filter(|first| last < *first).min().unwrap_or(Date::MAX)
}

impl Services {
    /// Whether a compartment can be bound now; a return that only waits to be written down does not
    /// keep it.
    fn is_free(
        &self,
        snapshot: &Snapshot,
        locker: &Locker,
        dates: DateSpan,
        moment: Moment,
    ) -> bool {
        locker.in_service && self.in_the_way(snapshot, locker.id, dates, moment).is_none()
    }
}

/// Notes that a reservation was not served although its member came, or may have come.
pub(super) fn note_unserved(tx: &mut Tx<'_>, id: RentalId) -> Result<(), Error> {
    let it = tx.snapshot().reservation(id).filter(|it| !it.unserved).copied();
    let Some(it) = it else { return Ok(()) };
    rentals::update_unserved(tx.conn, id, tx.now_ms())?;
    tx.apply(&Change::Reserved(Reservation { unserved: true, ..it }));
    Ok(())
}

fn replace_job(
    tx: &mut Tx<'_>,
    own: &Services,
    member: MemberId,
    id: RentalId,
    bank: BankId,
) -> Result<Reserved, Error> {
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    claims::demand_staying(tx.snapshot(), member)?;
    if !moment.trusted {
        return Err(clock_untrusted());
    }
    let it = own_reservation(tx.snapshot(), member, id)?;
    let dates = demand_offer(tx.snapshot(), own, &it, bank, moment.today)?;
    end(tx, &it, EndReason::Replaced, Some(member), "reservation.replaced")?;
    let new = NewReservation {
        bank_id: bank,
        member_id: member,
        dates,
        accessible: it.accessible,
        follows: Some(id),
    };
    insert(tx, &new, "reservation.replace")
}

/// Demands that a reservation cannot be served and that another bank can take it; gives the days that
/// are left of it.
fn demand_offer(
    snapshot: &Snapshot,
    own: &Services,
    it: &Reservation,
    wanted: BankId,
    today: Date,
) -> Result<DateSpan, Error> {
    let (mine, other) = (pool_bank(snapshot, it.bank_id)?, pool_bank(snapshot, wanted)?);
    if mine.id == other.id || mine.location_id != other.location_id {
        let detail = "take another bank of the same location";
        return Err(Error::new(Code::Invalid, detail));
    }
    if it.is_no_show(&mine.policy.pool, today) {
        let detail = "the days of check-in of this reservation are over: make another one";
        return Err(Error::new(Code::OutsideDates, detail));
    }
    let line = own.line(snapshot);
    if !it.unserved && !line.is_short(mine, it) {
        let detail = "this reservation can be served: there is nothing to replace";
        return Err(Error::new(Code::NoShortage, detail));
    }
    let dates = line.still(it);
    if !line.takes(other, it) {
        demand_room(snapshot, other, dates, today)?;
        let day = dates.first();
        let detail = format!("the other bank does not open on {day}: give this reservation up");
        return Err(
            with_dates(Error::new(Code::DatesRefused, detail), dates).with("reason", "closed")
        );
    }
    Ok(dates)
}
