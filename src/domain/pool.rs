//! Pool mode: students reserve dates, the compartment is bound at check-in.
//!
//! Here stand the rules of a bank in this mode, what a reservation is, and which free compartment it
//! gets; in [`room`], how many reservations a day can bear. The published state
//! (`store/snapshot.rs`) counts them; the use-cases are in `service/pool.rs`.

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::bank::Mistake;
use super::id::{BankId, LockerId, MemberId, RentalId};
use super::locker::Locker;
use super::rental::{Rental, RentalState};
use super::time::DateSpan;

pub mod room;

/// Most days that one reservation or the advance window may have.
pub const DAYS_MAX: u16 = 366;

/// Most reservations of one member that may wait for their day in one bank.
pub const RESERVATIONS_MAX: u16 = 10;

/// How a bank in pool mode takes reservations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolPolicy {
    /// Most days of one reservation, its first and last day counted; 1 to 366. A bank in pool mode
    /// must have it.
    pub days_max: Option<u16>,
    /// How many days ahead a reservation may begin, counted from today; 1 to 366.
    pub advance_days: u16,
    /// Within how many days a reservation must be checked in, its first day counted, before it is
    /// given up as a no-show; 1 to 366. `None`: it is kept until its last day is over.
    pub check_in_days: Option<u16>,
    /// How many reservations of one member may wait for their day; 1 to 10.
    pub reservations_max: u16,
}

impl Default for PoolPolicy {
    fn default() -> Self {
        Self { days_max: None, advance_days: 30, check_in_days: None, reservations_max: 1 }
    }
}

impl PoolPolicy {
    /// Notes every setting that cannot be, or that cannot be beside another. `used`: whether the bank
    /// is in pool mode.
    pub fn check(&self, used: bool, note: &mut dyn FnMut(Mistake)) {
        let Self { days_max, advance_days, check_in_days, reservations_max } = *self;
        let mut range = |field: &'static str, value: u16, max: u16| {
            if value == 0 || value > max {
                note(Mistake::of(&[field], format!("{field} is {value}; it must be 1 to {max}")));
            }
        };
        range("pool.advance_days", advance_days, DAYS_MAX);
        range("pool.reservations_max", reservations_max, RESERVATIONS_MAX);
        days_max.inspect(|days| range("pool.days_max", *days, DAYS_MAX));
        check_in_days.inspect(|days| range("pool.check_in_days", *days, DAYS_MAX));
        if used && days_max.is_none() {
            let text = "a bank in pool mode needs pool.days_max: without a longest duration one \
                        student could keep a locker for ever";
            note(Mistake::of(&["mode", "pool.days_max"], text));
        }
        if let (Some(days), Some(check_in)) = (days_max, check_in_days)
            && check_in > days
        {
            let text = format!(
                "pool.check_in_days is {check_in}, but a reservation lasts {days} days at most: \
                 leave it out to keep reservations until their end"
            );
            note(Mistake::of(&["pool.check_in_days", "pool.days_max"], text));
        }
    }
}

/// Why dates cannot be reserved, however much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DatesRefused {
    /// They begin today or before.
    #[error("a reservation begins tomorrow at the earliest")]
    TooEarly,
    /// They begin further ahead than the bank allows.
    #[error("this bank does not take reservations so far ahead")]
    TooFar,
    /// They are more days than the bank allows.
    #[error("this bank does not take reservations for so many days")]
    TooLong,
    /// The bank does not open on their first or last day.
    #[error("the bank does not open on {0}: a reservation cannot begin or end on that day")]
    Closed(Date),
}

impl DatesRefused {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooEarly => "too_early",
            Self::TooFar => "too_far",
            Self::TooLong => "too_long",
            Self::Closed(_) => "closed",
        }
    }
}

