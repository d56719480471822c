//! A bank in pool mode beside a model that reads its rules plainly: reservations, cancellations,
//! check-ins, returns, lockers that break and are mended, and days that pass, in any order.
//!
//! After each step the calendar must say what the model counts day by day: it never promises more than
//! the bank can give as known then. No two people have one locker on one day, and as long as nothing
//! broke and nobody stayed too long, whatever was reserved can be checked in. The use-cases are called
//! without HTTP, on a clock that the test turns; a failure names its seed.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use lockerd::domain::bank::{BankPolicy, Mode};
use lockerd::domain::id::{BankId, LocationId, LockerId, MemberId, RentalId, SessionId};
use lockerd::domain::member::Role;
use lockerd::domain::name::Name;
use lockerd::domain::overdue::OverduePolicy;
use lockerd::domain::pool::PoolPolicy;
use lockerd::domain::time::DateSpan;
use lockerd::service::error::Code;
use lockerd::service::members::Actor;
use lockerd::service::places::banks::NewBank;
use lockerd::service::places::lockers::NewLockers;
use lockerd::service::pool::{CheckIn, ReservationWish};
use lockerd::service::returning::ReturnWish;
use lockerd::service::tokens::{Caller, Method};

use crate::support::Dice;
use crate::support::inside::{Inside, open_now};

/// Walks, each with a seed of its own, and steps of each.
const WALKS: u64 = 12;
const STEPS: usize = 120;

const STUDENTS: usize = 9;
const LOCKERS: std::ops::RangeInclusive<i64> = 11..=14;
const BANK: BankId = BankId(2);
const DAYS_MAX: u16 = 3;
const ADVANCE_DAYS: u16 = 5;

/// The first day, on which the clock of the site starts.
const FIRST: Date = date(2026, 8, 24);

/// Somebody's claim, as the model has it.
#[derive(Debug, Clone, Copy)]
struct Claim {
    id: RentalId,
    member: MemberId,
    dates: DateSpan,
    /// The locker, once it is bound.
    locker: Option<LockerId>,
}

/// A site with what the model knows of it.
struct Walk {
    site: Inside,
    dice: Dice,
    seed: u64,
    check_in_days: Option<u16>,
    today: Date,
    students: Vec<MemberId>,
    claims: Vec<Claim>,
    broken: BTreeSet<LockerId>,
    /// Whether something broke, or somebody stayed too long, since a reservation was made.
    shrunk: bool,
}

impl Walk {
    fn begin(seed: u64) -> Self {
        let site = Inside::start([1], STUDENTS, open_now);
        let mut dice = Dice::new(seed);
        let check_in_days = [None, Some(1), Some(2)][dice.below(3)];
        let pool = PoolPolicy {
            days_max: Some(DAYS_MAX),
            advance_days: ADVANCE_DAYS,
            check_in_days,
            reservations_max: 2,
        };
        let overdue = OverduePolicy { reminder_days: vec![1], ..OverduePolicy::default() };
        let new = NewBank {
            location_id: LocationId(1),
            name: Name::parse("예약", None).expect("a name"),
            mode: Mode::Pool,
            policy: BankPolicy { pool, overdue, ..BankPolicy::default() },
        };
        let made = site.run(site.services.add_bank(Actor::CommandLine, new, None)).expect("made");
        assert_eq!(made.value, BANK);
        let range = NewLockers {
            from: *LOCKERS.start(),
            to: *LOCKERS.end(),
            channel: None,
            in_service: true,
            run: None,
            level: None,
            accessible: false,
        };
        let add = site.services.add_lockers(Actor::CommandLine, BANK, range, None);
        site.run(add).expect("made");
        let sql = "SELECT id FROM member ORDER BY id";
        let conn = site.sql();
        let mut statement = conn.prepare(sql).expect("good SQL");
        let ids = statement.query_map([], |row| row.get(0)).expect("readable");
        let students = ids.map(|id| MemberId(id.expect("a number"))).collect();
        drop(statement);
        Self {
            site,
            dice,
            seed,
            check_in_days,
            today: FIRST,
            students,
            claims: Vec::new(),
            broken: BTreeSet::new(),
            shrunk: false,
        }
    }

    fn somebody(&mut self) -> Caller {
        let member_id = self.students[self.dice.below(self.students.len())];
        as_caller(member_id)
    }

