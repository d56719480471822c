//! The published state: everything that answers "who may have or open what now" without a query.
//!
//! The writer builds the next snapshot from the changes that its jobs report and publishes it
//! after each commit, before the replies. Readers take an `Arc` and never wait. The maps share
//! structure between versions, so publishing costs as much as what changed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use super::reserved::Reserved;
use crate::domain::bank::{Bank, Location};
use crate::domain::channel::Channel;
use crate::domain::id::{
    BankId, KioskId, LocationId, LockerId, MemberId, RentalId, SessionId, WaitingId,
};
use crate::domain::kiosk::Kiosk;
use crate::domain::layout::BankLayout;
use crate::domain::locker::{Availability, Locker};
use crate::domain::pool::Reservation;
use crate::domain::pool::room::Room;
use crate::domain::rental::{Rental, RentalState};
use crate::domain::term::Term;
use crate::domain::time::{DateSpan, Monotonic};
use crate::domain::waiting::Waiter;

mod lines;

pub use lines::Lines;

/// What changes seldom: places, lockers, terms, who looks after what and who is leaving.
#[derive(Debug, Default)]
pub struct Site {
    /// Every location, by number.
    pub locations: BTreeMap<LocationId, Location>,
    /// Every bank, by number.
    pub banks: BTreeMap<BankId, Bank>,
    /// Every locker, by number.
    pub lockers: BTreeMap<LockerId, Locker>,
    /// The banks of retired lockers: they are in no list, but their history is still somebody's.
    pub retired: HashMap<LockerId, BankId>,
    /// What stands in the banks' grids beside lockers.
    pub layouts: BTreeMap<BankId, BankLayout>,
    /// Every term.
    pub terms: Vec<Term>,
    /// The banks of each staff member.
    pub staff: HashMap<MemberId, Vec<BankId>>,
    /// Every kiosk that was not revoked.
    pub kiosks: BTreeMap<KioskId, Kiosk>,
    /// The secrets behind the banks' presence codes, sealed for `presence:BANK`.
    pub presence_keys: BTreeMap<BankId, Vec<u8>>,
    /// Members who are gone from the roster: they can only empty their locker and return it.
    pub leavers: HashSet<MemberId>,
    /// Which locker is wired to a channel.
    pub by_channel: HashMap<Channel, LockerId>,
}

impl Site {
    /// A locker with its bank; `None` when there is no such locker.
    #[must_use]
    pub fn locker(&self, id: LockerId) -> Option<(&Locker, &Bank)> {
        let locker = self.lockers.get(&id)?;
        Some((locker, self.banks.get(&locker.bank_id)?))
    }

    /// The bank of a locker, also of a retired one: whose its history is.
    #[must_use]
    pub fn bank_of(&self, id: LockerId) -> Option<BankId> {
        let live = self.lockers.get(&id).map(|locker| locker.bank_id);
        live.or_else(|| self.retired.get(&id).copied())
    }

    /// The lockers of a bank in the order of their numbers.
    pub fn lockers_of(&self, bank: BankId) -> impl Iterator<Item = &Locker> {
        self.lockers.values().filter(move |locker| locker.bank_id == bank)
    }

    /// Builds the map from channels back to lockers.
    pub(super) fn index_channels(&mut self) {
        let wired = |locker: &Locker| Some((locker.channel.clone()?, locker.id));
        self.by_channel = self.lockers.values().filter_map(wired).collect();
    }

    /// Whether `member` looks after `bank`.
    #[must_use]
    pub fn is_staff_of(&self, member: MemberId, bank: BankId) -> bool {
        self.staff.get(&member).is_some_and(|banks| banks.contains(&bank))
    }
}

/// A change that a job made and that the snapshot must show.
#[derive(Debug, Clone)]
pub enum Change {
    /// A rental began or went on; an ended one disappears from the live ones.
    Rental(Rental),
    /// A reservation was made.
    Reserved(Reservation),
    /// A reservation was checked in, which a [`Change::Rental`] tells beside this, or given up.
    ReservationEnded(RentalId),
    /// Somebody waits before a bank, or got an offer.
    Waiting(Waiter),
    /// Somebody does not wait any more.
    WaitingEnded(WaitingId),
    /// The last day until which a member may claim nothing, after late returns; `None`: they may.
    Penalty(MemberId, Option<Date>),
    /// A log-in ended at this wall time (unix milliseconds).
    SessionEnded(SessionId, i64),
    /// Log-ins that ended before this wall time are forgotten: their tokens are dead by now.
    SessionsForgotten(i64),
    /// Places, lockers, terms, staff, leavers, kiosks or presence keys changed: they are read anew.
    Site,
}

