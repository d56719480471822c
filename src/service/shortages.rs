//! Occupied is not rented: rentals whose locker is not to be had, because somebody earlier has not
//! emptied it or because it is out of service.
//!
//! Their renters cannot open it, are told beforehand and offered the nearest free one for the same
//! dates, which they may take; staff have a list. Whoever has things inside may always take them
//! out. What a job tells is asked of the state, so that a missed day is told later and nothing
//! twice. Reservations that cannot be served are told and listed beside these (`pool/short.rs`).

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::clock::clock_untrusted;
use super::commissioning::demand_staff;
use super::error::{Code, Error};
use super::extensions::last_day_over;
use super::idempotency::{Answer, RequestKey, once};
use super::mails;
use super::rentals::{self as claims, Moment, locker_not_found, not_your_locker, refuse, taken};
use super::returning::{PAGE_MAX, TakenBy};
use super::tokens::Caller;
use super::{Services, is_staff_for, pool, returning};
use crate::domain::bank::{Bank, Mode};
use crate::domain::id::{BankId, LockerId, MemberId, RentalId};
use crate::domain::locker::Locker;
use crate::domain::rental::{EndReason, Rental, RentalState};
use crate::domain::shortage::{ShortageReason, nearness};
use crate::domain::time::{DateSpan, Monotonic};
use crate::store::audit::AuditEntry;
use crate::store::rentals::{self, NewHold, NewReplacement};
use crate::store::{Change, Lane, Snapshot, StoreError, Tx, members, outbox};

/// Most free lockers that are named for one shortage.
const ALTERNATIVES_MAX: usize = 3;

/// Most renters told in one job: the writer is not kept from others for long.
pub(super) const TELL_SLICE: usize = 32;

/// From which hour of the eve on a renter is told that the one before has not left: until then most
/// lockers of a term that ends that day are still in rightful use.
pub(super) const EVE_HOUR: i8 = 18;

/// A rental whose locker is not to be had, or a reservation that cannot be served, for staff.
#[derive(Debug, Clone)]
pub struct Shortage {
    /// The rental or reservation.
    pub id: RentalId,
    /// Its locker; `None` of a reservation.
    pub locker_id: Option<LockerId>,
    /// Its bank.
    pub bank_id: BankId,
    /// Whose it is.
    pub member_id: MemberId,
    /// From which day to which day.
    pub dates: DateSpan,
    /// Whose it is: student id and name; `None` when they have left since.
    pub member: Option<(String, String)>,
    /// Why the locker is not to be had.
    pub reason: ShortageReason,
    /// The last day of the rental that still occupies it.
    pub occupied_until: Option<Date>,
    /// Whether the renter was told.
    pub told: bool,
    /// Free lockers for the same dates, the nearest first.
    pub alternatives: Vec<LockerId>,
    /// Of a reservation: banks that have room for the same days.
    pub alternative_banks: Vec<BankId>,
}

/// A locker that was taken in place of another one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Replacement {
    /// The new locker.
    pub locker_id: LockerId,
    /// In whose place.
    pub former_locker_id: LockerId,
    /// For which days.
    pub dates: DateSpan,
}

/// The state at one moment, in which shortages are looked for.
#[derive(Clone, Copy)]
struct View<'a> {
    snapshot: &'a Snapshot,
    monotonic: Monotonic,
    today: Date,
}

