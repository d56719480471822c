//! What runs by itself: the table of jobs, when each ran last and how it went, and running one.
//!
//! A job asks what is due by now, takes no input, and does nothing when nothing is due. One more is
//! one more row of [`JOBS`]. What wakes them stands in `jobs`; a test calls [`Services::run_due_job`]
//! or the use-case itself. A job runs once at a time; one that goes by the calendar waits until the
//! time is believed, and then runs once for all that it missed.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;

use super::Services;
use super::clock::clock_untrusted;
use super::error::{Code, Error};
use super::pool::NO_SHOWS;
use super::tokens::Caller;
use crate::domain::schedule::{Moment, Past};
use crate::domain::time::Monotonic;
use crate::store::audit::AuditEntry;
use crate::store::jobs::{self, JobRun};
use crate::store::{Lane, StoreError, Tx};

pub use crate::domain::schedule::Schedule;

/// What a job does; says how much it did.
pub type Work<'a> = Pin<Box<dyn Future<Output = Result<usize, Error>> + Send + 'a>>;

/// A job.
pub struct Job {
    /// Its name, as in the address of `POST /jobs/{name}/run`.
    pub name: &'static str,
    /// When it runs.
    pub schedule: Schedule,
    /// What it goes by.
    pub goes_by: GoesBy,
    run: for<'a> fn(&'a Services) -> Work<'a>,
}

/// What tells a job that something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoesBy {
    /// Nothing that a wrong wall clock would change.
    AnyTime,
    /// The calendar: it ends or deletes something, and waits while the time is not believed.
    TrustedTime,
}

use GoesBy::{AnyTime, TrustedTime};

/// Every job: name, when, by what, and the use-case.
pub const JOBS: &[Job] = &[
    // Whether the time may be believed comes first.
    job("watch-clock", Schedule::every_s(1), AnyTime, |it| Box::pin(it.look_at_clock())),
    // Holds are dead before that (they count on the monotonic clock); this only writes it down.
    job("expire-holds", Schedule::every_s(1), AnyTime, |it| Box::pin(it.expire_holds())),
    // Openings spilled while the database failed, and what an earlier run left open.
    job("settle-openings", Schedule::every_s(2), AnyTime, |it| Box::pin(it.settle_openings())),
    job("settle-mass-openings", Schedule::every_s(2), AnyTime, |it| {
        Box::pin(it.settle_mass_openings())
    }),
    // Returned lockers that are surely empty by now. What was seen of their doors counts on the
    // monotonic clock.
    job("settle-returns", Schedule::every_s(2), AnyTime, |it| Box::pin(it.settle_returns())),
    // What got free is offered to who waits.
    job("make-offers", Schedule::every_s(2), TrustedTime, |it| Box::pin(it.make_offers())),
    // Orders of staff to end many rentals that a restart or a failing database cut off.
    job("end-many", Schedule::every_s(60), AnyTime, |it| Box::pin(it.carry_on_bulk_ends())),
    // Renters whose locker is not to be had.
    job("tell-shortages", Schedule::every_s(60), TrustedTime, |it| Box::pin(it.tell_shortages())),
    // Requests for help that nobody answered.
    job("call-staff-again", Schedule::every_s(30), AnyTime, |it| Box::pin(it.call_staff_again())),
    // Reservations that nobody came for.
    job(NO_SHOWS, Schedule::every_s(60), TrustedTime, |it| Box::pin(it.release_no_shows())),
    // Rentals that were not returned in time: by the first minute after their last day.
    job("detect-overdue", Schedule::every_s(60), TrustedTime, |it| Box::pin(it.detect_overdue())),
    // Renters whose rental ends soon, ends today, or has ended.
    job("remind", Schedule::daily(9, 0), TrustedTime, |it| Box::pin(it.remind())),
    // For a start on a broken database.
    job("save-state", Schedule::every_s(2), AnyTime, |it| Box::pin(it.save_state())),
    // Sign-ins at kiosks that nobody uses are dead before that; this only writes it down.
    job("end-idle-sign-ins", Schedule::every_s(5), AnyTime, |it| Box::pin(it.end_idle_sign_ins())),
    // What kiosks said of themselves.
    job("note-kiosks", Schedule::every_s(60), AnyTime, |it| Box::pin(it.note_kiosks())),
    // Forgets a key whose time is over, and rotates keys when the command line asks for it.
    job("look-after-keys", Schedule::every_s(2), AnyTime, |it| Box::pin(it.look_after_keys())),
    // Which log-ins were used.
    job("note-log-ins", Schedule::every_s(30), AnyTime, |it| Box::pin(it.write_last_used())),
    job("end-log-ins", Schedule::every_s(30), TrustedTime, |it| {
        Box::pin(it.end_expired_sessions())
    }),
    // The daily mail, once its time of day has come.
    job("daily-mail", Schedule::every_s(60), TrustedTime, |it| Box::pin(it.write_daily_mail())),
    // Mail goes out as soon as it is posted; this finds what a wait or a failure left behind.
    job("deliver-mails", Schedule::every_s(60), AnyTime, |it| Box::pin(it.deliver_mails())),
    // Answers and ended log-ins that are too old.
    job("prune", Schedule::every_s(900), TrustedTime, |it| Box::pin(it.prune())),
    job("forget-devices", Schedule::every_s(900), TrustedTime, |it| Box::pin(it.forget_devices())),
    // Personal data that is older than the site keeps it.
    job("retention", Schedule::every_s(3600), TrustedTime, |it| Box::pin(it.forget_old())),
];

