//! What people may know of lockers, read from the published snapshot without waiting.
//!
//! Who rents a locker is nobody else's business: nothing here names a member other than the one
//! who asks.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::error::Error;
use super::extensions::Extendable;
use super::overdue::Lateness;
use super::rentals::locker_not_found;
use super::tokens::Caller;
use super::{Services, is_staff_for};
use crate::domain::bank::{Bank, Location};
use crate::domain::channel::{Channel, DoorState};
use crate::domain::id::{BankId, LockerId, MemberId};
use crate::domain::locker::{Availability, Locker};
use crate::domain::name::Name;
use crate::domain::rental::{Rental, RentalState};
use crate::domain::returning::{Verdict, WaitsFor};
use crate::domain::term::{Window, window};
use crate::domain::time::{DateSpan, Monotonic};
use crate::store::Snapshot;

/// Longest time that a listing counts as fresh.
const LISTING_AGE_MAX: Duration = Duration::from_mins(1);

/// One line of the list that everybody gets.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The locker.
    pub locker: &'a Locker,
    /// Its bank.
    pub bank: &'a Bank,
    /// Whether it can be claimed.
    pub availability: Availability,
}

/// The state of the site at one moment, from which lists are made.
pub struct Listing {
    snapshot: Arc<Snapshot>,
    now: Timestamp,
    monotonic: Monotonic,
    today: Date,
    /// From this instant on another listing may look different, though nothing was written.
    pub stale_at: Monotonic,
}

impl Listing {
    /// The version of the state it shows.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.snapshot.version
    }

    /// Every locker in the order of its number.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let site = &self.snapshot.site;
        let mut known: Option<(&Bank, DateSpan)> = None;
        site.lockers.values().filter_map(move |locker| {
            // Lockers of one bank mostly stand together: its dates are worked out once.
            let (bank, dates) = match known {
                Some((bank, dates)) if bank.id == locker.bank_id => (bank, dates),
                _ => {
                    let bank = site.banks.get(&locker.bank_id)?;
                    (bank, offered_dates(&self.snapshot, bank, self.now, self.today))
                }
            };
            known = Some((bank, dates));
            let availability =
                self.snapshot.availability(locker, dates, self.monotonic, self.today);
            Some(Row { locker, bank, availability })
        })
    }
}

/// A bank's numbers.
#[derive(Debug, Clone)]
pub struct BankSummary {
    /// The bank.
    pub bank: Bank,
    /// Lockers that are lent.
    pub in_service: u32,
    /// Of those, how many can be held now.
    pub free: u32,
    /// Held.
    pub held: u32,
    /// Rented.
    pub taken: u32,
    /// Given back, but not free yet; these count as taken as well.
    pub returning: u32,
    /// Rented past the end of the rental.
    pub overdue: u32,
    /// How many people wait before the bank without an offer.
    pub waiting: u32,
    /// Not lent for now.
    pub out_of_service: u32,
    /// In pool mode: reservations for today that were not checked in yet.
    pub reserved_today: u32,
    /// Whether claims are accepted, and when.
    pub window: Value,
}

/// The caller's own locker.
#[derive(Debug, Clone)]
pub struct MyLocker {
    /// The hold or rental.
    pub rental: Rental,
    /// The bank of the locker.
    pub bank_id: BankId,
    /// Where it stands.
    pub location: Name,
    /// Whether it is lent; a rental goes on while it is not.
    pub in_service: bool,
    /// How much of a hold is left, in milliseconds; `None` for a rental.
    pub hold_expires_in_ms: Option<u64>,
    /// Whether a hold is the offer for which the caller waited.
    pub offer: bool,
    /// Whether a rental can be extended, where the bank does so.
    pub extendable: Option<Extendable>,
    /// What a returned one waits for.
    pub waits_for: Option<WaitsFor>,
    /// From when on a returned one is free, as far as that is known.
    pub free_at: Option<Timestamp>,
    /// What is known of its door.
    pub door: DoorState,
    /// Since when the door is as it is, as far as this run of the program has seen it.
    pub door_since: Option<Timestamp>,
    /// How late a rental past its last day is.
    pub late: Option<Lateness>,
}