impl View<'_> {
    fn reason(&self, rental: &Rental) -> Option<ShortageReason> {
        if rental.state != RentalState::Active {
            return None;
        }
        let (locker, _) = self.snapshot.site.locker(rental.locker_id)?;
        if !locker.in_service {
            return Some(ShortageReason::OutOfService);
        }
        self.occupant_before(rental).map(|_| ShortageReason::Occupied)
    }

    /// Somebody else who has not left the locker yet.
    fn occupant_before(&self, rental: &Rental) -> Option<&Rental> {
        let others = self.snapshot.of_locker(rental.locker_id);
        let mut others = others.filter(|other| other.member_id != rental.member_id);
        others
            .find(|other| other.occupies(self.today) && other.dates.first() < rental.dates.first())
    }

    /// Whether a locker can really be had for dates: not only free on these days, but empty now.
    fn can_be_had(&self, locker: &Locker, dates: DateSpan) -> bool {
        let in_the_way = self.snapshot.in_the_way(locker.id, dates, self.monotonic, self.today);
        locker.in_service
            && in_the_way.is_none()
            && self.snapshot.occupant(locker.id, self.today).is_none()
    }

    /// Lockers at the same location that can be had for the dates of a rental, the nearest first.
    fn alternatives(&self, rental: &Rental) -> Vec<LockerId> {
        let site = &self.snapshot.site;
        let Some((mine, bank)) = site.locker(rental.locker_id) else { return Vec::new() };
        let days = DateSpan::new(rental.dates.first().max(self.today), rental.dates.last());
        let has_room = |other: &Bank| {
            let room = days.map(|days| self.snapshot.room(other.id, days, self.today));
            room.is_some_and(|room| room.full_days().is_empty())
        };
        // What was promised to those who reserved days in another bank is not given away.
        let here: BTreeSet<BankId> = site
            .banks
            .values()
            .filter(|other| other.location_id == bank.location_id && other.mode == bank.mode)
            .filter(|other| other.id == bank.id || other.mode == Mode::Choose || has_room(other))
            .map(|other| other.id)
            .collect();
        let here = |locker: &&Locker| here.contains(&locker.bank_id);
        let free = |locker: &&Locker| self.can_be_had(locker, rental.dates);
        let mut found: Vec<&Locker> = site.lockers.values().filter(here).filter(free).collect();
        found.sort_by_key(|other| nearness(mine, other));
        found.into_iter().map(|locker| locker.id).collect()
    }

    /// A rental whose locker is not to be had, as far as the state tells of it.
    fn shortage(&self, rental: &Rental) -> Option<Shortage> {
        let reason = self.reason(rental)?;
        Some(Shortage {
            id: rental.id,
            locker_id: Some(rental.locker_id),
            bank_id: self.snapshot.site.locker(rental.locker_id)?.1.id,
            member_id: rental.member_id,
            dates: rental.dates,
            member: None,
            reason,
            occupied_until: self.occupant_before(rental).map(|other| other.dates.last()),
            told: false,
            alternatives: Vec::new(),
            alternative_banks: Vec::new(),
        })
    }

    /// Whether the renter is to be told by now.
    fn is_to_be_told(&self, rental: &Rental, reason: ShortageReason, hour: i8) -> bool {
        match reason {
            ShortageReason::OutOfService => rental.opened || rental.dates.last() >= self.today,
            // Of reservations, which are told by themselves.
            ShortageReason::TooFew => false,
            ShortageReason::Occupied if rental.dates.first() <= self.today => true,
            ShortageReason::Occupied => {
                let tomorrow =
                    self.today.checked_add(1.day()).is_ok_and(|day| day == rental.dates.first());
                let late =
                    self.occupant_before(rental).is_some_and(|it| it.dates.last() < self.today);
                tomorrow && (late || hour >= EVE_HOUR)
            }
        }
    }
}

impl Services {
    /// Demands that the locker of a renter in their dates is to be had: nobody from before is still
    /// in it, and it is in service. Whoever has opened it may open it whatever became of it.
    pub(super) fn demand_to_be_had(
        &self,
        snapshot: &Snapshot,
        rental: &Rental,
        today: Date,
    ) -> Result<(), Error> {
        let view = View { snapshot, monotonic: self.clock.monotonic(), today };
        let left = |other: &Rental| self.is_due(snapshot, other, view.monotonic);
        let refusal = match view.reason(rental) {
            Some(ShortageReason::OutOfService) if !rental.opened => {
                Error::new(Code::OutOfService, "this locker is out of service: take another one")
            }
            Some(ShortageReason::Occupied) if !view.occupant_before(rental).is_some_and(left) => {
                let detail = "somebody has not emptied this locker yet: take another one";
                Error::new(Code::Occupied, detail)
            }
            _ => return Ok(()),
        };
        let offered = view.alternatives(rental).first().map(|id| id.0);
        Err(refusal
            .with("locker_id", rental.locker_id.0)
            .with("offered_locker_id", offered)
            .with("starts_on", rental.dates.first().to_string())
            .with("ends_on", rental.dates.last().to_string()))
    }

    /// Takes another locker in place of one that is not to be had, for the same dates: the given one,
    /// or the nearest.
    pub async fn replace(
        &self,
        caller: Caller,
        locker: LockerId,
        wanted: Option<LockerId>,
        key: Option<RequestKey>,
    ) -> Result<Answer<Replacement>, Error> {
        self.known_locker(locker)?;
        let own = self.own()?;
        self.store
            .write(Lane::Change, move |tx| {
                once(tx, caller.member_id, "replace", key.as_ref(), |tx| {
                    replace_job(tx, &own, caller.member_id, locker, wanted)
                })
            })
            .await
    }