/// One consistent state of the site.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Counts up with each published state of this process.
    pub version: u64,
    /// What changes seldom.
    pub site: Arc<Site>,
    live: imbl::HashMap<RentalId, Rental>,
    by_locker: imbl::HashMap<LockerId, Vec<RentalId>>,
    by_member: imbl::HashMap<MemberId, Vec<RentalId>>,
    ended_sessions: imbl::HashMap<SessionId, i64>,
    lines: Lines,
    reserved: Reserved,
    /// The last day of each member's penalties.
    penalties: imbl::HashMap<MemberId, Date>,
}

impl Snapshot {
    /// The first state, from what the database holds.
    #[must_use]
    pub fn new(
        version: u64,
        site: Arc<Site>,
        rentals: impl IntoIterator<Item = Rental>,
        ended_sessions: impl IntoIterator<Item = (SessionId, i64)>,
    ) -> Self {
        let mut snapshot = Self {
            version,
            site,
            live: imbl::HashMap::new(),
            by_locker: imbl::HashMap::new(),
            by_member: imbl::HashMap::new(),
            ended_sessions: ended_sessions.into_iter().collect(),
            lines: Lines::default(),
            reserved: Reserved::default(),
            penalties: imbl::HashMap::new(),
        };
        for rental in rentals {
            snapshot.put(rental);
        }
        snapshot
    }

