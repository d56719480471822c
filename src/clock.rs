//! The only place that asks the machine what time it is.
//!
//! Everything else takes a [`Clock`], so that tests can turn time forward and a wall clock that
//! jumps never lengthens or shortens a hold. Whether the wall time may be believed is decided
//! elsewhere (`domain/clock_trust.rs`) from what [`Clock::look`] shows.
//!
//! The kernel's own word on it (adjtimex) is not asked: no well-kept library gives it without unsafe
//! code, the unit's sandbox forbids it, and it is withdrawn some hours after the network went away,
//! while the clock is still right to the second. The time service's note is a documented interface
//! for this very purpose, and stays as long as the machine is on.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use rustix::time::{ClockId, clock_gettime};

use crate::domain::clock_trust::Look;
use crate::domain::time::Monotonic;

/// No note of a time service.
const NO_NOTE: i64 = i64::MIN;

/// Wall time, monotonic time and the site's calendar. Cheap to clone; clones share a manual clock.
#[derive(Debug, Clone)]
pub struct Clock {
    source: Source,
    zone: TimeZone,
}

#[derive(Debug, Clone)]
enum Source {
    System(Arc<System>),
    Manual(Arc<Manual>),
}

#[derive(Debug)]
struct System {
    start: Instant,
    real_time_clock: bool,
    /// What a time service touches when it has synchronised the clock.
    note: Option<PathBuf>,
    /// When it did, as last read; [`NO_NOTE`] if it did not.
    note_ms: AtomicI64,
    /// By how much a demo's clock was turned forward; `None` for the machine's own time.
    shift_ms: Option<AtomicU64>,
    /// By how much the wall time of a demo that begins on another day differs from the machine's.
    ahead_ms: i64,
}

#[derive(Debug)]
struct Manual {
    wall_ms: AtomicI64,
    monotonic_ms: AtomicU64,
    vouched: AtomicBool,
}

impl System {
    fn new(real_time_clock: bool, note: Option<PathBuf>, shift_ms: Option<AtomicU64>) -> Self {
        let note_ms = AtomicI64::new(NO_NOTE);
        Self { start: Instant::now(), real_time_clock, note, note_ms, shift_ms, ahead_ms: 0 }
    }

    fn shift_ms(&self) -> u64 {
        self.shift_ms.as_ref().map_or(0, |shift| shift.load(Ordering::SeqCst))
    }
}

impl Clock {
    /// The machine's own clocks, with days counted in `zone`. Nobody vouches for them.
    #[must_use]
    pub fn system(zone: TimeZone) -> Self {
        Self::watched(zone, false, None)
    }

    /// The machine's own clocks with what vouches for them: a battery clock, or the file `note` that a
    /// time service touches when it has synchronised them.
    #[must_use]
    pub fn watched(zone: TimeZone, real_time_clock: bool, note: Option<PathBuf>) -> Self {
        Self { source: Source::System(Arc::new(System::new(real_time_clock, note, None))), zone }
    }

    /// The machine's own clocks, vouched for, which can be turned forward, for demos; where `begin` is
    /// given, the wall time goes on from there.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the place that may ask")]
    pub fn shifted(zone: TimeZone, begin: Option<Timestamp>) -> Self {
        let ahead_ms = begin.map_or(0, |begin| {
            begin.as_millisecond().saturating_sub(Timestamp::now().as_millisecond())
        });
        let system = System { ahead_ms, ..System::new(true, None, Some(AtomicU64::new(0))) };
        Self { source: Source::System(Arc::new(system)), zone }
    }

    /// A clock that stands still at `now` until it is moved; vouched for until [`Clock::distrust`].
    #[must_use]
    pub fn manual(now: Timestamp, zone: TimeZone) -> Self {
        let manual = Manual {
            wall_ms: AtomicI64::new(now.as_millisecond()),
            monotonic_ms: 0.into(),
            vouched: true.into(),
        };
        Self { source: Source::Manual(Arc::new(manual)), zone }
    }

