//! A longer rental: when its renter may have it, and until which day.
//!
//! Allowed from some days before the last day until the last day itself, a number of times, and only
//! when nobody is kept from anything by it: nobody waits before the bank, nobody has claimed the
//! locker for one of the days, and its renter has nothing else then. The database has the last word
//! on claims. Used by `service/extensions.rs`.

use jiff::ToSpan;
use jiff::civil::Date;

use super::options::Options;
use super::rental::{Rental, RentalState};
use super::time::DateSpan;

/// Why a rental is not extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExtensionError {
    /// The bank extends no rentals.
    Off,
    /// It is not confirmed, or was given back.
    NotActive,
    /// Its last day is over.
    Over,
    /// It was extended as often as the bank allows.
    Used,
    /// Too early.
    Early {
        /// The first day on which it can be extended.
        from: Date,
    },
    /// Somebody waits for a locker of the bank.
    OthersWait,
    /// Somebody has claimed the locker for one of the days.
    LockerClaimed,
    /// The renter has another locker for one of the days.
    HasAnother,
    /// All lockers of the bank are promised on this day.
    Full(Date),
}

/// A longer rental as its own dates allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    /// Its first day, as before, to its new last day.
    pub dates: DateSpan,
    /// The days that come to it.
    pub added: DateSpan,
    /// How often it can be extended after that.
    pub left: u16,
}

/// What stands around a rental that is to be extended. Spans that it does not touch do no harm.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// The days that people wait for before the bank, without an offer.
    pub waited_for: Vec<DateSpan>,
    /// The days of every other live claim of the locker.
    pub claimed: Vec<DateSpan>,
    /// The days of everything else that the renter has.
    pub own: Vec<DateSpan>,
    /// The first of the added days on which a bank in pool mode has promised all it has.
    pub full_on: Option<Date>,
}

impl Extension {
    /// The extension that a rental may have on `today` by its own dates.
    pub fn of(rental: &Rental, options: &Options, today: Date) -> Result<Self, ExtensionError> {
        let Some(days) = options.extension_days.filter(|_| options.extensions_max > 0) else {
            return Err(ExtensionError::Off);
        };
        let last = rental.dates.last();
        if rental.state != RentalState::Active {
            return Err(ExtensionError::NotActive);
        }
        if rental.sealed || last < today {
            return Err(ExtensionError::Over);
        }
        if rental.extensions >= options.extensions_max {
            return Err(ExtensionError::Used);
        }
        let from = last.saturating_sub(i64::from(options.extension_from_days).days());
        if today < from {
            return Err(ExtensionError::Early { from });
        }
        // The calendar ends in the year 9999: nothing is added there.
        let ends_on = last.checked_add(i64::from(days).days()).map_err(|_| ExtensionError::Over)?;
        let begins = last.tomorrow().map_err(|_| ExtensionError::Over)?;
        let span = |first| DateSpan::new(first, ends_on).ok_or(ExtensionError::Over);
        let left = options.extensions_max.saturating_sub(rental.extensions).saturating_sub(1);
        Ok(Self { dates: span(rental.dates.first())?, added: span(begins)?, left })
    }

    /// Demands that nobody is kept from anything by it.
    pub fn demand_room(&self, around: &Around) -> Result<(), ExtensionError> {
        let shares = |all: &[DateSpan], days: DateSpan| all.iter().any(|it| it.overlaps(days));
        if shares(&around.waited_for, self.dates) {
            Err(ExtensionError::OthersWait)
        } else if shares(&around.own, self.added) {
            Err(ExtensionError::HasAnother)
        } else if shares(&around.claimed, self.added) {
            Err(ExtensionError::LockerClaimed)
        } else {
            around.full_on.map_or(Ok(()), |day| Err(ExtensionError::Full(day)))
        }
    }