const fn job(
    name: &'static str,
    schedule: Schedule,
    goes_by: GoesBy,
    run: for<'a> fn(&'a Services) -> Work<'a>,
) -> Job {
    Job { name, schedule, goes_by, run }
}

/// A run that did something or failed is stored, but not each of a job that runs every second.
const STORE_PERIOD: Duration = Duration::from_mins(1);

/// A run that did nothing is stored this often.
const IDLE_STORE_PERIOD: Duration = Duration::from_hours(1);

/// How a job's last run went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration_ms: u64,
    /// How much it did, or why it failed.
    pub result: Result<u64, String>,
}

/// A job with how it stands.
#[derive(Debug, Clone)]
pub struct JobView {
    /// Its name.
    pub name: &'static str,
    /// When it runs.
    pub schedule: Schedule,
    /// What it goes by.
    pub goes_by: GoesBy,
    /// Whether it runs right now.
    pub running: bool,
    /// Whether it would run, were the time believed.
    pub waits_for_time: bool,
    /// The last run that is known, also of an earlier start of the program.
    pub last: Option<Run>,
    /// When it runs next; `None` while it waits for the time to be believed.
    pub next_at: Option<Timestamp>,
}

/// How every job stands.
pub struct JobBoard {
    states: Vec<State>,
    wake: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    running: AtomicBool,
    known: Mutex<Known>,
}

/// The one run of a job that may be under way.
struct Turn<'a>(&'a AtomicBool);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

#[derive(Default, Clone)]
struct Known {
    last: Option<Run>,
    /// The run by which the next one is due: the last for a period, the last that succeeded for a day.
    past: Option<Past>,
    succeeded_ms: Option<i64>,
    stored_at: Option<Monotonic>,
}

impl Default for JobBoard {
    fn default() -> Self {
        let states = JOBS.iter().map(|_| State::default()).collect();
        Self { states, wake: watch::Sender::new(0) }
    }
}

impl State {
    /// `None` while it runs.
    fn turn(&self) -> Option<Turn<'_>> {
        let free = !self.running.swap(true, Ordering::AcqRel);
        free.then(|| Turn(&self.running))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Services {
    /// Every job, in the order of the table.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobView> {
        let trusted = self.clock_is_trusted();
        self.each_job().map(|(job, state)| self.view(job, state, trusted)).collect()
    }

    /// Takes up what is known of earlier runs; at the start.
    pub async fn recall_jobs(&self) -> Result<(), Error> {
        for run in self.store.read(jobs::list).await? {
            let Some((job, state)) = self.each_job().find(|(job, _)| job.name == run.name) else {
                continue;
            };
            let mut known = state.known();
            known.succeeded_ms = run.succeeded_ms;
            known.past = run
                .succeeded_ms
                .filter(|_| matches!(job.schedule, Schedule::Daily(_)))
                .map(|ms| Past { at: instant(ms), monotonic: None });
            known.last = Some(Run {
                started_at: instant(run.started_ms),
                duration_ms: run.duration_ms,
                result: run.result,
            });
        }
        Ok(())
    }

    /// When a job last did its work to the end, also in an earlier run of the program.
    pub(super) fn job_succeeded_at(&self, name: &str) -> Option<Timestamp> {
        let (_, state) = self.each_job().find(|(job, _)| job.name == name)?;
        let succeeded_ms = state.known().succeeded_ms;
        succeeded_ms.map(instant)
    }