    /// Wall time, UTC, whole milliseconds.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the place that may ask")]
    pub fn now(&self) -> Timestamp {
        let ms = match &self.source {
            Source::System(system) => {
                let shift_ms = i64::try_from(system.shift_ms()).unwrap_or(i64::MAX);
                let now_ms = Timestamp::now().as_millisecond();
                now_ms.saturating_add(shift_ms).saturating_add(system.ahead_ms)
            }
            Source::Manual(manual) => manual.wall_ms.load(Ordering::SeqCst),
        };
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Monotonic time since this clock was made.
    #[must_use]
    pub fn monotonic(&self) -> Monotonic {
        match &self.source {
            Source::System(system) => {
                Monotonic(whole_ms(system.start.elapsed()).saturating_add(system.shift_ms()))
            }
            Source::Manual(manual) => Monotonic(manual.monotonic_ms.load(Ordering::SeqCst)),
        }
    }

    /// What shows now whether the wall time may be believed. Cheap; the time service's note is as
    /// [`Clock::read_note`] last found it.
    #[must_use]
    pub fn look(&self) -> Look {
        match &self.source {
            Source::System(system) => {
                // Counts also while the machine sleeps, as the wall clock does.
                let on = clock_gettime(ClockId::Boottime);
                let on_ms = on.tv_sec.saturating_mul(1_000).saturating_add(on.tv_nsec / 1_000_000);
                let shift_ms = i64::try_from(system.shift_ms()).unwrap_or(i64::MAX);
                let now_ms = self.now().as_millisecond();
                let note_ms = system.note_ms.load(Ordering::SeqCst);
                Look {
                    now_ms,
                    origin_ms: now_ms.saturating_sub(on_ms).saturating_sub(shift_ms),
                    real_time_clock: system.real_time_clock,
                    synchronised_ms: (note_ms != NO_NOTE).then_some(note_ms),
                }
            }
            Source::Manual(manual) => {
                let now_ms = manual.wall_ms.load(Ordering::SeqCst);
                let counted_ms = i64::try_from(self.monotonic().0).unwrap_or(i64::MAX);
                Look {
                    now_ms,
                    origin_ms: now_ms.saturating_sub(counted_ms),
                    real_time_clock: manual.vouched.load(Ordering::SeqCst),
                    synchronised_ms: None,
                }
            }
        }
    }

    /// Reads the time service's note: its time is what matters, not what is in it. Touches the disk.
    pub fn read_note(&self) {
        let Source::System(system) = &self.source else { return };
        let Some(path) = &system.note else { return };
        let touched = std::fs::metadata(path).and_then(|file| file.modified()).ok();
        let touched = touched.and_then(|at| Timestamp::try_from(at).ok());
        let note_ms = touched.map_or(NO_NOTE, Timestamp::as_millisecond);
        system.note_ms.store(note_ms, Ordering::SeqCst);
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
        match &self.source {
            Source::System(system) => {
                let since_start = instant.saturating_duration_since(system.start);
                Monotonic(whole_ms(since_start).saturating_add(system.shift_ms()))
            }
            Source::Manual(_) => {
                Monotonic(self.monotonic().0.saturating_sub(whole_ms(instant.elapsed())))
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

    /// The wall time some milliseconds from now, as the wall clock stands now; whole milliseconds.
    #[must_use]
    pub fn wall_in(&self, wait_ms: u64) -> Timestamp {
        let wait_ms = i64::try_from(wait_ms).unwrap_or(i64::MAX);
        let then_ms = self.now().as_millisecond().saturating_add(wait_ms);
        Timestamp::from_millisecond(then_ms).unwrap_or(Timestamp::MAX)
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

    /// Whether [`Clock::advance`] turns it: not the machine's own.
    #[must_use]
    pub fn can_be_turned(&self) -> bool {
        match &self.source {
            Source::System(system) => system.shift_ms.is_some(),
            Source::Manual(_) => true,
        }
    }

    /// Moves a manual or a demo's clock forward on both scales; the machine's own stays as it is.
    pub fn advance(&self, by: Duration) {
        let ms = whole_ms(by);
        match &self.source {
            Source::System(system) => {
                if let Some(shift_ms) = &system.shift_ms {
                    shift_ms.fetch_add(ms, Ordering::SeqCst);
                }
            }
            Source::Manual(manual) => {
                manual.wall_ms.fetch_add(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::SeqCst);
                manual.monotonic_ms.fetch_add(ms, Ordering::SeqCst);
            }
        }
    }

    /// Makes the wall time of a manual clock jump, as a late time sync does; monotonic time stays.
    pub fn jump_to(&self, now: Timestamp) {
        if let Source::Manual(manual) = &self.source {
            manual.wall_ms.store(now.as_millisecond(), Ordering::SeqCst);
        }
    }

    /// Nobody vouches for a manual clock any more.
    pub fn distrust(&self) {
        self.vouch(false);
    }

    /// A manual clock counts as a battery clock again.
    pub fn trust(&self) {
        self.vouch(true);
    }

    fn vouch(&self, vouched: bool) {
        if let Source::Manual(manual) = &self.source {
            manual.vouched.store(vouched, Ordering::SeqCst);
        }
    }
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
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
    fn the_origin_of_a_clock_moves_with_steps_of_the_wall_clock_alone() {
        let clock = Clock::manual(Timestamp::UNIX_EPOCH, TimeZone::UTC);
        let origin_ms = clock.look().origin_ms;
        clock.advance(Duration::from_hours(30));
        assert_eq!(clock.look().origin_ms, origin_ms);
        clock.jump_to(clock.now() + SignedDuration::from_secs(9));
        assert_eq!(clock.look().origin_ms, origin_ms + 9_000);
        clock.distrust();
        assert!(!clock.look().real_time_clock);
        clock.trust();
        assert!(clock.look().real_time_clock);
    }

    #[test]
    fn a_demos_clock_turns_forward_on_both_scales_and_the_machines_own_does_not() {
        let clock = Clock::shifted(TimeZone::UTC, None);
        let (now, counted, look) = (clock.now(), clock.monotonic(), clock.look());
        let hour = Duration::from_hours(1);
        assert!(clock.can_be_turned());
        clock.clone().advance(hour);
        assert!(clock.now() >= now + SignedDuration::from_hours(1));
        assert!(clock.monotonic() >= counted.after(hour));
        assert!((clock.look().origin_ms - look.origin_ms).abs() < 1_000, "that is no step");
        // What is seen after it lies after it.
        assert!(clock.monotonic_of(Instant::now()) >= counted.after(hour));
        let real = Clock::system(TimeZone::UTC);
        assert!(!real.can_be_turned());
        real.advance(hour);
        assert!(real.monotonic() < counted.after(hour));
    }

    #[test]
    fn a_demo_may_begin_on_any_day() {
        for begin in ["2020-01-01T00:00:00Z", "2040-01-01T00:00:00Z"] {
            let begin: Timestamp = begin.parse().expect("a time");
            let clock = Clock::shifted(TimeZone::UTC, Some(begin));
            let since = clock.now().duration_since(begin);
            assert!((-1..2_000).contains(&since.as_millis()), "{since}");
            let origin_ms = clock.look().origin_ms;
            clock.advance(Duration::from_hours(1));
            assert!(clock.now() >= begin + SignedDuration::from_hours(1));
            assert!((clock.look().origin_ms - origin_ms).abs() < 1_000, "that is no step");
        }
    }

    #[test]
    fn a_time_services_note_is_found_and_its_time_counts() {
        let place = tempfile::tempdir().expect("a temporary place");
        let note = place.path().join("synchronized");
        let clock = Clock::watched(TimeZone::UTC, false, Some(note.clone()));
        let noted = || {
            clock.read_note();
            clock.look().synchronised_ms
        };
        assert_eq!(noted(), None);
        let at = std::time::UNIX_EPOCH + Duration::from_hours(24);
        std::fs::File::create(&note).and_then(|file| file.set_modified(at)).expect("touched");
        assert_eq!(clock.look().synchronised_ms, None, "only as last read");
        assert_eq!(noted(), Some(86_400_000));
        std::fs::remove_file(&note).expect("removed");
        assert_eq!(noted(), None);
    }

    #[test]
    fn today_is_the_sites_day() {
        let seoul = TimeZone::get("Asia/Seoul").expect("bundled");
        let clock = Clock::manual("2026-08-31T15:00:00Z".parse().expect("a time"), seoul);
        assert_eq!(clock.today(), date(2026, 9, 1));
    }
}
