//! The only place that asks the machine what time it is.
//!
//! Everything else takes a [`Clock`], so that tests can turn time forward and a wall clock that
//! jumps never lengthens or shortens a hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::time::Monotonic;

/// Wall time, monotonic time and the site's calendar. Cheap to clone; clones share a manual clock.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
    zone: TimeZone,
}

#[derive(Debug, Clone)]
enum Source {
    System { start: Instant },
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct Manual {
    wall_ms: AtomicI64,
    monotonic_ms: AtomicU64,
}

impl Clock {
    /// The machine's own clocks, with days counted in `zone`.
    #[must_use]
    pub fn system(zone: TimeZone) -> Self {
        Self { source: Source::System { start: Instant::now() }, zone }
    }

    /// A clock that stands still at `now` until it is moved.
    #[must_use]
    pub fn manual(now: Timestamp, zone: TimeZone) -> Self {
        let manual =
            Manual { wall_ms: AtomicI64::new(now.as_millisecond()), monotonic_ms: 0.into() };
        Self { source: Source::Manual(Arc::new(manual)), zone }
    }

    /// Wall time, UTC, whole milliseconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the place that may ask")]
    pub fn now(&self) -> Timestamp {
        let ms = match &self.source {
            Source::System { .. } => Timestamp::now().as_millisecond(),
            Source::Manual(manual) => manual.wall_ms.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Monotonic time since this clock was made.
    #[must_use]
    pub fn monotonic(&self) -> Monotonic {
        match &self.source {
            Source::System { start } => {
                Monotonic(u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX))
            }
            Source::Manual(manual) => Monotonic(manual.monotonic_ms.load(Ordering::SeqCst)),
        }
    }

    /// The wall time of an earlier instant of this process, for events that carry one; whole
    /// milliseconds.
    #[must_use]
    pub fn wall_of(&self, instant: Instant) -> Timestamp {
        let ago = SignedDuration::try_from(instant.elapsed()).unwrap_or_default();
        let then = self.now().checked_sub(ago).unwrap_or(Timestamp::UNIX_EPOCH);
        Timestamp::from_millisecond(then.as_millisecond()).unwrap_or(then)
    }

    /// An instant of this process on the monotonic scale; 0 for one before this clock was made.
    #[must_use]
    pub fn monotonic_of(&self, instant: Instant) -> Monotonic {
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        match &self.source {
            Source::System { start } => Monotonic(ms(instant.saturating_duration_since(*start))),
            Source::Manual(_) => {
                Monotonic(self.monotonic().0.saturating_sub(ms(instant.elapsed())))
            }
        }
    }

    /// The wall time of an earlier moment on the monotonic scale, as the wall clock stands now;
    /// whole milliseconds.
    #[must_use]
    pub fn wall_at(&self, at: Monotonic) -> Timestamp {
        let ago_ms = i64::try_from(at.ms_until(self.monotonic())).unwrap_or(i64::MAX);
        let then_ms = self.now().as_millisecond().saturating_sub(ago_ms);
        Timestamp::from_millisecond(then_ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Today's date on the site.
    #[must_use]
    pub fn today(&self) -> Date {
        self.now().to_zoned(self.zone.clone()).date()
    }

    /// The site's time zone.
    #[must_use]
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Moves a manual clock forward on both scales; a system clock stays as it is.
    pub fn advance(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        if let Source::Manual(manual) = &self.source {
            manual.wall_ms.fetch_add(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::SeqCst);
            manual.monotonic_ms.fetch_add(ms, Ordering::SeqCst);
        }
    }

    /// Makes the wall time of a manual clock jump, as a late time sync does; monotonic time stays.
    pub fn jump_to(&self, now: Timestamp) {
        if let Source::Manual(manual) = &self.source {
            manual.wall_ms.store(now.as_millisecond(), Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_wall_jump_leaves_monotonic_time_alone() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH, TimeZone::UTC);
        clock.advance(Duration::from_secs(5));
        clock.jump_to("2026-09-01T00:00:00Z".parse().expect("a time"));
        assert_eq!(clock.monotonic(), Monotonic(5_000));
        assert_eq!(clock.today(), date(2026, 9, 1));
    }

    #[test]
    fn today_is_the_sites_day() {
        let seoul = TimeZone::get("Asia/Seoul").expect("bundled");
        let clock = Clock::manual("2026-08-31T15:00:00Z".parse().expect("a time"), seoul);
        assert_eq!(clock.today(), date(2026, 9, 1));
    }
}
