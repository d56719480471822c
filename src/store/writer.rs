//! The one writer: a thread that owns the only writable connection and commits in groups.
//!
//! It takes whatever is queued (at most [`BATCH_MAX`] jobs, never waiting for more), runs it in
//! one `BEGIN IMMEDIATE` transaction, commits once, publishes the new snapshot and only then
//! answers. A job that refuses has normally written nothing, and then costs nothing. If it had
//! written, the batch is rolled back and run again with a savepoint around each job: jobs are
//! `FnMut` for that reason, and nobody was answered yet. A database that fails makes the writer
//! degraded, never the process end: changes are refused, the published snapshot stays, and every
//! [`HEAL_INTERVAL`] the database is opened anew and probed.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;
use rusqlite::Connection;
use rusqlite::hooks::Action;
use tokio::sync::{Notify, oneshot, watch};

use super::audit::{AuditEntry, AuditHead};
use super::error::{JobError, StoreError, Trouble};
use super::queue::{Queue, Taken};
use super::snapshot::{Change, Site, Snapshot};
use super::{open, state};
use crate::clock::Clock;
use crate::domain::time::Monotonic;

/// Most jobs in one transaction: what a Pi's SD card syncs in one go without a visible wait.
pub const BATCH_MAX: usize = 64;

/// How often a failing database is probed.
pub const HEAL_INTERVAL: Duration = Duration::from_secs(1);

/// How long one probe waits for a lock: whoever asks meanwhile waits as long.
const HEAL_PATIENCE: Duration = Duration::from_millis(200);

/// Why and since when the writer refuses changes.
#[derive(Debug, Clone, Copy)]
pub struct Degraded {
    /// What ails the database.
    pub trouble: Trouble,
    /// Since when.
    pub since: Timestamp,
}

/// What the writer shares with everybody.
pub(super) struct Shared {
    pub(super) published: ArcSwap<Snapshot>,
    pub(super) degraded: ArcSwapOption<Degraded>,
    pub(super) version: watch::Sender<u64>,
    pub(super) queue: Queue<Box<dyn Job>>,
    /// Rung after a commit that put a message into the outbox.
    pub(super) posted: Notify,
}

/// What a job works with.
pub struct Tx<'a> {
    /// The connection, inside the transaction.
    pub conn: &'a Connection,
    /// Wall time of the batch.
    pub now: Timestamp,
    /// Monotonic time of the batch.
    pub monotonic: Monotonic,
    snapshot: &'a mut Snapshot,
    audit: &'a mut AuditHead,
    touched: &'a mut Touched,
    applied: &'a mut u64,
    #[cfg(feature = "mutants")]
    stale: Option<&'a Snapshot>,
}

/// What a batch has changed of what the snapshot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Touched {
    Nothing,
    Live,
    /// Places changed, and the snapshot shows it.
    SiteShown,
    /// Places changed, and the snapshot has the earlier ones.
    Site,
}

impl Tx<'_> {
    /// The state with every change of this batch so far; of places, lockers and terms with those of the
    /// jobs before this one.
    #[must_use]
    pub fn snapshot(&self) -> &Snapshot {
        #[cfg(feature = "mutants")]
        if let Some(stale) = self.stale {
            return stale;
        }
        self.snapshot
    }

    /// Wall time as stored.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.now.as_millisecond()
    }

    /// Places, lockers and terms as the transaction has them now; the snapshot still has the earlier ones.
    pub fn site_now(&self) -> Result<Site, StoreError> {
        state::site(self.conn)
    }

    /// Makes the snapshot show what was just written.
    pub fn apply(&mut self, change: &Change) {
        let touched = if matches!(change, Change::Site) { Touched::Site } else { Touched::Live };
        if *self.touched < touched {
            *self.touched = touched;
        }
        self.snapshot.apply(change);
        *self.applied += 1;
    }

    /// The end of the audit chain, with every row of this batch so far.
    #[must_use]
    pub fn audit_head(&self) -> AuditHead {
        *self.audit
    }

    /// Adds a row to the audit chain.
    pub fn audit(&mut self, entry: &AuditEntry<'_>) -> Result<(), StoreError> {
        self.audit.append(self.conn, self.now.as_millisecond(), entry)
    }
}

