//! When a job is due. Pure: what wakes a job only asks here, so a wake-up too many does nothing and
//! one that was missed is made up for once.
//!
//! A daily job belongs to a day of the site. On the day on which its time does not exist it runs at
//! the same distance from midnight (02:30 becomes 03:30), on the day that has it twice at the first.

use std::fmt;
use std::time::Duration;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::time::Monotonic;

/// When a job runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// So long after its last run, and once at the start.
    Every(Duration),
    /// Once a day at this time of the site.
    Daily(Time),
}

/// A run that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// When it began by the wall clock.
    pub at: Timestamp,
    /// When it began by the count of this process; `None` for a run of an earlier one.
    pub monotonic: Option<Monotonic>,
}

/// The moment that is asked about.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Wall time.
    pub now: Timestamp,
    /// The count of this process.
    pub monotonic: Monotonic,
    /// The site's time zone.
    pub zone: &'a TimeZone,
}

impl Schedule {
    /// Every so many seconds.
    #[must_use]
    pub const fn every_s(seconds: u64) -> Self {
        Self::Every(Duration::from_secs(seconds))
    }

    /// Every day at this time of the site.
    #[must_use]
    pub const fn daily(hour: i8, minute: i8) -> Self {
        Self::Daily(Time::constant(hour, minute, 0, 0))
    }

    /// Whether a run is due, given the last one that succeeded.
    ///
    /// However long the machine was off or however far the clock jumped, what was missed is one run.
    #[must_use]
    pub fn is_due(self, last: Option<Past>, moment: Moment<'_>) -> bool {
        let Some(last) = last else { return true };
        match self {
            Self::Every(period) => {
                last.monotonic.is_none_or(|began| began.after(period) <= moment.monotonic)
            }
            Self::Daily(time) => {
                // A run from the future was noted by a clock that has been set back by days: it says
                // nothing about today.
                let future = last.at > moment.now.saturating_add(DAY).unwrap_or(Timestamp::MAX);
                future || last.at < newest_slot(time, moment)
            }
        }
    }

    /// When it runs next; in the past when it is due.
    #[must_use]
    pub fn next(self, last: Option<Past>, moment: Moment<'_>) -> Timestamp {
        if self.is_due(last, moment) {
            return moment.now;
        }
        match self {
            Self::Every(period) => {
                let began = last.and_then(|last| last.monotonic).unwrap_or(moment.monotonic);
                let wait_ms = moment.monotonic.ms_until(began.after(period));
                let wait = SignedDuration::from_millis(i64::try_from(wait_ms).unwrap_or(i64::MAX));
                moment.now.saturating_add(wait).unwrap_or(Timestamp::MAX)
            }
            Self::Daily(time) => {
                let today = day(moment);
                let tomorrow = today.saturating_add(1.day());
                [today, tomorrow]
                    .into_iter()
                    .filter_map(|day| slot(day, time, moment.zone))
                    .find(|at| moment.now < *at)
                    .unwrap_or(Timestamp::MAX)
            }
        }
    }
}

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn day(moment: Moment<'_>) -> Date {
    moment.now.to_zoned(moment.zone.clone()).date()
}

/// A time of a day, as this zone has it on that day.
fn slot(day: Date, time: Time, zone: &TimeZone) -> Option<Timestamp> {
    Some(day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp())
}

