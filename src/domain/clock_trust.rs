//! When the wall clock may be believed: a Raspberry Pi has no clock of its own that runs on while it
//! is switched off.
//!
//! Pure: `service/clock.rs` looks at the machine and shows each [`Look`] to [`ClockTrust`]. The time is
//! believed when something vouches for it (a time service that has synchronised it, a battery clock
//! that the configuration names, an admin) and it is not behind the newest believed time that was
//! stored. Whoever vouches speaks for the clock as it was set then: a step of the wall clock against
//! the count since the machine was switched on ends the word of an admin and of an earlier
//! synchronisation.

/// How far the time may be behind the newest believed one: a battery clock that ran ahead is set back
/// by minutes, a machine without one by hours.
pub const BEHIND_MS_MAX: i64 = 120_000;

/// The largest step of the wall clock that does not end anybody's word: time services correct less
/// than this by a step, people more.
pub const STEP_MS_MAX: i64 = 30_000;

/// Who vouches for the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voucher {
    /// A time service has synchronised the clock since the machine was switched on.
    TimeService,
    /// The configuration says that a battery keeps the clock going.
    RealTimeClock,
    /// An admin compared it with their own.
    Admin,
}

impl Voucher {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TimeService => "time_service",
            Self::RealTimeClock => "real_time_clock",
            Self::Admin => "admin",
        }
    }
}

/// Why the time is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// Nobody vouches for it.
    NobodyVouches,
    /// It was set anew since somebody vouched for it.
    Stepped,
    /// It is behind the newest believed time.
    Behind,
}

impl Doubt {
    /// The published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NobodyVouches => "nobody_vouches",
            Self::Stepped => "stepped",
            Self::Behind => "behind",
        }
    }
}

/// What the machine shows of its clock at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Wall time in unix milliseconds.
    pub now_ms: i64,
    /// Wall time less the count since the machine was switched on: changes by steps of the wall
    /// clock alone.
    pub origin_ms: i64,
    /// Whether the configuration vouches for a battery clock.
    pub real_time_clock: bool,
    /// When a time service last synchronised the clock, as it noted it by that clock, if it has since
    /// the machine was switched on.
    pub synchronised_ms: Option<i64>,
}

/// A note of a time service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Note {
    /// When it synchronised the clock, as it noted it by that clock, in unix milliseconds.
    pub at_ms: i64,
    /// The clock's origin when the note was first seen.
    pub origin_ms: i64,
}

/// What is remembered of the clock between two looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClockTrust {
    /// The newest believed time that was stored.
    pub newest_ms: Option<i64>,
    /// The origin when an admin vouched for the clock. Also good after a restart of the program:
    /// another start of the machine has another origin.
    pub confirmed_origin_ms: Option<i64>,
    /// The last note of a time service. Also remembered over a restart of the program: what it said of
    /// the clock as it was set then it does not say of one that was set by hand meanwhile.
    pub noted: Option<Note>,
    /// Whether the clock was stepped since it was last believed.
    stepped: bool,
}

impl ClockTrust {
    /// What was stored by an earlier run.
    #[must_use]
    pub fn stored(
        newest_ms: Option<i64>,
        confirmed_origin_ms: Option<i64>,
        noted: Option<Note>,
    ) -> Self {
        Self { newest_ms, confirmed_origin_ms, noted, stepped: false }
    }

    /// Who vouches for the time as it shows, or why nobody does.
    pub fn judge(&self, look: &Look) -> Result<Voucher, Doubt> {
        if self.newest_ms.is_some_and(|newest_ms| look.now_ms < newest_ms - BEHIND_MS_MAX) {
            return Err(Doubt::Behind);
        }
        let same =
            |origin_ms: i64| origin_ms.abs_diff(look.origin_ms) <= STEP_MS_MAX.unsigned_abs();
        let good_note = look.synchronised_ms.filter(|at_ms| {
            let before = self.noted.is_none_or(|note| note.at_ms != *at_ms || same(note.origin_ms));
            before && *at_ms <= look.now_ms + BEHIND_MS_MAX
        });
        if good_note.is_some() {
            return Ok(Voucher::TimeService);
        }
        if look.real_time_clock {
            return Ok(Voucher::RealTimeClock);
        }
        if self.confirmed_origin_ms.is_some_and(same) {
            return Ok(Voucher::Admin);
        }
        let spoke = self.confirmed_origin_ms.is_some() || look.synchronised_ms.is_some();
        Err(if self.stepped || spoke { Doubt::Stepped } else { Doubt::NobodyVouches })
    }