    /// Rentals of the caller's banks that begin on a day and whose locker is not to be had, and
    /// reservations that cannot be served then, as known now, by number, those behind `after`, at most
    /// `limit`; with the day, tomorrow when none is given.
    pub async fn shortages(
        &self,
        caller: Caller,
        on: Option<Date>,
        bank: Option<BankId>,
        (after, limit): (Option<RentalId>, usize),
    ) -> Result<(Date, Vec<Shortage>), Error> {
        demand_staff(caller)?;
        let (snapshot, today) = (self.store.snapshot(), self.clock.today());
        let on = on.unwrap_or_else(|| today.checked_add(1.day()).unwrap_or(today));
        let view = View { snapshot: &snapshot, monotonic: self.clock.monotonic(), today };
        let asked =
            |id: BankId| bank.is_none_or(|bank| bank == id) && is_staff_for(&snapshot, caller, id);
        let rented = snapshot
            .rentals()
            .filter(|rental| rental.dates.first() == on)
            .filter_map(|rental| view.shortage(rental));
        let mut found: Vec<Shortage> = rented.filter(|it| asked(it.bank_id)).collect();
        let banks = snapshot.site.banks.values().filter(|bank| asked(bank.id));
        found.extend(self.line(&snapshot).shortages_on(banks, on));
        found.retain(|it| after.is_none_or(|after| after < it.id));
        found.sort_by_key(|it| it.id);
        found.truncate(limit.min(PAGE_MAX + 1));
        let people: Vec<MemberId> = found.iter().map(|it| it.member_id).collect();
        let read = self.store.read(move |conn| {
            let one = |id: MemberId| {
                let row = members::find_by_id(conn, id)?;
                Ok(row.map(|row| (row.student_id, row.name)))
            };
            let people: Result<Vec<_>, StoreError> = people.into_iter().map(one).collect();
            Ok((people?, rentals::list_shortages_told(conn)?))
        });
        let (people, told) = read.await?;
        for (row, member) in found.iter_mut().zip(people) {
            (row.member, row.told) = (member, told.contains(&row.id));
            row.alternatives = snapshot.rental(row.id).map_or_else(Vec::new, |rental| {
                view.alternatives(rental).into_iter().take(ALTERNATIVES_MAX).collect()
            });
        }
        Ok((on, found))
    }

    /// Tells each renter once whose locker is not to be had: of one out of service at once, of one
    /// that is occupied from the eve of their first day on. One that can be had again is forgotten,
    /// so that the next shortage is told anew. Says how many were told.
    pub async fn tell_shortages(&self) -> Result<usize, Error> {
        if self.store.degraded().is_some() {
            return Ok(0);
        }
        let (snapshot, today) = (self.store.snapshot(), self.clock.today());
        let hour = self.clock.now().to_zoned(self.clock.zone().clone()).hour();
        let view = View { snapshot: &snapshot, monotonic: self.clock.monotonic(), today };
        let told: BTreeSet<RentalId> =
            self.store.read(rentals::list_shortages_told).await?.into_iter().collect();
        let mut due = BTreeSet::new();
        for rental in snapshot.rentals() {
            let reason = view.reason(rental);
            let tell = reason.is_some_and(|reason| view.is_to_be_told(rental, reason, hour));
            if tell && !told.contains(&rental.id) {
                due.insert(rental.id);
            }
        }
        let short = self.line(&snapshot).short();
        let over = |id: &RentalId| match snapshot.rental(*id) {
            Some(rental) => view.reason(rental).is_none(),
            None => !short.contains(id),
        };
        let over: Vec<RentalId> = told.iter().copied().filter(over).collect();
        if !over.is_empty() {
            self.store
                .write::<_, StoreError, _>(Lane::Housekeeping, move |tx| {
                    over.iter().try_for_each(|id| rentals::update_shortage_told(tx.conn, *id, None))
                })
                .await?;
        }
        let due: Vec<RentalId> = due.into_iter().collect();
        let mut offered = BTreeSet::new();
        for slice in due.chunks(TELL_SLICE) {
            let (slice, before) = (slice.to_vec(), offered.clone());
            offered = self
                .store
                .write::<_, Error, _>(Lane::Housekeeping, move |tx| {
                    let mut offered = before.clone();
                    for id in &slice {
                        tell(tx, *id, None, today, &mut offered)?;
                    }
                    Ok(offered)
                })
                .await?;
        }
        Ok(due.len() + self.tell_short_reservations(&told).await?)
    }
}