/// How running a job went, as far as the batch is concerned.
pub(super) enum Ran {
    /// Its changes stand.
    Kept,
    /// It refused; whatever it wrote must be undone.
    Refused,
    /// The database failed.
    Failed(Trouble),
}

/// A queued change.
pub(super) trait Job: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> Ran;
    fn answer(self: Box<Self>, fate: Result<(), StoreError>);
}

/// A job with its result and the one who waits for it.
pub(super) struct Task<F, T, E> {
    pub(super) work: F,
    pub(super) result: Option<Result<T, E>>,
    pub(super) reply: oneshot::Sender<Result<T, E>>,
}

impl<F, T, E> Job for Task<F, T, E>
where
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: JobError,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> Ran {
        let result = (self.work)(tx);
        let ran = match &result {
            Ok(_) => Ran::Kept,
            Err(error) => match error.store_error().and_then(StoreError::trouble) {
                Some(trouble) => Ran::Failed(trouble),
                None => Ran::Refused,
            },
        };
        self.result = Some(result);
        ran
    }

    fn answer(self: Box<Self>, fate: Result<(), StoreError>) {
        let result = match fate {
            Ok(()) => self.result.unwrap_or_else(|| Err(StoreError::Closed.into())),
            Err(error) => Err(error.into()),
        };
        // Nobody waits any more: the change stands all the same.
        let _ = self.reply.send(result);
    }
}

/// Whether each job of a batch gets its own savepoint.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Optimistic: a refusal that wrote something makes the whole batch run again.
    None,
    Savepoints,
}

/// Why a batch did not get through.
enum Setback {
    /// A refusing job had written: run again with savepoints.
    Again,
    Failed(Trouble),
}

pub(super) struct Writer {
    conn: Option<Connection>,
    path: PathBuf,
    clock: Clock,
    shared: Arc<Shared>,
    audit: AuditHead,
    healed_last: Instant,
    /// Set by SQLite when a row goes into the outbox: nobody who tells people something has to
    /// remember to ring.
    told: Arc<AtomicBool>,
}

impl Writer {
    /// A writer over an open database, or over none yet when it could not be opened.
    pub(super) fn new(
        conn: Option<Connection>,
        path: PathBuf,
        clock: Clock,
        shared: Arc<Shared>,
    ) -> Result<Self, StoreError> {
        let audit = conn.as_ref().map(AuditHead::load).transpose()?.unwrap_or_default();
        let told = Arc::new(AtomicBool::new(false));
        if let Some(conn) = &conn {
            listen_for_messages(conn, &told)?;
        }
        Ok(Self { conn, path, clock, shared, audit, healed_last: Instant::now(), told })
    }

    /// Works until the queue is closed and empty, then folds the WAL into the database.
    pub(super) fn run(mut self) {
        loop {
            let patience = self.shared.degraded.load().is_some().then_some(HEAL_INTERVAL);
            match self.shared.queue.take(BATCH_MAX, patience) {
                Taken::Jobs(jobs) => self.serve(jobs),
                Taken::Nothing => self.heal(),
                Taken::Closed => break,
            }
        }
        if let Some(conn) = self.conn.take()
            && let Err(error) = conn.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        {
            tracing::warn!(area = "store", %error, "the WAL was not folded in at the end");
        }
    }

    fn serve(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        if let Some(degraded) = self.shared.degraded.load_full() {
            refuse(jobs, degraded.trouble);
            if self.healed_last.elapsed() >= HEAL_INTERVAL {
                self.heal();
            }
            return;
        }
        let mut outcome = self.attempt(&mut jobs, Care::None);
        if matches!(outcome, Err(Setback::Again)) {
            outcome = self.attempt(&mut jobs, Care::Savepoints);
        }
        match outcome {
            Ok(()) => jobs.into_iter().for_each(|job| job.answer(Ok(()))),
            Err(Setback::Failed(trouble)) => {
                self.degrade(trouble);
                refuse(jobs, trouble);
            }
            Err(Setback::Again) => refuse(jobs, Trouble::Io),
        }
    }