    /// Shows a change; [`Change::Site`] is the writer's business, it has the database.
    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Rental(rental) if matches!(rental.state, RentalState::Ended(_)) => {
                self.remove(rental);
            }
            Change::Rental(rental) => self.put(*rental),
            Change::SessionEnded(id, at_ms) => {
                self.ended_sessions.insert(*id, *at_ms);
            }
            Change::SessionsForgotten(before_ms) => {
                self.ended_sessions.retain(|_, ended_ms| *ended_ms >= *before_ms);
            }
            Change::Waiting(waiter) => self.lines.put(*waiter),
            Change::WaitingEnded(id) => self.lines.remove(*id),
            Change::Reserved(it) => self.reserved.put(*it),
            Change::ReservationEnded(id) => self.reserved.remove(*id),
            Change::Penalty(member, Some(last)) => {
                self.penalties.insert(*member, *last);
            }
            Change::Penalty(member, None) => {
                self.penalties.remove(member);
            }
            Change::Site => {}
        }
    }

    /// The same state with these people waiting.
    #[must_use]
    pub fn with_lines(mut self, all: impl IntoIterator<Item = Waiter>) -> Self {
        all.into_iter().for_each(|it| self.lines.put(it));
        self
    }

    /// Who waits before which bank.
    #[must_use]
    pub const fn lines(&self) -> &Lines {
        &self.lines
    }

    /// The same state with these penalties, each with its last day.
    #[must_use]
    pub fn with_penalties(mut self, all: impl IntoIterator<Item = (MemberId, Date)>) -> Self {
        self.penalties.extend(all);
        self
    }

    /// The last day of a member's penalties, also when it is over by now.
    #[must_use]
    pub fn penalty_until(&self, member: MemberId) -> Option<Date> {
        self.penalties.get(&member).copied()
    }

    /// The same state with these reservations.
    #[must_use]
    pub fn with_reservations(mut self, all: impl IntoIterator<Item = Reservation>) -> Self {
        for it in all {
            self.reserved.put(it);
        }
        self
    }

    /// Every reservation that waits for its day.
    pub fn reservations(&self) -> impl Iterator<Item = &Reservation> {
        self.reserved.all()
    }

    /// A reservation that waits for its day.
    #[must_use]
    pub fn reservation(&self, id: RentalId) -> Option<&Reservation> {
        self.reserved.find(id)
    }

    /// The reservations of a member that wait for their day.
    pub fn reservations_of(&self, member: MemberId) -> impl Iterator<Item = &Reservation> {
        self.reserved.of_member(member)
    }

    /// The reservations of a bank that begin on a day or before, by when they begin.
    pub fn reservations_until(
        &self,
        bank: BankId,
        last: Date,
    ) -> impl Iterator<Item = &Reservation> {
        self.reserved.until(bank, last)
    }

    /// What a bank can give on some days and what was promised of it, as known on `today`.
    #[must_use]
    pub fn room(&self, bank: BankId, days: DateSpan, today: Date) -> Room {
        let mut room = Room::new(days, self.reserved.counts(bank), today);
        for locker in self.site.lockers_of(bank) {
            room.add(locker.in_service, self.of_locker(locker.id));
        }
        room
    }

    fn put(&mut self, rental: Rental) {
        if self.live.insert(rental.id, rental).is_none() {
            self.by_locker.entry(rental.locker_id).or_default().push(rental.id);
            self.by_member.entry(rental.member_id).or_default().push(rental.id);
        }
    }

    fn remove(&mut self, rental: &Rental) {
        if self.live.remove(&rental.id).is_some() {
            forget(&mut self.by_locker, &rental.locker_id, rental.id);
            forget(&mut self.by_member, &rental.member_id, rental.id);
        }
    }

    /// Every stored live rental and hold, also holds whose time is up but not yet written down.
    pub fn rentals(&self) -> impl Iterator<Item = &Rental> {
        self.live.values()
    }

    /// One stored hold or rental.
    #[must_use]
    pub fn rental(&self, id: RentalId) -> Option<&Rental> {
        self.live.get(&id)
    }

    /// The stored holds and rentals of a locker.
    pub fn of_locker(&self, id: LockerId) -> impl Iterator<Item = &Rental> {
        self.ids(self.by_locker.get(&id))
    }

    /// The stored holds and rentals of a member.
    pub fn of_member(&self, id: MemberId) -> impl Iterator<Item = &Rental> {
        self.ids(self.by_member.get(&id))
    }

    fn ids<'a>(&'a self, ids: Option<&'a Vec<RentalId>>) -> impl Iterator<Item = &'a Rental> {
        ids.into_iter().flatten().filter_map(|id| self.live.get(id))
    }

    /// The rental or hold that keeps a claim for `dates` from a locker at `now` on `today`.
    #[must_use]
    pub fn in_the_way(
        &self,
        id: LockerId,
        dates: DateSpan,
        now: Monotonic,
        today: Date,
    ) -> Option<&Rental> {
        self.of_locker(id).find(|rental| rental.is_in_the_way(dates, now, today))
    }

    /// The rental under which a locker is in use on `today`: the first that began and whose things
    /// nobody has seen gone.
    #[must_use]
    pub fn occupant(&self, id: LockerId, today: Date) -> Option<&Rental> {
        let began = self.of_locker(id).filter(|rental| rental.occupies(today));
        began.min_by_key(|rental| (rental.dates.first(), rental.id))
    }

    /// Rentals that were given back and whose lockers are not free yet.
    pub fn returned(&self) -> impl Iterator<Item = &Rental> {
        self.live.values().filter(|rental| rental.is_returned())
    }

    /// What everybody may know of a locker for `dates`.
    #[must_use]
    pub fn availability(
        &self,
        locker: &Locker,
        dates: DateSpan,
        now: Monotonic,
        today: Date,
    ) -> Availability {
        if !locker.in_service {
            return Availability::OutOfService;
        }
        match self.in_the_way(locker.id, dates, now, today).map(|rental| rental.state) {
            None | Some(RentalState::Ended(_)) => Availability::Free,
            Some(RentalState::Held { .. }) => Availability::Held,
            Some(RentalState::Active | RentalState::Returned(_)) => Availability::Taken,
        }
    }

    /// Holds whose time is up at `now` and that are not yet written down as ended.
    pub fn expired_holds(&self, now: Monotonic) -> impl Iterator<Item = &Rental> {
        self.live.values().filter(move |rental| rental.is_expired_hold(now))
    }

    /// The log-ins that are remembered as ended, with when.
    pub fn ended_sessions(&self) -> impl Iterator<Item = (SessionId, i64)> {
        self.ended_sessions.iter().map(|(id, ended_ms)| (*id, *ended_ms))
    }

    /// Whether a log-in has ended, so that its access token is dead before its time.
    #[must_use]
    pub fn session_ended(&self, id: SessionId) -> bool {
        self.ended_sessions.contains_key(&id)
    }
}