/// Tells the renters of a locker that it is taken out of service, for whoever does that in this
/// transaction, `why` as staff put it. Those who were told before are not told again.
pub(super) fn tell_out_of_service(
    tx: &mut Tx<'_>,
    locker: LockerId,
    why: Option<&str>,
    today: Date,
) -> Result<(), Error> {
    let told = rentals::list_shortages_told(tx.conn)?;
    let of_locker = tx.snapshot().of_locker(locker);
    let theirs: Vec<RentalId> = of_locker
        .filter(|rental| rental.state == RentalState::Active && !told.contains(&rental.id))
        .map(|rental| rental.id)
        .collect();
    let mut offered = BTreeSet::from([locker]);
    for id in &theirs {
        let reason = Some((ShortageReason::OutOfService, why));
        tell(tx, *id, reason, today, &mut offered)?;
    }
    Ok(())
}

/// Tells one renter, and offers a locker that nobody else was offered just now. Without a `reason`
/// it is asked of the state; a shortage that is over by now is not told.
fn tell(
    tx: &mut Tx<'_>,
    id: RentalId,
    reason: Option<(ShortageReason, Option<&str>)>,
    today: Date,
    offered: &mut BTreeSet<LockerId>,
) -> Result<(), Error> {
    let Some(rental) = tx.snapshot().rental(id).copied() else { return Ok(()) };
    let view = View { snapshot: tx.snapshot(), monotonic: tx.monotonic, today };
    let seen = || view.reason(&rental).map(|reason| (reason, None));
    let Some((reason, why)) = reason.or_else(seen) else { return Ok(()) };
    // Whoever should have left by now is offered nothing.
    let over = rental.sealed || rental.dates.last() < today;
    let others = if over { Vec::new() } else { view.alternatives(&rental) };
    let nearest = others.into_iter().find(|id| !offered.contains(id));
    offered.extend(nearest);
    let payload = json!({
        "locker_id": rental.locker_id,
        "starts_on": rental.dates.first().to_string(),
        "ends_on": rental.dates.last().to_string(),
        "reason": reason,
        "why": why,
        "offered": nearest,
    });
    outbox::insert(tx.conn, "shortage", rental.member_id, &payload.to_string(), tx.now_ms())?;
    rentals::update_shortage_told(tx.conn, id, Some(tx.now_ms()))?;
    let detail = json!({ "locker_id": rental.locker_id, "reason": reason, "offered": nearest });
    let (subject, detail) = (format!("rental:{id}"), detail.to_string());
    let action = "rental.shortage_told";
    Ok(tx.audit(&AuditEntry { actor: None, action, subject: &subject, detail: &detail })?)
}

fn replace_job(
    tx: &mut Tx<'_>,
    own: &Services,
    member: MemberId,
    locker: LockerId,
    wanted: Option<LockerId>,
) -> Result<Replacement, Error> {
    claims::demand_staying(tx.snapshot(), member)?;
    let moment = Moment { monotonic: tx.monotonic, ..own.moment() };
    if !moment.trusted {
        return Err(clock_untrusted());
    }
    let (old, target) = choose(tx, own, member, locker, wanted)?;
    make_room(tx, own, target, old.dates, moment)?;
    let id = put_in_place(tx, own, &old, target, TakenBy::Renter)?;
    tell_replaced(tx, "rental.replace", &old, (id, target))?;
    Ok(Replacement { locker_id: target, former_locker_id: locker, dates: old.dates })
}

/// Ends or returns an active rental and lets another locker take its place for the same dates, which
/// must be free by now; gives the number of the new rental. In pool mode the bank must have room for
/// both where the old one is still to be emptied.
pub(super) fn put_in_place(
    tx: &mut Tx<'_>,
    own: &Services,
    old: &Rental,
    target: LockerId,
    by: TakenBy,
) -> Result<RentalId, Error> {
    let (member, locker) = (old.member_id, old.locker_id);
    let former = match returning::taken_away(tx, own, old, by)? {
        Some((seen, _)) => seen,
        None => old.replaced(member, tx.monotonic).map_err(|error| refuse(error, locker))?,
    };
    let (snapshot, today) = (tx.snapshot(), own.clock.today());
    let (_, bank) = snapshot.site.locker(target).ok_or_else(|| locker_not_found(target))?;
    if former.is_returned() || snapshot.site.bank_of(locker) != Some(bank.id) {
        pool::demand_room(snapshot, bank, old.dates, today)?;
    }
    if former.is_returned() {
        rentals::update_known(tx.conn, &former, tx.now_ms())?;
    } else {
        rentals::update_ended(tx.conn, old.id, EndReason::Replaced, tx.now_ms())?;
    }
    tx.apply(&Change::Rental(former));
    let claim =
        NewHold { locker_id: target, member_id: member, term_id: old.term_id, dates: old.dates };
    let stored = NewReplacement { claim, follows: old.id };
    let id = rentals::insert_replacement(tx.conn, &stored, tx.now_ms())?;
    // Days and extensions go on; what was about the hold, the door and being late does not.
    let new = Rental {
        id,
        locker_id: target,
        opened: false,
        hold_extended: false,
        sealed: false,
        ..*old
    };
    tx.apply(&Change::Rental(new));
    Ok(id)
}

