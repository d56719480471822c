//! Whether the time may be believed, and what it means when it may not.
//!
//! [`Services::look_at_clock`] looks every second, at the start before anything is served. It writes
//! each change of mind into the audit log: whatever stands between `clock.untrusted` and the next
//! `clock.trusted` has an untrusted time. Once a minute it stores the newest believed time. While the
//! time is not believed, rightful openings, log-ins and holds go on; nothing is granted or ended by
//! the calendar (`domain/clock_trust.rs` has the rules).

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::sync::watch;

use super::Services;
use super::error::{Code, Error};
use super::jobs::{JOBS, Schedule};
use super::tokens::Caller;
use crate::domain::clock_trust::{ClockTrust, Doubt, Look, STEP_MS_MAX, Voucher};
use crate::domain::id::MemberId;
use crate::domain::time::Monotonic;
use crate::store::audit::AuditEntry;
use crate::store::clock::{self, KeptClock};
use crate::store::{Lane, StoreError, Tx};

/// How often the newest believed time is stored: each time is a write to the card.
const BEAT_PERIOD: Duration = Duration::from_mins(1);

/// How far an admin's own clock may differ from the server's.
const CONFIRM_MS_MAX: u64 = 120_000;

/// How long the word of the command line is good: long enough to start the server.
const WORD_AGE_MAX: SignedDuration = SignedDuration::from_mins(10);

/// What is known of the clock, for staff.
#[derive(Debug, Clone, Copy)]
pub struct ClockState {
    /// Who vouches for the time, or why it is not believed.
    pub verdict: Result<Voucher, Doubt>,
    /// Since when; by the clock as it stood then.
    pub since: Timestamp,
    /// The server's time.
    pub now: Timestamp,
    /// The newest believed time that was stored.
    pub last_stored: Option<Timestamp>,
}

/// What is remembered between two looks.
pub struct ClockGuard {
    memory: Mutex<Memory>,
    /// One look at a time.
    looking: tokio::sync::Mutex<()>,
    /// Counts the times that the wall clock was set anew.
    steps: watch::Sender<u64>,
}

struct Memory {
    trust: ClockTrust,
    /// What the database has; `None` until it was read.
    kept: Option<KeptClock>,
    verdict: Result<Voucher, Doubt>,
    since: Timestamp,
    origin_ms: i64,
    stored_at: Option<Monotonic>,
    /// A word of the command line that was heard and could not be taken away.
    word_heard: Option<Timestamp>,
}

