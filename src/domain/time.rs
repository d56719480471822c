//! Time as the rules see it: calendar dates of the site, and a clock that only runs forward.
//!
//! Wall time (`jiff::Timestamp`) may jump; whatever must not jump with it, holds above all, counts
//! in [`Monotonic`].

use std::fmt;
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Milliseconds on a clock that never goes back, counted from some start of this process.
/// Meaningless in another process: never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monotonic(pub u64);

impl Monotonic {
    /// The instant `duration` later, saturating.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Milliseconds from `self` until `later`; 0 when it is past.
    #[must_use]
    pub const fn ms_until(self, later: Self) -> u64 {
        later.0.saturating_sub(self.0)
    }
}

/// The days from `first` to `last`, both included, in the site's time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct DateSpan {
    first: Date,
    last: Date,
}

impl DateSpan {
    /// `None` when `last` is before `first`.
    #[must_use]
    pub fn new(first: Date, last: Date) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// One day alone.
    #[must_use]
    pub const fn day(day: Date) -> Self {
        Self { first: day, last: day }
    }

    /// How many days, at least 1.
    #[must_use]
    pub fn count(self) -> i32 {
        (self.last - self.first).get_days().saturating_add(1)
    }

    /// Each day, the first one first.
    pub fn days(self) -> impl Iterator<Item = Date> {
        self.first.series(1.day()).take_while(move |day| *day <= self.last)
    }

    /// The first day.
    #[must_use]
    pub const fn first(self) -> Date {
        self.first
    }

    /// The last day, included.
    #[must_use]
    pub const fn last(self) -> Date {
        self.last
    }

    /// Whether some day belongs to both.
    #[must_use]
    pub fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Whether `day` is one of the days.
    #[must_use]
    pub fn contains(self, day: Date) -> bool {
        self.first <= day && day <= self.last
    }
}

impl fmt::Display for DateSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.first, self.last)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_span_that_ends_before_it_starts_does_not_exist() {
        assert_eq!(DateSpan::new(date(2026, 3, 2), date(2026, 3, 1)), None);
    }

    #[test]
    fn a_span_counts_both_of_its_ends() {
        let span = DateSpan::new(date(2026, 2, 27), date(2026, 3, 2)).expect("in order");
        assert_eq!((span.count(), span.days().count()), (4, 4));
        assert_eq!(span.days().last(), Some(span.last()));
        assert_eq!(DateSpan::day(span.last()).count(), 1);
        let years = DateSpan::new(date(2026, 1, 1), date(2028, 1, 1)).expect("in order");
        assert_eq!(years.count(), 731);
    }

    #[test]
    fn monotonic_never_wraps() {
        let late = Monotonic(u64::MAX - 1);
        assert_eq!(late.after(Duration::from_secs(9)), Monotonic(u64::MAX));
        assert_eq!(Monotonic(7).ms_until(Monotonic(5)), 0);
    }

    proptest! {
        #[test]
        fn overlap_means_a_common_day(a in 0_i8..20, b in 0_i8..20, c in 0_i8..20, d in 0_i8..20) {
            let day = |offset: i8| date(2026, 3, 1 + offset);
            let (Some(one), Some(two)) =
                (DateSpan::new(day(a), day(b)), DateSpan::new(day(c), day(d))) else {
                return Ok(());
            };
            let common = (0..20).any(|n| one.contains(day(n)) && two.contains(day(n)));
            prop_assert_eq!(one.overlaps(two), common);
            prop_assert_eq!(two.overlaps(one), common);
        }
    }
}