    /// The rental with its new days.
    #[must_use]
    pub fn carried_out(&self, rental: Rental) -> Rental {
        Rental { dates: self.dates, extensions: rental.extensions.saturating_add(1), ..rental }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::{LockerId, MemberId, RentalId, TermId};

    const FIRST: Date = date(2026, 3, 2);

    fn span(first: Date, last: Date) -> DateSpan {
        DateSpan::new(first, last).expect("in order")
    }

    fn rental(last: Date) -> Rental {
        Rental {
            id: RentalId(1),
            locker_id: LockerId(101),
            member_id: MemberId(1),
            term_id: Some(TermId(1)),
            dates: span(FIRST, last),
            opened: true,
            extensions: 0,
            hold_extended: false,
            sealed: false,
            state: RentalState::Active,
        }
    }

    fn options(max: u16, days: u16, from_days: u16) -> Options {
        Options {
            extensions_max: max,
            extension_days: Some(days),
            extension_from_days: from_days,
            ..Options::default()
        }
    }

    #[test]
    fn each_refusal_has_its_reason() {
        let (last, options) = (date(2026, 6, 19), options(2, 14, 14));
        let mine = rental(last);
        let of = |rental: &Rental, today| Extension::of(rental, &options, today);
        let from = date(2026, 6, 5);
        assert_eq!(of(&mine, date(2026, 6, 4)), Err(ExtensionError::Early { from }));
        let wanted = Extension {
            dates: span(FIRST, date(2026, 7, 3)),
            added: span(date(2026, 6, 20), date(2026, 7, 3)),
            left: 1,
        };
        assert_eq!(of(&mine, from), Ok(wanted));
        assert_eq!(of(&mine, last), Ok(wanted), "on its last day");
        assert_eq!(of(&mine, date(2026, 6, 20)), Err(ExtensionError::Over));
        assert_eq!(of(&Rental { sealed: true, ..mine }, last), Err(ExtensionError::Over));
        assert_eq!(of(&Rental { extensions: 2, ..mine }, last), Err(ExtensionError::Used));
        let held = RentalState::Held { until: crate::domain::time::Monotonic(9) };
        assert_eq!(of(&Rental { state: held, ..mine }, last), Err(ExtensionError::NotActive));
        for off in [Options::default(), Options { extension_days: Some(3), ..Options::default() }] {
            assert_eq!(Extension::of(&mine, &off, last), Err(ExtensionError::Off));
        }
        let late = rental(date(9999, 12, 31));
        assert_eq!(of(&late, date(9999, 12, 30)), Err(ExtensionError::Over), "no day is left");
    }

    #[test]
    fn whoever_would_be_kept_from_something_is_in_the_way() {
        let mine = rental(date(2026, 6, 19));
        let asked = Extension::of(&mine, &options(1, 14, 14), date(2026, 6, 19)).expect("in time");
        let july = |from, to| vec![span(date(2026, 7, from), date(2026, 7, to))];
        assert_eq!(asked.demand_room(&Around::default()), Ok(()));
        let touching =
            Around { waited_for: july(4, 9), claimed: july(4, 9), own: july(4, 9), full_on: None };
        assert_eq!(asked.demand_room(&touching), Ok(()), "they begin the day after");
        for (around, error) in [
            (Around { waited_for: july(3, 9), ..Around::default() }, ExtensionError::OthersWait),
            (
                Around { waited_for: vec![mine.dates], ..Around::default() },
                ExtensionError::OthersWait,
            ),
            (Around { claimed: july(3, 9), ..Around::default() }, ExtensionError::LockerClaimed),
            (Around { own: july(1, 1), ..Around::default() }, ExtensionError::HasAnother),
            (
                Around { full_on: Some(date(2026, 7, 1)), ..Around::default() },
                ExtensionError::Full(date(2026, 7, 1)),
            ),
        ] {
            assert_eq!(asked.demand_room(&around), Err(error));
        }
    }

    proptest! {
        /// However often and whenever somebody asks: never more often than allowed, never longer than
        /// that many extensions, never by surprise early, and never onto a day that is another's.
        #[test]
        fn no_rental_gets_beyond_its_limits(
            max in 0_u16..5,
            days in 1_u16..40,
            from_days in 1_u16..40,
            waits in prop::collection::vec(0_i64..30, 1..20),
            other in 0_i64..300,
        ) {
            let options = options(max, days, from_days);
            let mut mine = rental(date(2026, 3, 31));
            let begun = mine.dates;
            let claimed = begun.last().saturating_add((1 + other).days());
            let around = Around {
                claimed: vec![span(claimed, claimed.saturating_add(90.days()))],
                ..Around::default()
            };
            let (mut today, mut granted) = (FIRST, 0);
            for wait in waits {
                today = today.saturating_add(wait.days());
                let asked = Extension::of(&mine, &options, today);
                let Ok(asked) = asked.and_then(|it| it.demand_room(&around).map(|()| it)) else {
                    continue;
                };
                let before = mine.dates.last();
                prop_assert!(today <= before, "late on {}", today);
                prop_assert!(today >= before.saturating_sub(i64::from(from_days).days()));
                mine = asked.carried_out(mine);
                granted += 1;
                prop_assert_eq!(mine.dates.first(), begun.first());
                prop_assert_eq!(mine.extensions + asked.left, max);
                prop_assert_eq!(asked.added.last(), mine.dates.last());
                prop_assert!(!asked.added.contains(before) && mine.dates.last() > before);
            }
            prop_assert!(granted <= max);
            let longest = begun.last().saturating_add((i64::from(granted) * i64::from(days)).days());
            prop_assert_eq!(mine.dates.last(), longest);
            prop_assert!(!mine.dates.contains(claimed));
        }
    }
}
