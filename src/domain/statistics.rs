//! How figures of a site are counted from what happened: lockers by day, openings by weekday and hour,
//! claims by minute, and who was late. Pure; `service/statistics.rs` feeds it.
//!
//! A day is looked at at one instant, its end (or now, for today): a locker is then taken, taken by
//! somebody who is late, free, or not lent at all.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

/// One confirmed rental of a locker, from when on its things may be inside. Times are unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// From its first day, or its confirmation when that was later.
    pub from_ms: i64,
    /// Until the locker was emptied; `i64::MAX` when it was not.
    pub to_ms: i64,
    /// From when on it was late: the end of its last day.
    pub late_ms: i64,
}

/// What happened to one locker.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LockerLine {
    /// Whether it was lent before the first change.
    pub in_service: bool,
    /// When it was put out of service and back, in the order of their times.
    pub changes: Vec<(i64, bool)>,
    /// Its rentals, in any order.
    pub stays: Vec<Stay>,
}

/// Lockers by day; each list has one number for each instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Occupancy {
    /// Lent at all.
    pub in_service: Vec<u32>,
    /// Rented, and not late.
    pub taken: Vec<u32>,
    /// Still in use past the last day of a rental.
    pub overdue: Vec<u32>,
    /// In service and neither taken nor overdue.
    pub free: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    Free,
    Taken,
    Overdue,
}

/// Counts lockers at each of these instants, which rise. A locker with two rentals at once, the first of
/// which is late, counts once, as overdue.
#[must_use]
pub fn occupancy<'a>(
    instants: &[i64],
    lockers: impl IntoIterator<Item = &'a LockerLine>,
) -> Occupancy {
    let none = vec![0_u32; instants.len()];
    let mut counted = Occupancy {
        in_service: none.clone(),
        taken: none.clone(),
        overdue: none.clone(),
        free: none,
    };
    let first_at = |ms: i64| instants.partition_point(|instant| *instant < ms);
    let (mut used, mut lent) = (Vec::new(), Vec::new());
    for locker in lockers {
        used.clear();
        used.resize(instants.len(), Use::Free);
        for stay in &locker.stays {
            let (from, to, late) =
                (first_at(stay.from_ms), first_at(stay.to_ms), first_at(stay.late_ms));
            for (at, used) in used.iter_mut().enumerate().take(to).skip(from) {
                *used = (*used).max(if at < late { Use::Taken } else { Use::Overdue });
            }
        }
        lent.clear();
        lent.resize(instants.len(), locker.in_service);
        for (at_ms, in_service) in &locker.changes {
            lent[first_at(*at_ms)..].fill(*in_service);
        }
        for (at, (used, lent)) in used.iter().zip(&lent).enumerate() {
            counted.in_service[at] += u32::from(*lent);
            counted.taken[at] += u32::from(*used == Use::Taken);
            counted.overdue[at] += u32::from(*used == Use::Overdue);
            counted.free[at] += u32::from(*lent && *used == Use::Free);
        }
    }
    counted
}

/// Counts by weekday (Monday first) and hour of the day in a zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeekHours(pub [[u64; 24]; 7]);

impl WeekHours {
    /// Counts what happened at an instant.
    pub fn add(&mut self, at: Timestamp, count: u64, zone: &TimeZone) {
        let local = at.to_zoned(zone.clone());
        let day = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
        let hour = usize::from(local.hour().unsigned_abs());
        if let Some(cell) = self.0.get_mut(day).and_then(|day| day.get_mut(hour)) {
            *cell += count;
        }
    }
}

/// The weekdays in the order of [`WeekHours`], as charts name them.
#[must_use]
pub fn weekdays() -> [&'static str; 7] {
    let name_of = |day: Weekday| match day {
        Weekday::Monday => "mon",
        Weekday::Tuesday => "tue",
        Weekday::Wednesday => "wed",
        Weekday::Thursday => "thu",
        Weekday::Friday => "fri",
        Weekday::Saturday => "sat",
        Weekday::Sunday => "sun",
    };
    let mut names = [""; 7];
    for (name, day) in names.iter_mut().zip(Weekday::Monday.cycle_forward()) {
        *name = name_of(day);
    }
    names
}