/// One locker as its page shows it.
#[derive(Debug, Clone)]
pub struct LockerView {
    /// Its number.
    pub id: LockerId,
    /// Where it stands.
    pub location: Name,
    /// The name of its bank.
    pub bank: Bank,
    /// Whether it can be claimed.
    pub availability: Availability,
    /// Whether the caller holds or rents it.
    pub mine: bool,
    /// What is known of its door; told to its renter and to staff of the bank only.
    pub door: Option<DoorState>,
    /// Whether claims are accepted, and when.
    pub window: Value,
}

impl Services {
    /// The state of every locker now. Meeting holds whose time is up has them written down.
    #[must_use]
    pub fn listing(&self) -> Listing {
        let (snapshot, now, monotonic) =
            (self.store.snapshot(), self.clock.now(), self.clock.monotonic());
        let next_hold = snapshot
            .rentals()
            .filter_map(|rental| match rental.state {
                RentalState::Held { until } if monotonic < until => Some(until),
                _ => None,
            })
            .min();
        if snapshot.expired_holds(monotonic).next().is_some() {
            self.tidy_holds_soon();
        }
        let boundary = self.next_boundary(&snapshot, now);
        let wait_ms = u64::try_from(boundary.as_millisecond() - now.as_millisecond()).unwrap_or(0);
        // A wall clock that is set meanwhile moves the boundary: look again before long.
        let boundary = monotonic.after(LISTING_AGE_MAX.min(Duration::from_millis(wait_ms)));
        let stale_at = next_hold.map_or(boundary, |hold| hold.min(boundary));
        Listing { snapshot, now, monotonic, today: self.clock.today(), stale_at }
    }

    /// The next instant at which a window opens or closes, or the site's day ends.
    fn next_boundary(&self, snapshot: &Snapshot, now: Timestamp) -> Timestamp {
        let midnight = self
            .clock
            .today()
            .checked_add(1.day())
            .ok()
            .and_then(|day| day.to_zoned(self.clock.zone().clone()).ok())
            .map_or(Timestamp::MAX, |day| day.timestamp());
        let instants = snapshot.site.terms.iter().flat_map(|term| [term.opens_at, term.closes_at]);
        instants.filter(|at| now < *at).fold(midnight, Timestamp::min)
    }

    /// The numbers of every bank now, by location.
    #[must_use]
    pub fn summary(&self) -> Vec<(Location, Vec<BankSummary>)> {
        self.summary_of(&self.listing())
    }

    /// The numbers of every bank in a listing, by location. As fresh as the listing while the clock
    /// stays as trusted as it is.
    #[must_use]
    pub fn summary_of(&self, listing: &Listing) -> Vec<(Location, Vec<BankSummary>)> {
        let trusted = self.clock_is_trusted();
        let snapshot = &listing.snapshot;
        let mut banks: Vec<BankSummary> = snapshot
            .site
            .banks
            .values()
            .map(|bank| BankSummary {
                bank: bank.clone(),
                in_service: 0,
                free: 0,
                held: 0,
                taken: 0,
                returning: 0,
                overdue: 0,
                waiting: 0,
                out_of_service: 0,
                reserved_today: reserved_on(snapshot, bank, listing.today),
                window: window_data(
                    window(&snapshot.site.terms, bank, listing.now),
                    listing.now,
                    trusted,
                ),
            })
            .collect();
        for row in listing.rows() {
            let Some(sums) = banks.iter_mut().find(|sums| sums.bank.id == row.bank.id) else {
                continue;
            };
            // Nobody is late by a clock that may be wrong.
            let overdue = trusted
                && snapshot.of_locker(row.locker.id).any(|rental| {
                    rental.state == RentalState::Active && rental.dates.last() < listing.today
                });
            sums.overdue += u32::from(overdue);
            let occupant = snapshot.occupant(row.locker.id, listing.today);
            sums.returning += u32::from(occupant.is_some_and(Rental::is_returned));
            sums.in_service += u32::from(row.locker.in_service);
            match row.availability {
                Availability::Free => sums.free += 1,
                Availability::Held => sums.held += 1,
                Availability::Taken => sums.taken += 1,
                Availability::OutOfService => sums.out_of_service += 1,
            }
        }
        for (bank, term) in snapshot.lines().waited_for() {
            let count = u32::try_from(snapshot.lines().count(bank, term)).unwrap_or(u32::MAX);
            if let Some(sums) = banks.iter_mut().find(|sums| sums.bank.id == bank) {
                sums.waiting = sums.waiting.saturating_add(count);
            }
        }
        let of = |location: &Location| {
            banks.iter().filter(|sums| sums.bank.location_id == location.id).cloned().collect()
        };
        snapshot.site.locations.values().map(|location| (location.clone(), of(location))).collect()
    }