    /// What the bank can give, read plainly.
    fn supply(&self) -> usize {
        let late = |locker: LockerId| {
            let mut of_locker = self.claims.iter().filter(|claim| claim.locker == Some(locker));
            of_locker.any(|claim| claim.dates.last() < self.today)
        };
        LOCKERS.map(LockerId).filter(|id| !self.broken.contains(id) && !late(*id)).count()
    }

    /// How many claims are on a day.
    fn promised(&self, day: Date) -> usize {
        self.claims.iter().filter(|claim| claim.dates.contains(day)).count()
    }

    fn left(&self, day: Date) -> usize {
        self.supply().saturating_sub(self.promised(day))
    }

    fn waiting(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| claim.locker.is_none())
    }

    fn check_in_until(&self, claim: &Claim) -> Date {
        let days = self.check_in_days.map_or(366, i64::from) - 1;
        claim.dates.first().saturating_add(days.days()).min(claim.dates.last())
    }

    fn reserve(&mut self) {
        let caller = self.somebody();
        let first = self.today.saturating_add(days(self.dice.below(7)));
        let dates = DateSpan::new(first, first.saturating_add(days(self.dice.below(4))));
        let dates = dates.expect("in order");
        let wish = ReservationWish { bank: BANK, dates, accessible: false };
        let mut mine = self.claims.iter().filter(|claim| claim.member == caller.member_id);
        let last_start = self.today.saturating_add(days(usize::from(ADVANCE_DAYS)));
        let may = dates.first() > self.today
            && dates.first() <= last_start
            && dates.count() <= i32::from(DAYS_MAX)
            && !mine.any(|claim| claim.dates.overlaps(dates))
            && self.waiting().filter(|claim| claim.member == caller.member_id).count() < 2;
        let room = dates.days().all(|day| self.left(day) > 0);
        match self.site.run(self.site.services.reserve(caller, wish, None)) {
            Ok(made) => {
                assert!(may && room, "{dates} was taken: {self}");
                let id = made.value.id;
                self.claims.push(Claim { id, member: caller.member_id, dates, locker: None });
            }
            Err(error) => {
                assert!(!may || !room, "{dates}: {error}: {self}");
                assert_eq!(may, error.code == Code::DayFull, "{dates}: {error}: {self}");
            }
        }
    }

    fn cancel(&mut self) {
        let Some(claim) = self.one_of(|claim| claim.locker.is_none()) else { return };
        let services = &self.site.services;
        let done = services.cancel_reservation(as_caller(claim.member), claim.id, None);
        self.site.run(done).expect("it waits");
        self.claims.retain(|kept| kept.id != claim.id);
    }

    fn check_in(&mut self) {
        let Some(claim) = self.one_of(|claim| claim.locker.is_none()) else { return };
        let wanted = CheckIn { id: claim.id, presence_code: None, key: None };
        let done = self.site.services.check_in(as_caller(claim.member), wanted);
        let today = claim.dates.first() <= self.today && self.today <= self.check_in_until(&claim);
        match self.site.run(done) {
            Ok(bound) => {
                let locker = bound.value.locker_id;
                assert!(today && !self.broken.contains(&locker), "{claim:?}: {self}");
                let mut others = self.claims.iter().filter(|it| it.locker == Some(locker));
                assert!(others.next().is_none(), "two people at locker {locker}: {self}");
                let bound = self.claims.iter_mut().find(|kept| kept.id == claim.id);
                bound.expect("it waits").locker = Some(locker);
            }
            Err(error) if !today => assert_eq!(error.code, Code::OutsideDates, "{self}"),
            Err(error) => {
                assert_eq!(error.code, Code::NoFreeLocker, "{error}: {self}");
                assert!(self.shrunk, "nothing broke and nobody stayed: {claim:?}: {self}");
                let taken = |id: &LockerId| self.claims.iter().any(|it| it.locker == Some(*id));
                let free = LOCKERS
                    .map(LockerId)
                    .filter(|id| !self.broken.contains(id) && !taken(id))
                    .count();
                let before = self.waiting().filter(|it| {
                    it.dates.contains(self.today)
                        && it.id < claim.id
                        && self.today <= self.check_in_until(it)
                });
                assert!(before.count() >= free, "{claim:?}: {self}");
            }
        }
    }

    fn give_back(&mut self) {
        let Some(claim) = self.one_of(|claim| claim.locker.is_some()) else { return };
        let locker = claim.locker.expect("bound");
        let wish = ReturnWish { emptied: true, ..ReturnWish::default() };
        let back = self.site.services.release(as_caller(claim.member), locker, wish, None);
        let back = self.site.run(back).expect("theirs").value;
        assert_eq!(back.waits_for, None, "{self}");
        self.claims.retain(|kept| kept.id != claim.id);
    }

    fn service(&mut self) {
        let locker = LockerId(*LOCKERS.start() + i64::try_from(self.dice.below(4)).expect("small"));
        let mended = self.broken.remove(&locker);
        if !mended {
            self.broken.insert(locker);
            self.shrunk = true;
        }
        let put = self.site.services.put_service(Actor::CommandLine, locker, mended, "문", None);
        self.site.run(put).expect("done");
    }

    fn pass_a_day(&mut self) {
        self.today = self.today.saturating_add(1.day());
        self.site.pass(60_000);
        let nine = self.today.at(9, 0, 0, 0).in_tz("Asia/Seoul").expect("a time");
        self.site.clock.jump_to(nine.timestamp());
        // Whoever was told of a shortage, or came in vain, may come until the last day.
        let snapshot = self.site.services.store.snapshot();
        let unserved = |id| snapshot.reservation(id).is_some_and(|it| it.unserved);
        let ended = self.site.run(self.site.services.release_no_shows()).expect("it works");
        let before = self.claims.len();
        let (today, keep) = (self.today, self.check_in_days);
        self.claims.retain(|claim| {
            let days = keep.map_or(366, i64::from) - 1;
            let until = claim.dates.first().saturating_add(days.days()).min(claim.dates.last());
            let until = if unserved(claim.id) { claim.dates.last() } else { until };
            claim.locker.is_some() || until >= today
        });
        assert_eq!(before - self.claims.len(), ended, "{self}");
        self.shrunk |= self.claims.iter().any(|claim| claim.dates.last() < today);
        self.site.run(self.site.services.tell_shortages()).expect("it works");
    }

    /// Nothing is missing, nobody is late and every promise can be kept again.
    fn note_recovery(&mut self) {
        let days = (0..10).map(|n| self.today.saturating_add(days(n)));
        let late = self.claims.iter().any(|claim| claim.dates.last() < self.today);
        let kept = days.into_iter().all(|day| self.promised(day) <= self.supply());
        if self.broken.is_empty() && !late && kept {
            self.shrunk = false;
        }
    }

    fn one_of(&mut self, wanted: impl Fn(&Claim) -> bool) -> Option<Claim> {
        let found: Vec<Claim> = self.claims.iter().filter(|it| wanted(it)).copied().collect();
        if found.is_empty() { None } else { Some(found[self.dice.below(found.len())]) }
    }

    /// What the calendar says is what the model counts.
    fn compare(&self) {
        let last = self.today.saturating_add(10.days());
        let shown = self.site.services.calendar(BANK, Some(self.today), Some(last));
        for day in shown.expect("a calendar").days {
            let left = usize::try_from(day.left.expect("not over")).expect("small");
            assert_eq!(left, self.left(day.date), "{}: {self}", day.date);
        }
        let mut held = BTreeSet::new();
        for rental in self.site.services.store.snapshot().rentals() {
            assert!(held.insert(rental.locker_id), "two people at one locker: {self}");
        }
    }

    fn step(&mut self) {
        match self.dice.below(20) {
            0..=7 => self.reserve(),
            8 => self.cancel(),
            9..=12 => self.check_in(),
            13..=14 => self.give_back(),
            15 => self.service(),
            _ => self.pass_a_day(),
        }
        self.note_recovery();
        self.compare();
    }
}

impl std::fmt::Display for Walk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "seed {}, {}, broken {:?}", self.seed, self.today, self.broken)?;
        self.claims.iter().try_for_each(|claim| write!(f, "\n{claim:?}"))
    }
}

fn as_caller(member_id: MemberId) -> Caller {
    let session_id = SessionId(1);
    let (role, method) = (Role::Student, Method::Password);
    Caller { member_id, role, session_id, method, strong: true }
}

fn days(count: usize) -> jiff::Span {
    i64::try_from(count).expect("small").days()
}

#[test]
fn the_calendar_never_promises_more_than_the_bank_can_give() {
    for seed in 1..=WALKS {
        let mut walk = Walk::begin(seed);
        for _ in 0..STEPS {
            walk.step();
        }
        walk.site.demand_clean();
    }
}