    /// Runs the batch in one transaction; on success the snapshot is published.
    fn attempt(&mut self, jobs: &mut [Box<dyn Job>], care: Care) -> Result<(), Setback> {
        let Some(conn) = &self.conn else { return Err(Setback::Failed(Trouble::Io)) };
        begin(conn)?;
        let base = self.shared.published.load_full();
        let mut batch = Batch {
            #[cfg(feature = "mutants")]
            stale: super::mutants::stale(&base),
            conn,
            now: self.clock.now(),
            monotonic: self.clock.monotonic(),
            snapshot: Snapshot::clone(&base),
            audit: self.audit,
            touched: Touched::Nothing,
            applied: 0,
        };
        let ran = jobs.iter_mut().try_for_each(|job| batch.run(job.as_mut(), care));
        #[cfg(feature = "mutants")]
        if ran.is_ok() {
            super::mutants::before_commit(&self.shared, &batch.snapshot, jobs);
        }
        let finished = ran.and_then(|()| batch.finish(base.version));
        match finished {
            Ok((snapshot, audit)) => {
                self.audit = audit;
                if let Some(snapshot) = snapshot {
                    publish(&self.shared, snapshot);
                }
                // One that was rolled back rings too: a look at the outbox costs little.
                if self.told.swap(false, Ordering::Relaxed) {
                    self.shared.posted.notify_one();
                }
                Ok(())
            }
            Err(setback) => {
                // SQLite may have rolled back by itself; a second ROLLBACK only says so.
                let _ = conn.execute_batch("ROLLBACK");
                Err(setback)
            }
        }
    }

    fn degrade(&mut self, trouble: Trouble) {
        tracing::error!(area = "store", ?trouble, "changes are refused: {}", trouble.explain());
        let degraded = Degraded { trouble, since: self.clock.now() };
        self.shared.degraded.store(Some(Arc::new(degraded)));
        self.healed_last = Instant::now();
        // The published state is as before; subscribers learn that changes are refused.
        self.shared.version.send_modify(|_| {});
    }

    /// Opens the database anew and writes to it; if that works, takes up its state and goes on.
    fn heal(&mut self) {
        self.healed_last = Instant::now();
        self.conn = None;
        match self.reopen() {
            Ok((conn, snapshot, audit)) => {
                self.conn = Some(conn);
                self.audit = audit;
                publish(&self.shared, snapshot);
                self.shared.degraded.store(None);
                tracing::info!(area = "store", "the database works again");
            }
            Err(error) => {
                tracing::debug!(area = "store", %error, "the database is still failing");
            }
        }
    }

    fn reopen(&self) -> Result<(Connection, Snapshot, AuditHead), super::error::OpenError> {
        let conn =
            open::writable(&self.path, open::Missing::Refuse, HEAL_PATIENCE, self.clock.now())?;
        open::probe(&conn, self.clock.now().as_millisecond())?;
        let known = self.shared.published.load();
        let snapshot = state::load(&conn, &self.clock, Some(&known))?;
        let audit = AuditHead::load(&conn)?;
        listen_for_messages(&conn, &self.told)?;
        Ok((conn, snapshot, audit))
    }
}

fn listen_for_messages(conn: &Connection, told: &Arc<AtomicBool>) -> Result<(), StoreError> {
    let told = Arc::clone(told);
    let hook = move |action: Action, _: &str, table: &str, _: i64| {
        if action == Action::SQLITE_INSERT && table == "outbox" {
            told.store(true, Ordering::Relaxed);
        }
    };
    Ok(conn.update_hook(Some(hook))?)
}