/// Counts what happened in each of the first minutes after an instant; what was before or after is left
/// out.
#[must_use]
pub fn by_minute(
    from_ms: i64,
    minutes: usize,
    times_ms: impl IntoIterator<Item = i64>,
) -> Vec<u32> {
    let mut counted = vec![0; minutes];
    for at_ms in times_ms {
        let minute = usize::try_from((at_ms - from_ms).div_euclid(60_000)).ok();
        if let Some(cell) = minute.and_then(|minute| counted.get_mut(minute)) {
            *cell += 1;
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stay() -> impl Strategy<Value = Stay> {
        (0_i64..60, 0_i64..30, 0_i64..30, any::<bool>()).prop_map(|(from_ms, long, late, open)| {
            let to_ms = if open { i64::MAX } else { from_ms + long };
            Stay { from_ms, to_ms, late_ms: from_ms + late }
        })
    }

    fn locker() -> impl Strategy<Value = LockerLine> {
        let changes = prop::collection::vec((0_i64..80, any::<bool>()), 0..5);
        let stays = prop::collection::vec(stay(), 0..5);
        (any::<bool>(), changes, stays).prop_map(|(in_service, mut changes, stays)| {
            changes.sort_by_key(|(at_ms, _)| *at_ms);
            LockerLine { in_service, changes, stays }
        })
    }

    /// What one locker is at one instant, looked up from the definition.
    fn naive(locker: &LockerLine, now: i64) -> (bool, bool, bool, bool) {
        let lent = locker
            .changes
            .iter()
            .rev()
            .find(|(at_ms, _)| *at_ms <= now)
            .map_or(locker.in_service, |(_, lent)| *lent);
        let inside: Vec<&Stay> =
            locker.stays.iter().filter(|it| it.from_ms <= now && now < it.to_ms).collect();
        let late = inside.iter().any(|it| it.late_ms <= now);
        (lent, !inside.is_empty() && !late, late, lent && inside.is_empty())
    }

    proptest! {
        #[test]
        fn the_sweep_counts_what_a_look_at_every_locker_counts(
            lockers in prop::collection::vec(locker(), 0..6),
            instants in prop::collection::btree_set(0_i64..90, 0..12),
        ) {
            let instants: Vec<i64> = instants.into_iter().collect();
            let swept = occupancy(&instants, &lockers);
            for (at, now) in instants.iter().enumerate() {
                let seen: Vec<_> = lockers.iter().map(|it| naive(it, *now)).collect();
                let count = |pick: fn(&(bool, bool, bool, bool)) -> bool| {
                    u32::try_from(seen.iter().filter(|it| pick(it)).count()).expect("few")
                };
                prop_assert_eq!(swept.in_service[at], count(|it| it.0));
                prop_assert_eq!(swept.taken[at], count(|it| it.1));
                prop_assert_eq!(swept.overdue[at], count(|it| it.2));
                prop_assert_eq!(swept.free[at], count(|it| it.3));
            }
        }
    }

    #[test]
    fn hours_are_those_of_the_site_also_when_summer_time_ends() {
        let seoul = TimeZone::get("Asia/Seoul").expect("bundled");
        let mut counted = WeekHours::default();
        // Sunday 23:30 UTC is Monday 08:30 in Seoul.
        counted.add("2026-03-01T23:30:00Z".parse().expect("a time"), 3, &seoul);
        assert_eq!(counted.0[0][8], 3);
        let berlin = TimeZone::get("Europe/Berlin").expect("bundled");
        let mut counted = WeekHours::default();
        for at in ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"] {
            counted.add(at.parse().expect("a time"), 1, &berlin);
        }
        assert_eq!(counted.0[6][2], 2, "the hour from two to three comes twice");
        assert_eq!((weekdays()[0], weekdays()[6]), ("mon", "sun"));
    }

    #[test]
    fn minutes_are_counted_from_the_opening_on() {
        let times = [999, 1_000, 60_999, 61_000, 180_999, 181_000];
        assert_eq!(by_minute(1_000, 3, times), [2, 1, 1]);
    }
}
