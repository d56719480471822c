//! How many reservations each day of a bank can still bear.
//!
//! A day is full when its claims reach what the bank can give. Claims are the live reservations and
//! the bound rentals that cover it. What the bank can give are its compartments in service, without
//! those in which somebody whose days are over still has their things: nobody knows when these come
//! back. So what is late or broken shrinks every day that is still to come. Reservations are counted
//! as they come and go ([`DayCounts`]); compartments are walked when somebody asks ([`Room`]).

use jiff::ToSpan;
use jiff::civil::Date;

use crate::domain::rental::Rental;
use crate::domain::time::DateSpan;

/// How many spans cover each day. Kept as steps: a span that begins counts one up, the day after its
/// end one down. Shares its parts with the counts it was made from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DayCounts(imbl::OrdMap<Date, i32>);

impl DayCounts {
    /// Counts a span.
    pub fn add(&mut self, dates: DateSpan) {
        self.shift(dates, 1);
    }

    /// Counts a span no more that was counted before.
    pub fn remove(&mut self, dates: DateSpan) {
        self.shift(dates, -1);
    }

    /// Whether nothing is counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many spans cover each of these days.
    #[must_use]
    pub fn on(&self, days: DateSpan) -> Vec<u32> {
        let before = self.0.range(..days.first()).map(|(_, step)| step).sum::<i32>();
        let mut steps = self.0.range(days.first()..=days.last()).peekable();
        let mut count = before;
        let on = |day: Date| {
            while let Some((_, step)) = steps.next_if(|(at, _)| **at <= day) {
                count += step;
            }
            u32::try_from(count).unwrap_or_default()
        };
        days.days().map(on).collect()
    }

    fn shift(&mut self, dates: DateSpan, by: i32) {
        self.step(dates.first(), by);
        // A span that ends with all time has no day after it.
        if let Ok(after) = dates.last().checked_add(1.day()) {
            self.step(after, -by);
        }
    }

    fn step(&mut self, at: Date, by: i32) {
        let steps = self.0.get(&at).copied().unwrap_or_default() + by;
        if steps == 0 {
            self.0.remove(&at);
        } else {
            self.0.insert(at, steps);
        }
    }
}

/// What a bank can give on some days and what was promised of it.
#[derive(Debug, Clone)]
pub struct Room {
    days: DateSpan,
    today: Date,
    supply: u32,
    claims: Vec<u32>,
}

impl Room {
    /// A bank without compartments, as seen on `today`, with these reservations.
    #[must_use]
    pub fn new(days: DateSpan, reserved: &DayCounts, today: Date) -> Self {
        Self { days, today, supply: 0, claims: reserved.on(days) }
    }

    /// Adds a compartment with its live holds and rentals.
    pub fn add<'a>(&mut self, in_service: bool, rentals: impl IntoIterator<Item = &'a Rental>) {
        let mut left_behind = false;
        for rental in rentals {
            left_behind |= is_left_behind(rental, self.today);
            if rental.dates.overlaps(self.days) {
                let from = self.place(rental.dates.first().max(self.days.first()));
                let to = self.place(rental.dates.last().min(self.days.last()));
                self.claims.iter_mut().take(to + 1).skip(from).for_each(|claims| *claims += 1);
            }
        }
        self.supply += u32::from(in_service && !left_behind);
    }

    fn place(&self, day: Date) -> usize {
        usize::try_from((day - self.days.first()).get_days()).unwrap_or_default()
    }

    /// How many more reservations each day can bear.
    pub fn left(&self) -> impl Iterator<Item = (Date, u32)> {
        let left = self.claims.iter().map(|claims| self.supply.saturating_sub(*claims));
        self.days.days().zip(left)
    }

    /// The days that can bear none.
    #[must_use]
    pub fn full_days(&self) -> Vec<Date> {
        self.left().filter(|(_, left)| *left == 0).map(|(day, _)| day).collect()
    }
}