    /// Runs a job at the word of an admin, due or not, and says how it went.
    pub async fn run_job(&self, caller: Caller, name: &str) -> Result<Run, Error> {
        let found = self.each_job().find(|(job, _)| job.name == name);
        let (job, state) = found
            .ok_or_else(|| Error::new(Code::JobNotFound, format!("there is no job {name:?}")))?;
        if job.goes_by == TrustedTime && !self.clock_is_trusted() {
            return Err(clock_untrusted());
        }
        let Some(_turn) = state.turn() else {
            let detail = "this job runs right now: look at its result in a moment";
            return Err(Error::new(Code::JobUnderWay, detail));
        };
        let subject = format!("job:{}", job.name);
        let write = move |tx: &mut Tx<'_>| {
            let actor = Some(caller.member_id);
            tx.audit(&AuditEntry { actor, action: "job.run", subject: &subject, detail: "{}" })
        };
        self.store.write::<_, StoreError, _>(Lane::Change, write).await?;
        Ok(self.run_now(job, state).await)
    }

    /// Runs the n-th job of the table if it is due; `None` when it is not, waits for the time to be
    /// believed, or runs already.
    pub async fn run_due_job(&self, index: usize) -> Option<Run> {
        let (job, state) = (JOBS.get(index)?, self.job_board.states.get(index)?);
        let past = state.known().past;
        if !job.schedule.is_due(past, self.job_moment()) {
            return None;
        }
        self.run_woken_job(index).await
    }

    /// Runs the n-th job of the table, whose turn it is by whoever woke it; `None` when it waits for
    /// the time to be believed, or runs already.
    pub async fn run_woken_job(&self, index: usize) -> Option<Run> {
        let (job, state) = (JOBS.get(index)?, self.job_board.states.get(index)?);
        if job.goes_by == TrustedTime && !self.clock_is_trusted() {
            return None;
        }
        let _turn = state.turn()?;
        Some(self.run_now(job, state).await)
    }

    /// Has every job ask whether it is due: after the time came to be believed, or was turned.
    pub fn wake_jobs(&self) {
        self.job_board.wake.send_modify(|count| *count += 1);
    }

    /// Tells when jobs shall ask whether they are due.
    #[must_use]
    pub fn job_wakes(&self) -> watch::Receiver<u64> {
        self.job_board.wake.subscribe()
    }

    fn each_job(&self) -> impl Iterator<Item = (&'static Job, &State)> {
        JOBS.iter().zip(&self.job_board.states)
    }

    fn job_moment(&self) -> Moment<'_> {
        Moment { now: self.clock.now(), monotonic: self.clock.monotonic(), zone: self.clock.zone() }
    }

    fn view(&self, job: &Job, state: &State, trusted: bool) -> JobView {
        let (moment, known) = (self.job_moment(), state.known().clone());
        let waits = job.goes_by == TrustedTime && !trusted;
        JobView {
            name: job.name,
            schedule: job.schedule,
            goes_by: job.goes_by,
            running: state.running.load(Ordering::Acquire),
            waits_for_time: waits && job.schedule.is_due(known.past, moment),
            next_at: (!waits).then(|| job.schedule.next(known.past, moment)),
            last: known.last,
        }
    }

    /// Runs a job whose turn nobody else can have meanwhile, and remembers how it went.
    async fn run_now(&self, job: &Job, state: &State) -> Run {
        let (started_at, began) = (self.clock.now(), self.clock.monotonic());
        let result = (job.run)(self).await;
        let duration_ms = began.ms_until(self.clock.monotonic());
        match &result {
            Ok(0) => {}
            Ok(count) => tracing::debug!(area = "jobs", job = job.name, count, "done"),
            Err(error) => {
                tracing::warn!(area = "jobs", job = job.name, %error, "not done, tried again");
            }
        }
        let result = match result {
            Ok(count) => Ok(u64::try_from(count).unwrap_or(u64::MAX)),
            Err(error) => Err(format!("{}: {}", error.code.name(), error.detail)),
        };
        let run = Run { started_at, duration_ms, result };
        let keep = {
            let mut known = state.known();
            known.take(job, &run, began);
            known.is_worth_storing(&run, self.clock.monotonic()).then(|| known.to_store(job, &run))
        };
        if let Some(keep) = keep {
            self.store_run(state, keep).await;
        }
        run
    }

    async fn store_run(&self, state: &State, keep: JobRun) {
        let write = move |tx: &mut Tx<'_>| jobs::upsert(tx.conn, &keep);
        match self.store.write::<_, StoreError, _>(Lane::Housekeeping, write).await {
            Ok(()) => state.known().stored_at = Some(self.clock.monotonic()),
            Err(error) => tracing::debug!(area = "jobs", %error, "a run was not written down"),
        }
    }
}

impl Known {
    fn take(&mut self, job: &Job, run: &Run, began: Monotonic) {
        let past = Past { at: run.started_at, monotonic: Some(began) };
        if run.result.is_ok() {
            self.succeeded_ms = Some(run.started_at.as_millisecond());
        }
        // A daily job that failed is still due; one with a period waits for its next turn.
        if run.result.is_ok() || matches!(job.schedule, Schedule::Every(_)) {
            self.past = Some(past);
        }
        self.last = Some(run.clone());
    }

    /// Each write wears the card: a job that runs all the time and finds nothing is not worth one.
    fn is_worth_storing(&self, run: &Run, now: Monotonic) -> bool {
        let idle = run.result == Ok(0);
        let period = if idle { IDLE_STORE_PERIOD } else { STORE_PERIOD };
        self.stored_at.is_none_or(|stored_at| stored_at.after(period) <= now)
    }

    fn to_store(&self, job: &Job, run: &Run) -> JobRun {
        JobRun {
            name: job.name.to_owned(),
            started_ms: run.started_at.as_millisecond(),
            duration_ms: run.duration_ms,
            result: run.result.clone(),
            succeeded_ms: self.succeeded_ms,
        }
    }
}

fn instant(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
}
