//! How the two banks of a sequence are run, and when their terms are.

use jiff::civil::{Date, date};
use lockerd::domain::bank::{BankPolicy, Mode};
use lockerd::domain::options::Options;
use lockerd::domain::overdue::OverduePolicy;
use lockerd::domain::pool::PoolPolicy;
use lockerd::domain::returning::{ReturnPolicy, Unseen};
use lockerd::domain::time::DateSpan;
use proptest::prelude::*;

use super::super::world::{DAY_MS, HOUR_MS};

pub use super::super::world::HOLD_MS;

/// The bank in which lockers are picked, and that in which days are reserved.
pub const CHOOSE: i64 = 1;
/// See [`CHOOSE`].
pub const POOL: i64 = 2;

/// Every locker: those of the first bank, then those of the second.
pub const LOCKERS: [i64; 5] = [1, 2, 3, 11, 12];

/// A locker of the first bank.
pub const SPARE: i64 = 3;

/// Students have the numbers from 1 to this.
pub const MEMBERS: usize = 5;

/// How many days before the end a rental may be extended.
pub const EXTENSION_FROM_DAYS: u16 = 9;

/// How long an offer stands.
pub const OFFER_MS: u64 = HOUR_MS;

/// The longest reservation, how far ahead it begins at most, and how many one may have.
pub const DAYS_MAX: u16 = 3;
/// See [`DAYS_MAX`].
pub const ADVANCE_DAYS: u16 = 5;
/// See [`DAYS_MAX`].
pub const RESERVATIONS_MAX: u16 = 2;

/// The longest penalty, in days.
pub const PENALTY_DAYS_MAX: u16 = 4;

/// A window, in milliseconds after the start, and the days it grants.
#[derive(Debug, Clone, Copy)]
pub struct Term {
    /// From when on claims are taken.
    pub opens_ms: u64,
    /// Until when.
    pub closes_ms: u64,
    /// The first day.
    pub first: Date,
    /// The last day.
    pub last: Date,
}

impl Term {
    /// Its days.
    pub fn span(&self) -> DateSpan {
        DateSpan::new(self.first, self.last).expect("in order")
    }
}

/// Terms by their numbers, from 1: each begins when the one before ends, and is claimed while that runs.
pub const TERMS: [Term; 3] = [
    Term { opens_ms: 0, closes_ms: 6 * DAY_MS, first: date(2026, 8, 20), last: date(2026, 9, 3) },
    Term {
        opens_ms: 5 * DAY_MS,
        closes_ms: 18 * DAY_MS,
        first: date(2026, 9, 4),
        last: date(2026, 9, 16),
    },
    Term {
        opens_ms: 17 * DAY_MS,
        closes_ms: 40 * DAY_MS,
        first: date(2026, 9, 17),
        last: date(2026, 10, 20),
    },
];

/// What happens most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// Claims in the first bank, its line, its overdue.
    Choose,
    /// Reservations in the second one.
    Pool,
    /// A little of all.
    All,
}

/// How the banks are run.
#[expect(clippy::struct_excessive_bools, reason = "settings, each by itself")]
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// What happens most.
    pub theme: Theme,
    /// Whether the first bank has all its lockers from the start, or one is out of service.
    pub spare: bool,
    /// How often a rental may be extended; 0: never.
    pub extensions: u16,
    /// By how many days.
    pub extension_days: u16,
    /// Whether renters may swap.
    pub swaps: bool,
    /// Whether there is a line before the first bank.
    pub waiting_list: bool,
    /// Whether a hold may be extended.
    pub hold_extension: bool,
    /// For how long a former renter may open again, in minutes.
    pub grace_minutes: u32,
    /// Whether the renter's word is enough where no sensor shows the door.
    pub word_counts: bool,
    /// Penalty days for a day late; 0: none.
    pub penalty_factor: u16,
    /// After how many days late a case is sealed by itself.
    pub seal_after_days: Option<u16>,
    /// On how many days a reservation can be checked in.
    pub check_in_days: Option<u16>,
}

impl Plan {
    /// Any plan.
    pub fn any() -> impl Strategy<Value = Self> {
        let theme = prop::sample::select(vec![Theme::All, Theme::Choose, Theme::Pool]);
        let theme = (theme, prop::bool::weighted(0.4));
        let options = (0_u16..3, 1_u16..8, any::<bool>(), any::<bool>(), any::<bool>());
        let returns = (prop::sample::select(vec![0_u32, 10]), prop::bool::weighted(0.8));
        let late = (0_u16..3, prop::sample::select(vec![None, Some(2_u16)]));
        let check_in = prop::sample::select(vec![None, Some(1_u16), Some(2)]);
        (theme, options, returns, late, check_in).prop_map(
            |((theme, spare), options, returns, late, check_in_days)| Self {
                theme,
                spare,
                extensions: options.0,
                extension_days: options.1,
                swaps: options.2,
                waiting_list: options.3,
                hold_extension: options.4,
                grace_minutes: returns.0,
                word_counts: returns.1,
                penalty_factor: late.0,
                seal_after_days: late.1,
                check_in_days,
            },
        )
    }

    /// The policy of a bank.
    pub fn policy(&self, mode: Mode) -> BankPolicy {
        let options = Options {
            extensions_max: self.extensions,
            extension_days: Some(self.extension_days),
            extension_from_days: EXTENSION_FROM_DAYS,
            swaps: self.swaps,
            waiting_list: self.waiting_list && mode == Mode::Choose,
            offer_minutes: 60,
            hold_extension: self.hold_extension && mode == Mode::Choose,
        };
        let unseen = if self.word_counts { Unseen::Renter } else { Unseen::Staff };
        BankPolicy {
            returns: ReturnPolicy { grace_minutes: self.grace_minutes, unseen, by_door: false },
            pool: PoolPolicy {
                days_max: Some(DAYS_MAX),
                advance_days: ADVANCE_DAYS,
                check_in_days: self.check_in_days,
                reservations_max: RESERVATIONS_MAX,
            },
            overdue: OverduePolicy {
                reminder_days: vec![1],
                seal_after_days: self.seal_after_days,
                penalty_factor: self.penalty_factor,
                penalty_max_days: PENALTY_DAYS_MAX,
                ..OverduePolicy::default()
            },
            options,
            ..BankPolicy::default()
        }
    }

    /// For how long a former renter may open again.
    pub fn grace_ms(&self) -> u64 {
        u64::from(self.grace_minutes) * 60_000
    }

    /// Penalty days for so many days late.
    pub fn penalty_days(&self, late_days: i64) -> i64 {
        (late_days * i64::from(self.penalty_factor)).min(i64::from(PENALTY_DAYS_MAX))
    }
}