/// Whether somebody's things are in the compartment though their days are over.
#[must_use]
pub fn is_left_behind(rental: &Rental, today: Date) -> bool {
    rental.occupies(today) && rental.dates.last() < today
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::{BankId, LockerId, MemberId, RentalId};
    use crate::domain::pool::Reservation;
    use crate::domain::rental::RentalState;
    use crate::domain::returning::Return;
    use crate::domain::time::Monotonic;

    const TODAY: i16 = 8;

    fn day(number: i16) -> Date {
        date(2026, 2, 20).saturating_add(number.days())
    }

    fn span(first: i16, length: i16) -> DateSpan {
        DateSpan::new(day(first), day(first + length)).expect("in order")
    }

    fn reserved(dates: DateSpan) -> Reservation {
        Reservation {
            id: RentalId(1),
            bank_id: BankId(1),
            member_id: MemberId(1),
            dates,
            accessible: false,
            unserved: false,
        }
    }

    fn rental(dates: DateSpan, returned: bool) -> Rental {
        let back = RentalState::Returned(Return::new(Monotonic(0), None));
        let state = if returned { back } else { RentalState::Active };
        Rental { state, ..reserved(dates).bound(LockerId(1)) }
    }

    #[test]
    fn an_empty_bank_can_bear_nothing_and_a_late_one_gives_a_compartment_less() {
        let days = span(TODAY + 1, 1);
        let mut room = Room::new(days, &DayCounts::default(), day(TODAY));
        assert_eq!(room.full_days().len(), 2);
        room.add(true, []);
        assert_eq!(room.left().map(|(_, left)| left).collect::<Vec<_>>(), [1, 1]);
        room.add(true, &[rental(span(TODAY - 2, 1), false)]);
        room.add(false, []);
        assert_eq!(room.left().map(|(_, left)| left).collect::<Vec<_>>(), [1, 1]);
        // Today is still theirs: they are expected to leave tonight.
        room.add(true, &[rental(span(TODAY - 2, 2), true)]);
        assert_eq!(room.left().map(|(_, left)| left).collect::<Vec<_>>(), [2, 2]);
        room.add(true, &[rental(span(TODAY, 1), false)]);
        assert_eq!(room.left().map(|(_, left)| left).collect::<Vec<_>>(), [2, 3]);
    }

    proptest! {
        #[test]
        fn counts_agree_with_counting_each_span(
            spans in prop::collection::vec((0_i16..30, 0_i16..9, any::<bool>()), 0..40),
            asked in (0_i16..30, 0_i16..20),
        ) {
            let mut counts = DayCounts::default();
            for (first, length, _) in &spans {
                counts.add(span(*first, *length));
            }
            for (first, length, _) in spans.iter().filter(|it| !it.2) {
                counts.remove(span(*first, *length));
            }
            let kept: Vec<DateSpan> =
                spans.iter().filter(|it| it.2).map(|it| span(it.0, it.1)).collect();
            let days = span(asked.0, asked.1);
            let plain: Vec<u32> = days
                .days()
                .map(|day| kept.iter().map(|span| u32::from(span.contains(day))).sum())
                .collect();
            prop_assert_eq!(counts.on(days), plain);
            prop_assert_eq!(counts.is_empty(), kept.is_empty());
        }

        /// Beside a plain reading of the rule, compartment by compartment and day by day.
        #[test]
        fn room_agrees_with_the_rule_read_plainly(
            reservations in prop::collection::vec((0_i16..20, 0_i16..6), 0..20),
            lockers in prop::collection::vec(
                (any::<bool>(), prop::option::of((0_i16..14, 0_i16..6, any::<bool>()))), 0..12),
        ) {
            let (days, today) = (span(TODAY, 15), day(TODAY));
            let spans: Vec<DateSpan> =
                reservations.iter().map(|it| span(TODAY + it.0, it.1)).collect();
            let mut counts = DayCounts::default();
            for dates in &spans {
                counts.add(*dates);
            }
            let mut room = Room::new(days, &counts, today);
            let lockers: Vec<(bool, Option<Rental>)> = lockers
                .into_iter()
                .map(|(on, it)| (on, it.map(|it| rental(span(it.0, it.1), it.2))))
                .collect();
            for (in_service, rented) in &lockers {
                room.add(*in_service, rented);
            }
            for (at, left) in room.left() {
                let mut can_give = 0_u32;
                for (in_service, rented) in &lockers {
                    let late = rented.is_some_and(|it| it.dates.last() < today);
                    can_give += u32::from(*in_service && !late);
                }
                let promised = spans.iter().filter(|dates| dates.contains(at)).count();
                let bound = lockers.iter().filter_map(|it| it.1).filter(|it| it.dates.contains(at));
                let claims = u32::try_from(promised + bound.count()).expect("small");
                prop_assert_eq!(left, can_give.saturating_sub(claims));
            }
        }
    }
}