    /// Takes a look in, and says what it shows: an admin's word that has ended stays ended when the
    /// clock is set back to where it was.
    pub fn look(&mut self, look: &Look) -> Result<Voucher, Doubt> {
        let verdict = self.judge(look);
        let is_new = |at_ms: &i64| self.noted.is_none_or(|note| note.at_ms != *at_ms);
        if let Some(at_ms) = look.synchronised_ms.filter(is_new) {
            self.noted = Some(Note { at_ms, origin_ms: look.origin_ms });
        }
        let stepped = self.confirmed_origin_ms.is_some_and(|origin_ms| {
            origin_ms.abs_diff(look.origin_ms) > STEP_MS_MAX.unsigned_abs()
        });
        if stepped {
            self.confirmed_origin_ms = None;
        }
        self.stepped =
            verdict.is_err() && (self.stepped || stepped || verdict == Err(Doubt::Stepped));
        verdict
    }

    /// An admin vouches for the clock as it stands, also when it is behind what was stored: then that
    /// was wrong.
    pub fn confirm(&mut self, look: &Look) {
        self.confirmed_origin_ms = Some(look.origin_ms);
        self.newest_ms = Some(look.now_ms);
        self.stepped = false;
    }

    /// A believed time was stored.
    pub fn keep(&mut self, now_ms: i64) {
        self.newest_ms = Some(self.newest_ms.map_or(now_ms, |newest_ms| newest_ms.max(now_ms)));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR_MS: i64 = 3_600_000;

    /// A clock that was switched on at 0 and stands at `now_ms`; nobody vouches for it.
    fn bare(now_ms: i64) -> Look {
        Look { now_ms, origin_ms: 0, real_time_clock: false, synchronised_ms: None }
    }

    /// The same moment by a clock that was set forward by so much.
    fn stepped(look: Look, by_ms: i64) -> Look {
        Look { now_ms: look.now_ms + by_ms, origin_ms: look.origin_ms + by_ms, ..look }
    }

    #[test]
    fn nobody_vouches_for_a_machine_without_a_battery() {
        let mut trust = ClockTrust::default();
        assert_eq!(trust.look(&bare(5)), Err(Doubt::NobodyVouches));
        let battery = Look { real_time_clock: true, ..bare(6) };
        assert_eq!(trust.look(&battery), Ok(Voucher::RealTimeClock));
    }

    #[test]
    fn a_time_behind_the_stored_one_is_not_believed_whoever_vouches() {
        let stored = 10 * HOUR_MS;
        let mut trust = ClockTrust::stored(Some(stored), Some(0), None);
        let vouched =
            |now_ms| Look { real_time_clock: true, synchronised_ms: Some(0), ..bare(now_ms) };
        assert_eq!(trust.look(&vouched(stored - BEHIND_MS_MAX - 1)), Err(Doubt::Behind));
        assert_eq!(trust.look(&vouched(stored - BEHIND_MS_MAX)), Ok(Voucher::TimeService));
        trust.keep(stored + 1);
        trust.keep(stored - HOUR_MS);
        assert_eq!(trust.newest_ms, Some(stored + 1), "it only grows");
    }

    #[test]
    fn an_admins_word_ends_with_a_step_and_does_not_come_back() {
        let mut trust = ClockTrust::default();
        trust.confirm(&bare(HOUR_MS));
        assert_eq!(trust.look(&bare(2 * HOUR_MS)), Ok(Voucher::Admin));
        assert_eq!(trust.look(&stepped(bare(2 * HOUR_MS), STEP_MS_MAX)), Ok(Voucher::Admin));
        let far = stepped(bare(2 * HOUR_MS), STEP_MS_MAX + 1);
        assert_eq!(trust.judge(&far), Err(Doubt::Stepped));
        assert_eq!(trust.look(&far), Err(Doubt::Stepped));
        assert_eq!(trust.look(&bare(2 * HOUR_MS)), Err(Doubt::Stepped));
        trust.confirm(&bare(2 * HOUR_MS));
        assert_eq!(trust.look(&bare(2 * HOUR_MS)), Ok(Voucher::Admin));
    }

    #[test]
    fn an_admins_word_outlives_the_program_but_not_the_machines_start() {
        let mut word = ClockTrust::default();
        word.confirm(&bare(HOUR_MS));
        let again = || ClockTrust::stored(word.newest_ms, word.confirmed_origin_ms, None);
        assert_eq!(again().look(&bare(HOUR_MS + 9)), Ok(Voucher::Admin));
        // Switched on anew ten minutes later, at the time that was saved.
        let rebooted = Look { origin_ms: HOUR_MS, ..bare(HOUR_MS + 9) };
        assert_eq!(again().look(&rebooted), Err(Doubt::Stepped));
    }

    #[test]
    fn a_note_of_the_time_service_speaks_for_the_clock_as_it_was_set_then() {
        let mut trust = ClockTrust::default();
        let noted = Look { synchronised_ms: Some(HOUR_MS), ..bare(HOUR_MS + 9) };
        assert_eq!(trust.look(&noted), Ok(Voucher::TimeService));
        // Set by hand: the old note says nothing, a new one does.
        let by_hand = stepped(noted, 24 * HOUR_MS);
        assert_eq!(trust.look(&by_hand), Err(Doubt::Stepped));
        assert_eq!(trust.look(&by_hand), Err(Doubt::Stepped));
        let anew = Look { synchronised_ms: Some(25 * HOUR_MS), ..by_hand };
        assert_eq!(trust.look(&anew), Ok(Voucher::TimeService));
        // Nor does it when the program was started again, before or behind the setting.
        let again = || ClockTrust::stored(None, None, trust.noted);
        assert_eq!(again().look(&anew), Ok(Voucher::TimeService));
        assert_eq!(again().look(&stepped(anew, 24 * HOUR_MS)), Err(Doubt::Stepped));
        let later = Look { synchronised_ms: Some(50 * HOUR_MS), ..stepped(anew, 25 * HOUR_MS) };
        assert_eq!(again().look(&later), Ok(Voucher::TimeService));
        // A note from the future was written by a clock that has been set back since.
        let mut fresh = ClockTrust::default();
        let back = Look { synchronised_ms: Some(9 * HOUR_MS), ..bare(HOUR_MS) };
        assert_eq!(fresh.look(&back), Err(Doubt::Stepped));
    }

    #[test]
    fn a_confirmed_time_may_be_behind_a_stored_one_that_was_wrong() {
        let mut trust = ClockTrust::stored(Some(9_000 * HOUR_MS), None, None);
        assert_eq!(trust.look(&bare(HOUR_MS)), Err(Doubt::Behind));
        trust.confirm(&bare(HOUR_MS));
        assert_eq!(trust.look(&bare(HOUR_MS)), Ok(Voucher::Admin));
    }

    proptest! {
        /// Whatever is seen in whatever order: a believed time is never far behind a stored one.
        #[test]
        fn no_believed_time_is_behind(
            looks in prop::collection::vec(
                (0_i64..100, -50_i64..50, any::<bool>(), prop::option::of(0_i64..100)), 1..40)
        ) {
            let mut trust = ClockTrust::default();
            let mut newest_ms = i64::MIN;
            for (now, origin, real_time_clock, synchronised) in looks {
                let minute = 60_000;
                let look = Look {
                    now_ms: now * minute,
                    origin_ms: origin * minute,
                    real_time_clock,
                    synchronised_ms: synchronised.map(|at| at * minute),
                };
                let judged = trust.judge(&look);
                prop_assert_eq!(judged, trust.look(&look));
                if judged.is_ok() {
                    prop_assert!(look.now_ms >= newest_ms.saturating_sub(BEHIND_MS_MAX));
                    trust.keep(look.now_ms);
                    newest_ms = newest_ms.max(look.now_ms);
                }
            }
        }
    }
}
