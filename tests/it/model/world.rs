//! The model: who holds and rents what, and what each question may be answered. No more than
//! somebody with pencil and paper would keep.
//!
//! Where the program is free to choose (which free locker, whether a dead hold is written down
//! already, which of two at once is first) the model has every possibility, each a [`World`] of its
//! own; what is seen next decides between them.

use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

/// Lockers are numbered from 1.
pub const LOCKERS: i64 = 3;

/// Members are counted from 0.
pub const MEMBERS: usize = 3;

/// How long a hold lasts, as everywhere where nothing else is said.
pub const HOLD_MS: u64 = 60_000;

/// How far the time may be behind the newest believed one (`domain/clock_trust.rs`).
const BEHIND_MS_MAX: i64 = 120_000;

/// An hour.
pub const HOUR_MS: u64 = 3_600_000;

/// A day.
pub const DAY_MS: u64 = 24 * HOUR_MS;

/// A window and the days it grants.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// From when on claims are taken, in milliseconds after the start.
    pub opens_ms: u64,
    /// Until when.
    pub closes_ms: u64,
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

/// This term's claims, and next term's while this term's rentals still run. Their windows overlap
/// for a day.
pub const TERMS: [Term; 2] = [
    Term { opens_ms: 0, closes_ms: 5 * DAY_MS, first: date(2026, 8, 20), last: date(2026, 12, 20) },
    Term {
        opens_ms: 4 * DAY_MS,
        closes_ms: 200 * DAY_MS,
        first: date(2026, 12, 21),
        last: date(2027, 6, 20),
    },
];

/// A request about lockers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// Hold this one.
    Hold(i64),
    /// Hold any.
    HoldAny,
    /// Confirm the hold of this one.
    Confirm(i64),
    /// Give the hold of this one up.
    GiveUp(i64),
    /// Give this one back.
    Return(i64),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// A hold of this locker was granted.
    Held(i64),
    /// It was done.
    Done,
    /// It was refused, with this code.
    Refused(String),
}

/// A hold or a rental.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Of which locker.
    pub locker: i64,
    /// Whose.
    pub member: usize,
    /// In which term.
    pub term: usize,
    /// When a hold dies, by the clock that nobody sets; none for a rental.
    pub until_ms: Option<u64>,
}

impl Claim {
    fn days(&self) -> Term {
        TERMS[self.term]
    }
}

/// One possible state of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    /// When it began.
    start_ms: i64,
    /// What the wall clock shows.
    pub wall_ms: i64,
    /// What the clock shows that nobody sets.
    pub counted_ms: u64,
    /// Whether somebody vouches for the wall clock.
    pub vouched: bool,
    /// The newest time that was believed and stored.
    newest_ms: i64,
    /// Everything that is not over, and holds that died and that nobody may have written down yet.
    pub claims: Vec<Claim>,
}

/// An answer with the worlds after it.
type Branch = (Seen, World);

fn refused(code: &str) -> Seen {
    Seen::Refused(code.to_owned())
}

impl World {
    /// Nobody has anything.
    pub const fn new(start_ms: i64) -> Self {
        Self {
            start_ms,
            wall_ms: start_ms,
            counted_ms: 0,
            vouched: true,
            newest_ms: start_ms,
            claims: Vec::new(),
        }
    }

    /// Whether the wall clock is believed.
    pub const fn trusted(&self) -> bool {
        self.vouched && self.wall_ms >= self.newest_ms - BEHIND_MS_MAX
    }

    /// The day on the site.
    pub fn today(&self) -> Date {
        let zone = TimeZone::get("Asia/Seoul").expect("bundled");
        let now = Timestamp::from_millisecond(self.wall_ms).expect("in range");
        now.to_zoned(zone).date()
    }

    /// How far the wall clock is from the start.
    pub const fn since_start_ms(&self) -> i64 {
        self.wall_ms - self.start_ms
    }

    /// The term that takes claims now: the one that opened last.
    pub fn open_term(&self) -> Option<usize> {
        let at = u64::try_from(self.since_start_ms()).ok()?;
        (0..TERMS.len()).rev().find(|n| TERMS[*n].opens_ms <= at && at < TERMS[*n].closes_ms)
    }

    /// The days that lists speak of: the open window's, the coming one's, else today.
    fn offered(&self) -> (Date, Date) {
        let coming = || {
            let at = self.since_start_ms();
            (0..TERMS.len()).find(|n| at < i64::try_from(TERMS[*n].opens_ms).unwrap_or(i64::MAX))
        };
        let term = self.open_term().or_else(coming).map(|n| TERMS[n]);
        term.map_or((self.today(), self.today()), |term| (term.first, term.last))
    }

