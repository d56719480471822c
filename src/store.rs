//! Floor 2: everything that is kept, in one SQLite file with one writer.
//!
//! Changes go to the writer thread as jobs and are acknowledged after their commit
//! ([`Store::write`]); questions are answered from the published [`Snapshot`] without waiting, or
//! by the read-only pool ([`Store::read`]). SQL stands nowhere else in the program. Called by the
//! services; knows the domain, nothing above.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::{Notify, oneshot, watch};

use crate::clock::Clock;

pub mod accounts;
pub mod alarms;
pub mod audit;
pub mod banks;
pub mod bulk_ends;
pub mod check;
pub mod clock;
pub mod codes;
pub mod counts;
pub mod devices;
pub mod doors;
pub mod error;
pub mod fallback;
pub mod histories;
pub mod idempotency;
pub mod jobs;
pub mod kiosks;
pub mod lockers;
pub mod mass_openings;
pub mod members;
#[cfg(feature = "mutants")]
mod mutants;
pub mod open;
pub mod openings;
pub mod outbox;
pub mod overdue;
pub mod penalties;
pub mod personal;
pub mod policies;
pub mod presence;
pub mod proofs;
pub mod queue;
pub mod registration_codes;
pub mod reminders;
pub mod rentals;
mod reserved;
pub mod retention;
pub mod schema;
pub mod sessions;
pub mod snapshot;
mod state;
pub mod statistics;
pub mod terms;
pub mod throttle;
pub mod totp;
pub mod waiting;
mod writer;

pub use error::{Constraint, JobError, OpenError, StoreError, Trouble};
pub use open::DataDir;
pub use queue::Lane;
pub use snapshot::{Change, Lines, Site, Snapshot};
pub use writer::{Degraded, Tx};

use queue::{Queue, Rejected};
use writer::{Shared, Task, Writer};

/// Reading connections: two for each core of a Pi would only fight over its SD card.
const READERS_MAX: u32 = 4;

/// How long a question waits for a connection.
const READER_WAIT: Duration = Duration::from_secs(2);

/// The handle to everything that is kept. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    readers: r2d2::Pool<SqliteConnectionManager>,
    dir: DataDir,
}

/// The writer thread; ends after [`Store::close`].
pub struct WriterThread(JoinHandle<()>);

impl WriterThread {
    /// Whether the thread has ended; before [`Store::close`] that is a fault.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits until everything that was accepted is committed and the thread is gone.
    pub fn join(self) {
        if self.0.join().is_err() {
            tracing::error!(area = "store", "the writer thread panicked");
        }
    }
}

impl Store {
    /// Opens or creates the database of a data directory, migrates it and starts the writer.
    ///
    /// On a failing database the store starts degraded from the saved snapshot, so that renters
    /// can still open their doors; without one, or on a newer or foreign file, it is an error.
    pub fn open(dir: &DataDir, clock: &Clock) -> Result<(Self, WriterThread), OpenError> {
        let path = dir.database();
        let (conn, snapshot, degraded) = match open_and_load(dir, clock) {
            Ok((conn, snapshot)) => (Some(conn), snapshot, None),
            Err(OpenError::Store(error)) => {
                let Some((trouble, snapshot)) =
                    error.trouble().zip(fallback::load(&dir.snapshot()))
                else {
                    return Err(error.into());
                };
                tracing::error!(area = "store", ?trouble, "started from the saved snapshot");
                (None, snapshot, Some(Arc::new(Degraded { trouble, since: clock.now() })))
            }
            Err(error) => return Err(error),
        };
        let shared = Arc::new(Shared {
            version: watch::Sender::new(snapshot.version),
            published: ArcSwap::from_pointee(snapshot),
            degraded: ArcSwapOption::from(degraded),
            queue: Queue::default(),
            posted: Notify::new(),
        });
        let writer = Writer::new(conn, path.clone(), clock.clone(), shared.clone())?;
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| OpenError::Files { path: "the writer thread".to_owned(), source })?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let manager = SqliteConnectionManager::file(path)
            .with_flags(flags)
            .with_init(|conn| open::prepare_reader(conn));
        let readers = r2d2::Pool::builder()
            .max_size(READERS_MAX)
            .min_idle(Some(0))
            .test_on_check_out(false)
            .connection_timeout(READER_WAIT)
            .build_unchecked(manager);
        Ok((Self { shared, readers, dir: dir.clone() }, WriterThread(thread)))
    }

    /// The published state: as of the last commit, never older than an answer already given.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.published.load_full()
    }

    /// Tells when a newer state was published.
    #[must_use]
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.shared.version.subscribe()
    }

    /// Rung after a commit that put a message into the outbox; for one listener.
    #[must_use]
    pub fn posted(&self) -> &Notify {
        &self.shared.posted
    }

    /// Why changes are refused, if they are.
    #[must_use]
    pub fn degraded(&self) -> Option<Degraded> {
        self.shared.degraded.load().as_deref().copied()
    }

    /// How many changes wait for the writer.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared.queue.waiting()
    }

    /// Where the files are.
    #[must_use]
    pub const fn dir(&self) -> &DataDir {
        &self.dir
    }

    /// Runs a change in the writer and answers after its commit. The work may run a second time
    /// (see `writer`), so it must not give away what it captured; it does no I/O but SQL.
    pub async fn write<T, E, F>(&self, lane: Lane, work: F) -> Result<T, E>
    where
        F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: JobError,
    {
        let (reply, answer) = oneshot::channel();
        let task = Box::new(Task { work, result: None, reply });
        if let Err((rejected, _)) = self.shared.queue.put(lane, task) {
            return Err(match rejected {
                Rejected::Full => StoreError::Overloaded,
                Rejected::Closed => StoreError::Closed,
            }
            .into());
        }
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Asks the database on a connection of the read-only pool, in one consistent transaction.
    pub async fn read<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        F: FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
        T: Send + 'static,
    {
        let readers = self.readers.clone();
        let degraded = self.degraded();
        let asked = tokio::task::spawn_blocking(move || {
            let mut conn = readers.get().map_err(|error| {
                degraded.map_or_else(
                    || {
                        tracing::warn!(area = "store", %error, "no reading connection in time");
                        StoreError::Overloaded
                    },
                    |degraded| StoreError::Degraded(degraded.trouble),
                )
            })?;
            let tx = conn.transaction()?;
            question(&tx)
        });
        asked.await.unwrap_or(Err(StoreError::Closed))
    }

    /// Accepts no more changes; the writer ends when what is queued is committed.
    pub fn close(&self) {
        self.shared.queue.close();
    }
}

fn open_and_load(dir: &DataDir, clock: &Clock) -> Result<(Connection, Snapshot), OpenError> {
    // A saved state without its database: the file is lost or not mounted, the site is not new.
    let known = dir.snapshot().exists();
    let missing = if known { open::Missing::Refuse } else { open::Missing::Create };
    let conn = open::writable(&dir.database(), missing, open::BUSY_TIMEOUT, clock.now())?;
    open::probe(&conn, clock.now().as_millisecond())?;
    let snapshot = state::load(&conn, clock, None)?;
    Ok((conn, snapshot))
}

#[cfg(test)]
mod tests;