/// The newest planned time that is not in the future.
fn newest_slot(time: Time, moment: Moment<'_>) -> Timestamp {
    let today = day(moment);
    let yesterday = today.saturating_sub(1.day());
    [today, yesterday]
        .into_iter()
        .filter_map(|day| slot(day, time, moment.zone))
        .find(|at| *at <= moment.now)
        .unwrap_or(Timestamp::MIN)
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Every(period) if period.as_secs() % 60 == 0 => {
                write!(f, "every {} min", period.as_secs() / 60)
            }
            Self::Every(period) => write!(f, "every {} s", period.as_secs()),
            Self::Daily(time) => write!(f, "daily at {:02}:{:02}", time.hour(), time.minute()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NIGHT: Schedule = Schedule::daily(2, 30);

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").expect("bundled")
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// Asks every ten minutes from `from` on, and runs when it is due; the times of the runs.
    fn runs(
        schedule: Schedule,
        zone: &TimeZone,
        from: &str,
        hours: i64,
        last: &str,
    ) -> Vec<String> {
        let mut past = Some(Past { at: time(last), monotonic: None });
        let mut found = Vec::new();
        for step in 0..hours * 6 {
            let now = time(from) + SignedDuration::from_mins(10 * step);
            let moment = Moment { now, monotonic: Monotonic(0), zone };
            if schedule.is_due(past, moment) {
                past = Some(Past { at: now, monotonic: None });
                found.push(now.to_zoned(zone.clone()).strftime("%m-%d %H:%M%:z").to_string());
            }
        }
        found
    }

    #[test]
    fn a_time_that_the_day_does_not_have_runs_once_an_hour_later() {
        // 2026-03-29 in Berlin: 02:00 becomes 03:00.
        let found = runs(NIGHT, &berlin(), "2026-03-28T12:00:00Z", 48, "2026-03-28T01:30:00Z");
        assert_eq!(found, ["03-29 03:30+02:00", "03-30 02:30+02:00"]);
    }

    #[test]
    fn a_time_that_the_day_has_twice_runs_once() {
        // 2026-10-25 in Berlin: 03:00 becomes 02:00.
        let found = runs(NIGHT, &berlin(), "2026-10-24T12:00:00Z", 48, "2026-10-24T00:30:00Z");
        assert_eq!(found, ["10-25 02:30+02:00", "10-26 02:30+01:00"]);
    }

    #[test]
    fn what_was_missed_is_made_up_for_once() {
        let month = runs(NIGHT, &berlin(), "2026-06-20T12:00:00Z", 24, "2026-05-20T00:30:00Z");
        assert_eq!(month, ["06-20 14:00+02:00", "06-21 02:30+02:00"]);
    }

    #[test]
    fn a_clock_that_was_set_back_gives_one_run_and_goes_on() {
        let back = runs(NIGHT, &berlin(), "2025-06-20T12:00:00Z", 24, "2026-06-20T00:30:00Z");
        assert_eq!(back, ["06-20 14:00+02:00", "06-21 02:30+02:00"]);
        // A correction across the time itself does not run it twice.
        let moment =
            Moment { now: time("2026-06-20T00:29:59Z"), monotonic: Monotonic(0), zone: &berlin() };
        let ran = Past { at: time("2026-06-20T00:30:05Z"), monotonic: None };
        assert!(!NIGHT.is_due(Some(ran), moment));
    }

    #[test]
    fn a_period_counts_on_the_clock_that_does_not_jump() {
        let zone = TimeZone::UTC;
        let schedule = Schedule::every_s(900);
        let at = |now: &str, ms| Moment { now: time(now), monotonic: Monotonic(ms), zone: &zone };
        let start = at("2026-06-20T00:00:00Z", 1_000);
        assert!(schedule.is_due(None, start));
        assert!(schedule.is_due(Some(Past { at: start.now, monotonic: None }), start));
        let ran = Some(Past { at: start.now, monotonic: Some(start.monotonic) });
        let jumped = at("2027-06-20T00:00:00Z", 900_999);
        assert!(!schedule.is_due(ran, jumped));
        assert_eq!(schedule.next(ran, jumped), time("2027-06-20T00:00:00.001Z"));
        assert!(schedule.is_due(ran, at("2025-06-20T00:00:00Z", 901_000)));
    }

    #[test]
    fn a_schedule_says_itself_in_words() {
        for (schedule, words) in [
            (Schedule::every_s(2), "every 2 s"),
            (Schedule::every_s(900), "every 15 min"),
            (NIGHT, "daily at 02:30"),
        ] {
            assert_eq!(schedule.to_string(), words);
        }
    }

    proptest! {
        /// In any of these zones, at any time of day, over any week of the year: one run a day.
        #[test]
        fn a_daily_job_runs_once_on_each_day(
            zone in prop::sample::select(vec![
                "Europe/Berlin", "America/New_York", "Asia/Seoul", "Australia/Lord_Howe",
                "America/Santiago", "Africa/Casablanca", "UTC",
            ]),
            hour in 0_i8..24, minute in 0_i8..60, week in 0_i64..52,
        ) {
            let zone = TimeZone::get(zone).expect("bundled");
            let schedule = Schedule::daily(hour, minute);
            let from = time("2026-01-05T00:00:00Z") + SignedDuration::from_hours(week * 168);
            let moment = |now| Moment { now, monotonic: Monotonic(0), zone: &zone };
            let mut past = Some(Past { at: from, monotonic: None });
            let mut days = Vec::new();
            for minutes in 0..7 * 24 * 12 {
                let now = from + SignedDuration::from_mins(minutes * 5);
                let next = schedule.next(past, moment(now));
                if schedule.is_due(past, moment(now)) {
                    prop_assert_eq!(next, now);
                    days.push(now.to_zoned(zone.clone()).date());
                    past = Some(Past { at: now, monotonic: None });
                } else {
                    prop_assert!(now < next && next <= now + SignedDuration::from_hours(26));
                }
            }
            // Seven times 24 hours hold seven of them, or six or eight where a change of the clock
            // falls between.
            prop_assert!((6..=8).contains(&days.len()), "{:?}", days);
            let mut unique = days.clone();
            unique.dedup();
            // Near midnight a gap may push a run into the next day, where that day's own follows.
            if (1..23).contains(&hour) {
                prop_assert_eq!(days, unique);
            }
        }
    }
}