    fn is_alive(&self, claim: &Claim) -> bool {
        claim.until_ms.is_none_or(|until_ms| self.counted_ms < until_ms)
    }

    /// Everything that is held and rented now.
    pub fn alive(&self) -> impl Iterator<Item = &Claim> {
        self.claims.iter().filter(|claim| self.is_alive(claim))
    }

    /// What a list may say of a locker.
    pub fn states_of(&self, locker: i64) -> Vec<&'static str> {
        let (first, last) = self.offered();
        let mut of_days = self
            .alive()
            .filter(|it| it.locker == locker && it.days().first <= last && first <= it.days().last);
        match of_days.next().map(|claim| claim.until_ms) {
            Some(Some(_)) => vec!["held"],
            Some(None) => vec!["taken"],
            None if self.is_occupied(locker, first) => vec!["free", "taken"],
            None => vec!["free"],
        }
    }

    /// Whether somebody from before may still have their things in it on the day from which on it is
    /// wanted.
    fn is_occupied(&self, locker: i64, first: Date) -> bool {
        let today = self.today();
        first <= today
            && self
                .claims
                .iter()
                .any(|it| it.locker == locker && it.until_ms.is_none() && it.days().first <= today)
    }

    /// How many lockers are rented by somebody whose days are over.
    pub fn overdue(&self) -> usize {
        let late = |locker: &i64| {
            let mut of_locker = self.claims.iter().filter(|it| it.locker == *locker);
            of_locker.any(|it| it.until_ms.is_none() && it.days().last < self.today())
        };
        if self.trusted() { (1..=LOCKERS).filter(late).count() } else { 0 }
    }

    /// What a member is told is theirs: today's before one that is still to come.
    pub fn mine(&self, member: usize) -> Option<&Claim> {
        let today = self.today();
        self.alive().filter(|it| it.member == member).min_by_key(|it| {
            let days = it.days();
            (!(days.first <= today && today <= days.last), days.first)
        })
    }

    /// Both clocks go on.
    pub fn pass(&mut self, ms: u64) {
        self.counted_ms += ms;
        self.wall_ms += i64::try_from(ms).expect("days at most");
    }

    /// The wall clock is set.
    pub const fn jump(&mut self, by_ms: i64) {
        self.wall_ms += by_ms;
    }

    /// Every hold that died is written down.
    pub fn tidy(&mut self) {
        let now_ms = self.counted_ms;
        self.claims.retain(|it| it.until_ms.is_none_or(|until_ms| now_ms < until_ms));
    }

    /// The program is started again: every hold that is stored has its full time again, also one that
    /// died and that nobody had written down.
    pub fn restarted(&self) -> Vec<Self> {
        let mut world = self.clone();
        if world.trusted() {
            world.newest_ms = world.newest_ms.max(world.wall_ms);
        }
        let (dead, alive): (Vec<Claim>, Vec<Claim>) =
            self.claims.iter().partition(|it| !self.is_alive(it));
        let until_ms = self.counted_ms + HOLD_MS;
        // Each of the dead was written down or not.
        (0..1_usize << dead.len())
            .map(|stored| {
                let kept = (0..dead.len()).filter(|n| stored >> n & 1 == 1).map(|n| dead[n]);
                let claims = alive
                    .iter()
                    .copied()
                    .chain(kept)
                    .map(|claim| Claim { until_ms: claim.until_ms.map(|_| until_ms), ..claim });
                Self { claims: claims.collect(), ..world.clone() }
            })
            .collect()
    }

    /// What a member may be answered, each with what is then.
    pub fn ask(&self, member: usize, ask: Ask) -> Vec<Branch> {
        match ask {
            Ask::Hold(_) | Ask::HoldAny => self.hold(member, ask),
            Ask::Confirm(locker) => self.confirm(member, locker),
            Ask::GiveUp(locker) => self.give_up(member, locker),
            Ask::Return(locker) => self.give_back(member, locker),
        }
    }

    fn stays(&self, code: &str) -> Branch {
        (refused(code), self.clone())
    }

    fn hold(&self, member: usize, ask: Ask) -> Vec<Branch> {
        if !self.trusted() {
            return vec![self.stays("clock_untrusted")];
        }
        let Some(term) = self.open_term() else { return vec![self.stays("outside_window")] };
        let taken = |locker: i64| self.alive().any(|it| it.locker == locker && it.term == term);
        let free: Vec<i64> = match ask {
            Ask::Hold(locker) => vec![locker],
            _ => (1..=LOCKERS).collect(),
        };
        let free: Vec<i64> = free.into_iter().filter(|locker| !taken(*locker)).collect();
        let none = if ask == Ask::HoldAny { "no_free_locker" } else { "locker_taken" };
        if let Some(own) = self.alive().find(|it| it.member == member && it.term == term) {
            return self.hold_beside(own, ask, free.is_empty());
        }
        let maybe = |locker: &i64| self.is_occupied(*locker, TERMS[term].first);
        let granted = free.iter().map(|locker| {
            let claim =
                Claim { locker: *locker, member, term, until_ms: Some(self.counted_ms + HOLD_MS) };
            (Seen::Held(*locker), self.with(claim))
        });
        let refusal = free.iter().all(maybe).then(|| self.stays(none));
        granted.chain(refusal).collect()
    }

    /// A hold asked for by somebody who has one or rents already for those days.
    fn hold_beside(&self, own: &Claim, ask: Ask, is_full: bool) -> Vec<Branch> {
        match own.until_ms {
            Some(_) if ask == Ask::Hold(own.locker) => {
                vec![(Seen::Held(own.locker), self.clone())]
            }
            held => {
                let code = if held.is_some() { "already_holding" } else { "already_renting" };
                // Which of two reasons is named is not laid down.
                let full = is_full && ask == Ask::HoldAny;
                let other = full.then(|| self.stays("no_free_locker"));
                std::iter::once(self.stays(code)).chain(other).collect()
            }
        }
    }

    /// With one claim more: whatever died of its locker and its member is written down by it.
    fn with(&self, claim: Claim) -> Self {
        let mut world = self.clone();
        world.claims.retain(|it| {
            self.is_alive(it) || (it.locker != claim.locker && it.member != claim.member)
        });
        world.claims.push(claim);
        world
    }

    fn without(&self, claim: &Claim) -> Self {
        let mut world = self.clone();
        world.claims.retain(|it| it != claim);
        world
    }

    /// A member's own of a locker: hold, dead hold, rentals.
    fn own(&self, member: usize, locker: i64) -> (Option<&Claim>, Option<&Claim>, Vec<&Claim>) {
        let own = || self.claims.iter().filter(|it| it.member == member && it.locker == locker);
        let hold = own().find(|it| it.until_ms.is_some() && self.is_alive(it));
        let dead = own().find(|it| !self.is_alive(it));
        (hold, dead, own().filter(|it| it.until_ms.is_none()).collect())
    }

    fn confirm(&self, member: usize, locker: i64) -> Vec<Branch> {
        let (hold, dead, rented) = self.own(member, locker);
        if let Some(hold) = hold {
            let mut world = self.without(hold);
            world.claims.push(Claim { until_ms: None, ..*hold });
            return vec![(Seen::Done, world)];
        }
        let written = dead.map_or_else(|| self.clone(), |dead| self.without(dead));
        self.no_hold(dead.is_some(), !rented.is_empty())
            .into_iter()
            .map(|(seen, _)| (seen, written.clone()))
            .collect()
    }

    fn give_up(&self, member: usize, locker: i64) -> Vec<Branch> {
        let (hold, dead, rented) = self.own(member, locker);
        match hold {
            Some(hold) => vec![(Seen::Done, self.without(hold))],
            None => self.no_hold(dead.is_some(), !rented.is_empty()),
        }
    }

    /// There is no hold; one that died may have been written down by now.
    fn no_hold(&self, died: bool, rents: bool) -> Vec<Branch> {
        let dead = (died || !rents).then(|| self.stays("hold_expired"));
        let renting = rents.then(|| self.stays("already_renting"));
        dead.into_iter().chain(renting).collect()
    }

    fn give_back(&self, member: usize, locker: i64) -> Vec<Branch> {
        let (hold, dead, rented) = self.own(member, locker);
        if !rented.is_empty() {
            // Of two terms' rentals of one locker either may be meant.
            return rented.into_iter().map(|it| (Seen::Done, self.without(it))).collect();
        }
        match (hold, dead) {
            (Some(_), _) => vec![self.stays("only_held")],
            (None, Some(_)) => vec![self.stays("only_held"), self.stays("not_your_locker")],
            (None, None) => vec![self.stays("not_your_locker")],
        }
    }
}