impl PoolPolicy {
    /// The days on which a reservation that is made on `today` may begin.
    #[must_use]
    pub fn starts(&self, today: Date) -> DateSpan {
        let tomorrow = today.saturating_add(1.day());
        let last = today.saturating_add(i64::from(self.advance_days).days());
        DateSpan::new(tomorrow, last.max(tomorrow)).unwrap_or_else(|| DateSpan::day(tomorrow))
    }

    /// Whether a reservation for `dates` may be made on `today`, if there is room. `opens`: whether the
    /// bank opens at some time of a day.
    pub fn check_dates(
        &self,
        dates: DateSpan,
        today: Date,
        opens: impl Fn(Date) -> bool,
    ) -> Result<(), DatesRefused> {
        let starts = self.starts(today);
        if dates.first() < starts.first() {
            return Err(DatesRefused::TooEarly);
        }
        if dates.first() > starts.last() {
            return Err(DatesRefused::TooFar);
        }
        if self.days_max.is_none_or(|most| dates.count() > i32::from(most)) {
            return Err(DatesRefused::TooLong);
        }
        match [dates.first(), dates.last()].into_iter().find(|day| !opens(*day)) {
            Some(day) => Err(DatesRefused::Closed(day)),
            None => Ok(()),
        }
    }
}

/// Why a reservation cannot be checked in today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckInRefused {
    /// It has not begun.
    TooEarly,
    /// Its days of check-in are over.
    TooLate,
}

/// One member's claim to some compartment of a bank on certain days, not yet checked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reservation {
    /// The number of its rental, which it keeps after check-in.
    pub id: RentalId,
    /// In which bank.
    pub bank_id: BankId,
    /// Whose it is.
    pub member_id: MemberId,
    /// From which day to which day.
    pub dates: DateSpan,
    /// Whether a compartment at an accessible height is wished for.
    pub accessible: bool,
    /// Whether it was not served although its member may have come: nobody holds that against them.
    pub unserved: bool,
}

impl Reservation {
    /// The last day on which it may be checked in; of one that was not served, its last.
    #[must_use]
    pub fn check_in_until(&self, policy: &PoolPolicy) -> Date {
        if self.unserved {
            return self.dates.last();
        }
        let days = policy.check_in_days.map_or(i64::from(DAYS_MAX), |days| i64::from(days) - 1);
        let last = self.dates.first().saturating_add(days.days());
        last.min(self.dates.last())
    }

    /// Whether nobody came in time: its days of check-in are over on `today`.
    #[must_use]
    pub fn is_no_show(&self, policy: &PoolPolicy, today: Date) -> bool {
        self.check_in_until(policy) < today
    }

    /// Whether it can be checked in on `today`, as far as its days are concerned.
    pub fn check_in(&self, policy: &PoolPolicy, today: Date) -> Result<(), CheckInRefused> {
        if today < self.dates.first() {
            return Err(CheckInRefused::TooEarly);
        }
        if self.is_no_show(policy, today) { Err(CheckInRefused::TooLate) } else { Ok(()) }
    }

    /// The rental that it becomes when a compartment is bound to it.
    #[must_use]
    pub const fn bound(self, locker_id: LockerId) -> Rental {
        Rental {
            id: self.id,
            locker_id,
            member_id: self.member_id,
            term_id: None,
            dates: self.dates,
            opened: false,
            extensions: 0,
            hold_extended: false,
            sealed: false,
            state: RentalState::Active,
        }
    }
}

/// By what free compartments are given, the least first: with the wish those at an accessible height,
/// then what is given to somebody for later days, the soonest first, so that longer stays find room;
/// then what stood empty longest, what was never used before all. `next`: from when on somebody has it.
/// `kept`: others who wait today have that wish, so whoever has not takes such a compartment last.
#[must_use]
pub fn preference(
    locker: &Locker,
    next: Date,
    freed_ms: Option<i64>,
    wish: bool,
    kept: bool,
) -> (bool, Date, Option<i64>, LockerId) {
    let behind = if wish { !locker.accessible } else { kept && locker.accessible };
    (behind, next, freed_ms, locker.id)
}

#[cfg(test)]
mod tests;