    /// How many reservations of the caller wait for their day.
    #[must_use]
    pub fn reservations_waiting(&self, caller: Caller) -> usize {
        self.store.snapshot().reservations_of(caller.member_id).count()
    }

    /// The number of the locker that a member holds or rents, for the list's head.
    #[must_use]
    pub fn my_locker_id(&self, member: MemberId) -> Option<LockerId> {
        let mine = self.my_rental(&self.store.snapshot(), member)?;
        (!mine.is_returned()).then_some(mine.locker_id)
    }

    /// The caller's own hold or rental: today's first, then the one that begins next, then what they
    /// gave back; and behind it everything else of theirs that is live, by its first day.
    #[must_use]
    pub fn my_lockers(&self, caller: Caller) -> (Option<MyLocker>, Vec<MyLocker>) {
        let (snapshot, now) = (self.store.snapshot(), self.clock.monotonic());
        let first = self.my_rental(&snapshot, caller.member_id);
        let is_first = |rental: &Rental| first.is_some_and(|first| first.id == rental.id);
        let others = snapshot.of_member(caller.member_id);
        let mut others: Vec<&Rental> =
            others.filter(|rental| rental.is_live(now) && !is_first(rental)).collect();
        others.sort_by_key(|rental| (rental.dates.first(), rental.id));
        let others =
            others.into_iter().filter_map(|rental| self.mine(&snapshot, *rental)).collect();
        (first.and_then(|rental| self.mine(&snapshot, rental)), others)
    }

    fn mine(&self, snapshot: &Snapshot, rental: Rental) -> Option<MyLocker> {
        let now = self.clock.monotonic();
        let hold_expires_in_ms = match rental.state {
            RentalState::Held { until } => Some(now.ms_until(until)),
            _ => None,
        };
        let (_, verdict) = self.judge(snapshot, &rental, false, now);
        let (locker, bank) = snapshot.site.locker(rental.locker_id)?;
        let location = snapshot.site.locations.get(&bank.location_id);
        let door = locker.channel.as_ref().map(|channel| self.bus.door(channel));
        let door_since = door.and_then(|door| door.changed_at);
        Some(MyLocker {
            rental,
            bank_id: bank.id,
            location: location.map_or_else(|| bank.name.clone(), |location| location.name.clone()),
            in_service: locker.in_service,
            hold_expires_in_ms,
            offer: snapshot.lines().of_offer(rental.member_id, rental.id).is_some(),
            extendable: self.extendable(snapshot, &rental),
            waits_for: verdict.and_then(Verdict::waits_for),
            free_at: verdict.and_then(|verdict| self.free_at(verdict)),
            door: door.map_or(DoorState::Unknown, |door| door.state),
            door_since: door_since.map(|at| self.clock.wall_at(self.clock.monotonic_of(at))),
            late: self.lateness(snapshot, &rental, self.clock.today()),
        })
    }