/// Writes down that another locker took the place of one, and tells the renter.
pub(super) fn tell_replaced(
    tx: &mut Tx<'_>,
    action: &'static str,
    old: &Rental,
    (id, target): (RentalId, LockerId),
) -> Result<(), Error> {
    let (member, locker) = (old.member_id, old.locker_id);
    let detail = json!({ "locker_id": target, "former_locker_id": locker, "follows_id": old.id });
    let (subject, detail) = (format!("rental:{id}"), detail.to_string());
    tx.audit(&AuditEntry { actor: Some(member), action, subject: &subject, detail: &detail })?;
    let mut payload = mails::rental(tx.snapshot(), target, old.dates);
    payload["former_locker_id"] = json!(locker);
    payload["to_be_emptied"] = tx.snapshot().rental(old.id).is_some_and(Rental::is_returned).into();
    Ok(outbox::insert(tx.conn, "rental_replaced", member, &payload.to_string(), tx.now_ms())?)
}

/// The rental that is to be replaced, and the locker that takes its place.
fn choose(
    tx: &Tx<'_>,
    own: &Services,
    member: MemberId,
    locker: LockerId,
    wanted: Option<LockerId>,
) -> Result<(Rental, LockerId), Error> {
    let (snapshot, today) = (tx.snapshot(), own.clock.today());
    let view = View { snapshot, monotonic: tx.monotonic, today };
    let mine = snapshot
        .of_member(member)
        .filter(|rental| rental.locker_id == locker && rental.state == RentalState::Active);
    // Whoever is late empties theirs: what comes after it may still be replaced.
    let over = |rental: &Rental| rental.sealed || rental.dates.last() < today;
    let mine = mine.min_by_key(|rental| (over(rental), rental.dates.first()));
    let mine = mine.ok_or_else(|| not_your_locker(locker))?;
    if over(mine) {
        return Err(last_day_over());
    }
    // Before whoever is there is expected to be gone, a locker is not short: this is no free swap.
    let hour = own.clock.now().to_zoned(own.clock.zone().clone()).hour();
    if !view.reason(mine).is_some_and(|reason| view.is_to_be_told(mine, reason, hour)) {
        let detail = format!("locker {locker} can be had: there is nothing to replace");
        return Err(Error::new(Code::NoShortage, detail));
    }
    let Some(wanted) = wanted else {
        let nearest = view.alternatives(mine).first().copied();
        let none = || Error::new(Code::NoFreeLocker, "no locker here is free for these dates");
        return Ok((*mine, nearest.ok_or_else(none)?));
    };
    let place = |id| snapshot.site.locker(id).ok_or_else(|| locker_not_found(id));
    let (target, bank) = place(wanted)?;
    let mine_in = place(locker)?.1;
    if bank.location_id != mine_in.location_id || bank.mode != mine_in.mode {
        let detail = "the other locker must be at the same location, lent in the same way";
        return Err(Error::new(Code::Invalid, detail));
    }
    if target.in_service { Ok((*mine, wanted)) } else { Err(claims::out_of_service()) }
}

/// Ends what is over by now at a locker, and demands that it is empty and free for the dates.
pub(super) fn make_room(
    tx: &mut Tx<'_>,
    own: &Services,
    locker: LockerId,
    dates: DateSpan,
    moment: Moment,
) -> Result<(), Error> {
    demand_free(tx, own, locker, dates, moment)?;
    match tx.snapshot().occupant(locker, moment.today) {
        Some(other) => Err(taken(other, moment.monotonic)),
        None => Ok(()),
    }
}

/// Ends what is over by now at a locker, and demands that nothing keeps a claim for the dates from it.
pub(super) fn demand_free(
    tx: &mut Tx<'_>,
    own: &Services,
    locker: LockerId,
    dates: DateSpan,
    moment: Moment,
) -> Result<(), Error> {
    let dead: Vec<Rental> = tx
        .snapshot()
        .of_locker(locker)
        .filter(|rental| rental.is_expired_hold(moment.monotonic))
        .copied()
        .collect();
    for rental in &dead {
        claims::expire(tx, rental)?;
    }
    returning::settle_locker(tx, own, locker)?;
    match tx.snapshot().in_the_way(locker, dates, moment.monotonic, moment.today) {
        Some(other) => Err(taken(other, moment.monotonic)),
        None => Ok(()),
    }
}