/// One transaction under way.
struct Batch<'a> {
    conn: &'a Connection,
    now: Timestamp,
    monotonic: Monotonic,
    snapshot: Snapshot,
    audit: AuditHead,
    touched: Touched,
    /// Changes shown in the snapshot so far.
    applied: u64,
    #[cfg(feature = "mutants")]
    stale: Option<Arc<Snapshot>>,
}

impl Batch<'_> {
    fn run(&mut self, job: &mut dyn Job, care: Care) -> Result<(), Setback> {
        if self.touched == Touched::Site {
            // What one job took out of service, the next one must not lend.
            self.load_site()?;
            self.touched = Touched::SiteShown;
        }
        let audit_before = self.audit;
        let changes_before = self.conn.total_changes() + self.applied;
        // A second reference to the snapshot makes the next change copy what it touches: only
        // where it may be needed.
        let careful = match care {
            Care::None => None,
            Care::Savepoints => {
                execute(self.conn, "SAVEPOINT job")?;
                Some((self.snapshot.clone(), self.touched))
            }
        };
        let ran = job.run(&mut Tx {
            conn: self.conn,
            now: self.now,
            monotonic: self.monotonic,
            snapshot: &mut self.snapshot,
            audit: &mut self.audit,
            touched: &mut self.touched,
            applied: &mut self.applied,
            #[cfg(feature = "mutants")]
            stale: self.stale.as_deref(),
        });
        match ran {
            Ran::Failed(trouble) => return Err(Setback::Failed(trouble)),
            // Out of space or memory, SQLite may end the whole transaction by itself.
            _ if self.conn.is_autocommit() => return Err(Setback::Failed(Trouble::Io)),
            Ran::Kept => {}
            Ran::Refused => match careful {
                Some((snapshot, touched)) => {
                    execute(self.conn, "ROLLBACK TO job")?;
                    (self.snapshot, self.touched) = (snapshot, touched);
                    self.audit = audit_before;
                }
                None if self.conn.total_changes() + self.applied != changes_before => {
                    return Err(Setback::Again);
                }
                None => {}
            },
        }
        match care {
            Care::None => Ok(()),
            Care::Savepoints => execute(self.conn, "RELEASE job"),
        }
    }

    fn load_site(&mut self) -> Result<(), Setback> {
        self.snapshot.site = Arc::new(state::site(self.conn).map_err(|error| setback(&error))?);
        Ok(())
    }

    /// Commits; gives the next snapshot if anything that it shows has changed.
    fn finish(mut self, version: u64) -> Result<(Option<Snapshot>, AuditHead), Setback> {
        if self.touched == Touched::Site {
            self.load_site()?;
        }
        execute(self.conn, "COMMIT")?;
        self.snapshot.version = version + 1;
        let snapshot = (self.touched != Touched::Nothing).then_some(self.snapshot);
        Ok((snapshot, self.audit))
    }
}

fn begin(conn: &Connection) -> Result<(), Setback> {
    #[cfg(feature = "mutants")]
    if let Some(sql) = super::mutants::begin() {
        return execute(conn, sql);
    }
    execute(conn, "BEGIN IMMEDIATE")
}

fn execute(conn: &Connection, sql: &str) -> Result<(), Setback> {
    let run = || conn.prepare_cached(sql)?.execute([]).map(drop);
    run().map_err(|error| setback(&error.into()))
}

/// An error of the batch itself, not of a job, is trouble whatever its code.
fn setback(error: &StoreError) -> Setback {
    Setback::Failed(error.trouble().unwrap_or_else(|| {
        tracing::error!(area = "store", %error, "the batch failed");
        Trouble::Io
    }))
}

fn refuse(jobs: Vec<Box<dyn Job>>, trouble: Trouble) {
    for job in jobs {
        job.answer(Err(StoreError::Degraded(trouble)));
    }
}

pub(super) fn publish(shared: &Shared, snapshot: Snapshot) {
    let version = snapshot.version;
    shared.published.store(Arc::new(snapshot));
    shared.version.send_replace(version);
}
