//! Three wrong programs, for the tests of the tests: does the judge of histories find them out?
//!
//! Compiled with the feature `mutants` alone, which a release build refuses (`lib.rs`), and chosen at
//! run time by the environment variable `MUTANT`; without it the program is as it always is. Each
//! takes away one thing that the promise "no two live rentals overlap" rests on: the schema's guards,
//! decisions inside the locked transaction, and answers only after the commit.

use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::Duration;

use rusqlite::Connection;

use super::error::StoreError;
use super::snapshot::Snapshot;
use super::writer::{Job, Ran, Shared, Tx, publish};

/// What names the mutant.
const VARIABLE: &str = "MUTANT";

/// How long a commit takes behind an answer that was given first: as long as a slow SD card syncs.
const SLOW_SYNC: Duration = Duration::from_millis(25);

/// A wrong program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mutant {
    /// The database's own guards against overlaps are gone; only the code's early no is left.
    NoIndex,
    /// Decisions are made on what was read before the transaction was the only one, as code does that
    /// reads, then begins without a lock, then writes. With one writer thread `BEGIN` alone would be
    /// no danger; so each job of a batch is shown what was there before any of them wrote.
    PlainBegin,
    /// Answers are given, and the new state is shown, before the commit.
    AnswerFirst,
}

/// The mutant of this process.
fn chosen() -> Option<Mutant> {
    static CHOSEN: OnceLock<Option<Mutant>> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = std::env::var(VARIABLE).ok()?;
        let mutant = match name.as_str() {
            "no_index" => Some(Mutant::NoIndex),
            "plain_begin" => Some(Mutant::PlainBegin),
            "answer_first" => Some(Mutant::AnswerFirst),
            _ => None,
        };
        tracing::error!(area = "store", name, ?mutant, "this program is wrong on purpose");
        mutant
    })
}

/// Takes the guards against overlaps away, whatever they are called. An index stays as one that
/// allows doubles: a query asks for it by name.
pub(super) fn drop_guards(conn: &Connection) -> Result<(), StoreError> {
    if chosen() != Some(Mutant::NoIndex) {
        return Ok(());
    }
    let mut guards = conn.prepare(
        "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name = 'rental' AND sql IS NOT NULL
           AND (name LIKE '%overlap%' OR sql LIKE 'CREATE UNIQUE INDEX%')",
    )?;
    let rows = guards.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let rows: Vec<(String, String, String)> = rows.collect::<Result<_, _>>()?;
    for (kind, name, sql) in rows {
        conn.execute_batch(&format!("DROP {kind} {name}"))?;
        if kind == "index" {
            conn.execute_batch(&sql.replacen("CREATE UNIQUE INDEX", "CREATE INDEX", 1))?;
        }
    }
    Ok(())
}

/// How a batch begins, if it begins wrongly.
pub(super) fn begin() -> Option<&'static str> {
    (chosen() == Some(Mutant::PlainBegin)).then_some("BEGIN")
}

/// What a job is to decide on instead of the state of its own transaction.
pub(super) fn stale(base: &Arc<Snapshot>) -> Option<Arc<Snapshot>> {
    (chosen() == Some(Mutant::PlainBegin)).then(|| Arc::clone(base))
}

/// Answers everybody before anything is committed.
pub(super) fn before_commit(shared: &Shared, snapshot: &Snapshot, jobs: &mut [Box<dyn Job>]) {
    if chosen() != Some(Mutant::AnswerFirst) {
        return;
    }
    let mut early = snapshot.clone();
    early.version += 1;
    publish(shared, early);
    for job in jobs {
        std::mem::replace(job, Box::new(Answered)).answer(Ok(()));
    }
    sleep(SLOW_SYNC);
}

/// A job that was answered before its time.
struct Answered;

impl Job for Answered {
    fn run(&mut self, _: &mut Tx<'_>) -> Ran {
        Ran::Kept
    }

    fn answer(self: Box<Self>, _: Result<(), StoreError>) {}
}