fn forget<K: std::hash::Hash + Eq + Clone>(
    index: &mut imbl::HashMap<K, Vec<RentalId>>,
    key: &K,
    id: RentalId,
) {
    let Some(ids) = index.get_mut(key) else { return };
    ids.retain(|kept| *kept != id);
    if ids.is_empty() {
        index.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::TermId;
    use crate::domain::rental::EndReason;
    use crate::domain::returning::Return;

    fn rental(id: i64, locker: i64, member: i64, state: RentalState) -> Rental {
        Rental {
            id: RentalId(id),
            locker_id: LockerId(locker),
            member_id: MemberId(member),
            term_id: Some(TermId(1)),
            dates: DateSpan::new(date(2026, 9, 1), date(2026, 9, 9)).expect("in order"),
            opened: false,
            extensions: 0,
            hold_extended: false,
            sealed: false,
            state,
        }
    }

    proptest! {
        /// The three maps agree with a plain list whatever comes and goes.
        #[test]
        fn indexes_agree(steps in prop::collection::vec((1_i64..9, 1_i64..4, 1_i64..4, 0..3), 0..60)) {
            let mut snapshot = Snapshot::new(1, Arc::default(), [], []);
            let mut list: Vec<Rental> = Vec::new();
            for (id, locker, member, what) in steps {
                let (locker, member) = list
                    .iter()
                    .find(|kept| kept.id.0 == id)
                    .map_or((locker, member), |kept| (kept.locker_id.0, kept.member_id.0));
                list.retain(|kept| kept.id.0 != id);
                let state = match what {
                    0 => RentalState::Ended(EndReason::Returned),
                    1 => RentalState::Active,
                    _ => RentalState::Held { until: Monotonic(5) },
                };
                let next = rental(id, locker, member, state);
                if what != 0 {
                    list.push(next);
                }
                snapshot.apply(&Change::Rental(next));
            }
            for key in 1..4 {
                let ids = |found: Vec<&Rental>| {
                    let mut ids: Vec<i64> = found.iter().map(|rental| rental.id.0).collect();
                    ids.sort_unstable();
                    ids
                };
                let by = |pick: fn(&Rental) -> i64| {
                    ids(list.iter().filter(|kept| pick(kept) == key).collect())
                };
                prop_assert_eq!(ids(snapshot.of_locker(LockerId(key)).collect()), by(|r| r.locker_id.0));
                prop_assert_eq!(ids(snapshot.of_member(MemberId(key)).collect()), by(|r| r.member_id.0));
            }
            prop_assert_eq!(snapshot.rentals().count(), list.len());
        }
    }

    #[test]
    fn a_hold_past_its_time_is_free_before_anybody_wrote_it_down() {
        let held = rental(1, 101, 1, RentalState::Held { until: Monotonic(50) });
        let snapshot = Snapshot::new(1, Arc::default(), [held], []);
        let locker = Locker::new(LockerId(101), BankId(1));
        let today = date(2026, 9, 1);
        let at = |now| snapshot.availability(&locker, held.dates, Monotonic(now), today);
        assert_eq!(at(49), Availability::Held);
        assert_eq!(at(50), Availability::Free);
        assert_eq!(snapshot.expired_holds(Monotonic(50)).count(), 1);
        let broken = Locker { in_service: false, ..locker };
        assert_eq!(
            snapshot.availability(&broken, held.dates, Monotonic(0), today),
            Availability::OutOfService
        );
    }

    #[test]
    fn a_locker_stays_taken_until_the_first_renter_has_left() {
        let returned = RentalState::Returned(Return::new(Monotonic(0), None));
        for state in [RentalState::Active, returned] {
            let late = rental(1, 101, 1, state);
            let next = DateSpan::new(date(2026, 9, 10), date(2026, 9, 20)).expect("in order");
            let new = Rental { id: RentalId(2), member_id: MemberId(2), dates: next, ..late };
            let new = Rental { state: RentalState::Active, ..new };
            let snapshot = Snapshot::new(1, Arc::default(), [new, late], []);
            let occupant = |day| snapshot.occupant(LockerId(101), date(2026, 9, day)).copied();
            assert_eq!(occupant(11), Some(late), "whoever began first has the things inside");
            let alone = Snapshot::new(1, Arc::default(), [late], []);
            let locker = Locker::new(LockerId(101), BankId(1));
            let on = |day| alone.availability(&locker, next, Monotonic(0), date(2026, 9, day));
            assert_eq!(on(9), Availability::Free, "still to come");
            assert_eq!(on(10), Availability::Taken);
            assert_eq!(alone.returned().count(), usize::from(late.is_returned()));
        }
    }
}