impl ClockGuard {
    pub(super) fn new(clock: &crate::clock::Clock) -> Self {
        let (trust, look) = (ClockTrust::default(), clock.look());
        let memory = Memory {
            trust,
            kept: None,
            verdict: trust.judge(&look),
            since: clock.now(),
            origin_ms: look.origin_ms,
            stored_at: None,
            word_heard: None,
        };
        Self {
            memory: Mutex::new(memory),
            looking: tokio::sync::Mutex::default(),
            steps: watch::Sender::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Services {
    /// What is known of the clock now.
    #[must_use]
    pub fn clock_state(&self) -> ClockState {
        let look = self.clock.look();
        let memory = self.clock_guard.lock();
        let verdict = memory.trust.judge(&look);
        let now = instant(look.now_ms);
        let since = if verdict == memory.verdict { memory.since } else { now };
        ClockState { verdict, since, now, last_stored: memory.trust.newest_ms.map(instant) }
    }

    /// Whether the time is believed now.
    #[must_use]
    pub fn clock_is_trusted(&self) -> bool {
        let look = self.clock.look();
        self.clock_guard.lock().trust.judge(&look).is_ok()
    }

    /// Tells when the wall clock was set anew.
    #[must_use]
    pub fn clock_steps(&self) -> watch::Receiver<u64> {
        self.clock_guard.steps.subscribe()
    }

    /// Looks at the clock, stores what is due to be stored, and writes down a change of mind; says how
    /// many changes of mind.
    pub async fn look_at_clock(&self) -> Result<usize, Error> {
        let _one = self.clock_guard.looking.lock().await;
        self.recall_clock().await;
        let word = self.hear_word().await;
        let heard =
            if word { self.vouch(None, json!({ "by": "command line" })).await } else { Ok(()) };
        let changed = self.take_look().await?;
        heard.map(|()| usize::from(changed))
    }

    /// An admin vouches for the clock: `said` is what their own shows.
    pub async fn confirm_clock(
        &self,
        caller: Caller,
        said: Timestamp,
    ) -> Result<ClockState, Error> {
        let now = self.clock.now();
        let difference_ms = said.as_millisecond() - now.as_millisecond();
        if difference_ms.unsigned_abs() > CONFIRM_MS_MAX {
            let local = now.to_zoned(self.clock.zone().clone()).strftime("%Y-%m-%d %H:%M:%S");
            let detail = format!(
                "the server's clock says {local}: set it (timedatectl set-time) and confirm again"
            );
            return Err(Error::new(Code::ClockDiffers, detail)
                .with("server_time", now.to_string())
                .with("difference_ms", difference_ms));
        }
        let _one = self.clock_guard.looking.lock().await;
        self.recall_clock().await;
        self.vouch(Some(caller.member_id), json!({ "difference_ms": difference_ms })).await?;
        self.take_look().await?;
        Ok(self.clock_state())
    }

    /// Turns a demo's clock forward. What happened before counts as seen before: every job with a
    /// period runs first. Then each runs that is due by the new time, in the order of the table, so
    /// that who turned it finds done what the time brought. The machine's own clock stays as it is.
    pub async fn turn_clock(&self, by: Duration) {
        for (index, job) in JOBS.iter().enumerate() {
            if matches!(job.schedule, Schedule::Every(_)) {
                self.run_woken_job(index).await;
            }
        }
        self.clock.advance(by);
        for index in 0..JOBS.len() {
            self.run_due_job(index).await;
        }
    }

    /// Reads what an earlier run stored, once. While the database fails the machine's signs alone
    /// decide.
    async fn recall_clock(&self) {
        if self.clock_guard.lock().kept.is_some() {
            return;
        }
        match self.store.read(clock::load).await {
            Ok(kept) => {
                let mut memory = self.clock_guard.lock();
                memory.trust =
                    ClockTrust::stored(kept.trusted_ms, kept.confirmed_origin_ms, kept.noted);
                memory.kept = Some(kept);
            }
            Err(error) => tracing::debug!(area = "jobs", %error, "the stored time is not known"),
        }
    }

    /// Reads the signs that stand on the disk; true when there is a fresh word of the command line.
    async fn hear_word(&self) -> bool {
        let (clock, path) = (self.clock.clone(), self.store.dir().clock_word());
        let look = move || {
            clock.read_note();
            let left = clock::word_left_at(&path)?;
            let taken = clock::take_word(&path);
            if let Err(error) = &taken {
                tracing::warn!(area = "jobs", path = %path.display(), %error, "cannot be removed");
            }
            Some(left)
        };
        let Some(left) = tokio::task::spawn_blocking(look).await.ok().flatten() else {
            return false;
        };
        let again = self.clock_guard.lock().word_heard.replace(left) == Some(left);
        let age = self.clock.now().duration_since(left);
        // The file system's time is coarser than the clock's.
        let fresh = (SignedDuration::from_secs(-1)..=WORD_AGE_MAX).contains(&age);
        if !fresh && !again {
            tracing::warn!(area = "jobs", %left, "a confirmation of the clock is too old");
        }
        fresh && !again
    }

    /// Takes somebody's word for the clock, also when it is behind the newest stored time.
    async fn vouch(&self, by: Option<MemberId>, detail: serde_json::Value) -> Result<(), Error> {
        let look = self.clock.look();
        let (mut trust, trusted) = {
            let memory = self.clock_guard.lock();
            (memory.trust, memory.kept.is_none_or(|kept| kept.trusted))
        };
        let before_ms = trust.newest_ms;
        trust.confirm(&look);
        let kept = kept(&trust, trusted);
        let detail = json!({ "word": detail, "last_stored_ms": before_ms }).to_string();
        let write = move |tx: &mut Tx<'_>| {
            clock::update(tx.conn, &kept, tx.now_ms())?;
            tx.audit(&AuditEntry {
                actor: by,
                action: "clock.confirmed",
                subject: "clock",
                detail: &detail,
            })
        };
        self.store.write::<_, StoreError, _>(Lane::Change, write).await?;
        let mut memory = self.clock_guard.lock();
        memory.trust.confirm(&look);
        memory.kept = Some(kept);
        Ok(())
    }

    /// One look; true when it changed the mind and that was written down.
    async fn take_look(&self) -> Result<bool, Error> {
        let look = self.clock.look();
        let monotonic = self.clock.monotonic();
        let (verdict, trust, known, is_due) = {
            let mut memory = self.clock_guard.lock();
            let is_due =
                memory.stored_at.is_none_or(|stored_at| stored_at.after(BEAT_PERIOD) <= monotonic);
            let verdict = memory.see(&look, &self.clock_guard.steps);
            (verdict, memory.trust, memory.kept, is_due)
        };
        // What is not known cannot be written over: the database fails, or did at the start.
        let Some(known) = known else { return Ok(false) };
        let changed = known.trusted != verdict.is_ok();
        let ended = known.confirmed_origin_ms != trust.confirmed_origin_ms;
        // At once: the program may be stopped and the clock set by hand before the next beat.
        let noted = known.noted != trust.noted && self.store.degraded().is_none();
        if !changed && !ended && !noted && !is_due {
            return Ok(false);
        }
        let mut next = trust;
        if verdict.is_ok() {
            next.keep(look.now_ms);
        }
        let kept = kept(&next, verdict.is_ok());
        let row = changed.then(|| told(verdict, trust.newest_ms));
        let write = move |tx: &mut Tx<'_>| {
            clock::update(tx.conn, &kept, tx.now_ms())?;
            match &row {
                Some((action, detail)) => {
                    tx.audit(&AuditEntry { actor: None, action, subject: "clock", detail })
                }
                None => Ok(()),
            }
        };
        let stored = self.store.write::<_, StoreError, _>(Lane::Housekeeping, write).await;
        {
            let mut memory = self.clock_guard.lock();
            // A failing database is not asked each second for the sake of a heartbeat.
            memory.stored_at = Some(monotonic);
            if stored.is_ok() {
                memory.kept = Some(kept);
                memory.trust.newest_ms = next.newest_ms;
            }
        }
        if changed || ended {
            stored?;
        }
        if changed {
            report(verdict);
            self.wake_jobs();
        }
        Ok(changed)
    }
}

impl Memory {
    /// Takes a look in; tells `steps` when the wall clock was set anew since the last one.
    fn see(&mut self, look: &Look, steps: &watch::Sender<u64>) -> Result<Voucher, Doubt> {
        let verdict = self.trust.look(look);
        if verdict != self.verdict {
            (self.verdict, self.since) = (verdict, instant(look.now_ms));
        }
        if self.origin_ms.abs_diff(look.origin_ms) > STEP_MS_MAX.unsigned_abs() {
            tracing::warn!(
                area = "jobs",
                by_ms = look.origin_ms - self.origin_ms,
                "the clock was set"
            );
            self.origin_ms = look.origin_ms;
            steps.send_modify(|count| *count += 1);
        }
        verdict
    }
}

fn kept(trust: &ClockTrust, trusted: bool) -> KeptClock {
    KeptClock {
        trusted_ms: trust.newest_ms,
        trusted,
        confirmed_origin_ms: trust.confirmed_origin_ms,
        noted: trust.noted,
    }
}

/// The row of the audit log for a change of mind.
fn told(verdict: Result<Voucher, Doubt>, last_stored_ms: Option<i64>) -> (&'static str, String) {
    match verdict {
        Ok(by) => ("clock.trusted", json!({ "by": by.name() }).to_string()),
        Err(why) => {
            let detail = json!({ "why": why.name(), "last_stored_ms": last_stored_ms });
            ("clock.untrusted", detail.to_string())
        }
    }
}

fn report(verdict: Result<Voucher, Doubt>) {
    match verdict {
        Ok(by) => tracing::info!(area = "jobs", by = by.name(), "the clock is trusted"),
        Err(why) => {
            tracing::warn!(
                area = "jobs",
                why = why.name(),
                "the clock is not trusted: windows stay shut"
            );
        }
    }
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The calendar cannot be gone by.
pub(super) fn clock_untrusted() -> Error {
    Error::new(
        Code::ClockUntrusted,
        "the server does not know the time: staff must check its clock and confirm it; doors open as before",
    )
}