    /// The rental or hold that a member goes by: today's before one that is still to come, and what
    /// was given back behind both.
    pub(super) fn my_rental(&self, snapshot: &Snapshot, member: MemberId) -> Option<Rental> {
        let (now, today) = (self.clock.monotonic(), self.clock.today());
        let place = |rental: &&Rental| {
            (rental.is_returned(), !rental.dates.contains(today), rental.dates.first(), rental.id)
        };
        snapshot.of_member(member).filter(|rental| rental.is_live(now)).min_by_key(place).copied()
    }

    /// One locker.
    pub fn locker(&self, caller: Caller, id: LockerId) -> Result<LockerView, Error> {
        let snapshot = self.store.snapshot();
        let (locker, bank) = snapshot.site.locker(id).ok_or_else(|| locker_not_found(id))?;
        let (now, monotonic) = (self.clock.now(), self.clock.monotonic());
        let today = self.clock.today();
        let dates = offered_dates(&snapshot, bank, now, today);
        let mine = snapshot
            .of_member(caller.member_id)
            .any(|rental| rental.locker_id == id && rental.is_live(monotonic));
        let may_see = mine || is_staff_for(&snapshot, caller, bank.id);
        let location = snapshot.site.locations.get(&bank.location_id);
        Ok(LockerView {
            id,
            location: location.map_or_else(|| bank.name.clone(), |location| location.name.clone()),
            bank: bank.clone(),
            availability: snapshot.availability(locker, dates, monotonic, today),
            mine,
            door: may_see.then(|| self.door(locker.channel.as_ref())),
            window: window_data(
                window(&snapshot.site.terms, bank, now),
                now,
                self.clock_is_trusted(),
            ),
        })
    }

    /// Where a locker is wired; an error when there is no such locker.
    pub(super) fn known_locker(&self, id: LockerId) -> Result<Option<Channel>, Error> {
        let snapshot = self.store.snapshot();
        let locker = snapshot.site.lockers.get(&id).ok_or_else(|| locker_not_found(id))?;
        Ok(locker.channel.clone())
    }

    fn door(&self, channel: Option<&Channel>) -> DoorState {
        channel.map_or(DoorState::Unknown, |channel| self.bus.door(channel).state)
    }
}

/// The days a claim would be for: the open term's, else the coming one's, else today.
fn offered_dates(snapshot: &Snapshot, bank: &Bank, now: Timestamp, today: Date) -> DateSpan {
    match window(&snapshot.site.terms, bank, now) {
        Window::Open(term) | Window::Before(term) => term.dates,
        Window::After(_) | Window::None => DateSpan::day(today),
    }
}

fn reserved_on(snapshot: &Snapshot, bank: &Bank, day: Date) -> u32 {
    let waiting = snapshot.reservations_until(bank.id, day).filter(|it| it.dates.contains(day));
    u32::try_from(waiting.count()).unwrap_or(u32::MAX)
}

/// A window as clients see it, with the server's clock beside it. By a clock that is not trusted none
/// is open.
pub(super) fn window_data(found: Window<'_>, now: Timestamp, trusted: bool) -> Value {
    let (state, term) = match found {
        Window::Open(term) | Window::Before(term) | Window::After(term) if !trusted => {
            ("clock_untrusted", Some(term))
        }
        Window::Open(term) => ("open", Some(term)),
        Window::Before(term) => ("before", Some(term)),
        Window::After(term) => ("after", Some(term)),
        Window::None => ("none", None),
    };
    json!({
        "state": state,
        "opens_at": term.map(|term| term.opens_at),
        "closes_at": term.map(|term| term.closes_at),
        "starts_on": term.map(|term| term.dates.first()),
        "ends_on": term.map(|term| term.dates.last()),
        "server_time": now,
    })
}
