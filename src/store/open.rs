//! Opening the database: directory lock, pragmas, and what may not be opened at all.
//!
//! Everything that could later surprise is checked here and refused with words: a second process,
//! a newer schema, a foreign file, a pragma that did not take.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::error::{OpenError, StoreError, Trouble};
use super::schema;

/// "LKRD": marks the file as ours in its header.
pub const APPLICATION_ID: i32 = 0x4C4B_5244;

/// How long a statement waits for a lock that some other tool holds. Short, because behind the
/// writer somebody may be standing before a door.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(1);

/// Prepared statements kept per connection; above the number of distinct statements.
const STATEMENTS_MAX: usize = 128;

/// Where the files of one site are.
#[derive(Debug, Clone)]
pub struct DataDir(PathBuf);

impl DataDir {
    /// Names a directory; it is not touched yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("lockerd.db")
    }

    /// The last published state, for a start on a broken database.
    #[must_use]
    pub fn snapshot(&self) -> PathBuf {
        self.0.join("snapshot.json")
    }

    /// Openings that could not be stored yet.
    #[must_use]
    pub fn spill(&self) -> PathBuf {
        self.0.join("openings.spill")
    }

    /// Room kept free for records of openings on a full disk.
    #[must_use]
    pub fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Where proofs of boards are kept; made when the first begins.
    #[must_use]
    pub fn proofs(&self) -> PathBuf {
        self.0.join("proofs")
    }

    /// Where the command line leaves its word that the clock is right.
    #[must_use]
    pub fn clock_word(&self) -> PathBuf {
        self.0.join("clock.confirmed")
    }

    /// Takes the directory for this process until the lock is dropped.
    pub fn lock(&self) -> Result<DirLock, OpenError> {
        if !self.0.is_dir() {
            return Err(OpenError::NoDirectory(self.0.display().to_string()));
        }
        let path = self.0.join("lock");
        let files = |source| OpenError::Files { path: path.display().to_string(), source };
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(files)?;
        match file.try_lock() {
            Ok(()) => Ok(DirLock { _file: file }),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(OpenError::InUse(self.0.display().to_string()))
            }
            Err(std::fs::TryLockError::Error(source)) => Err(files(source)),
        }
    }
}

/// Holds the data directory; the kernel lets go of it however the process ends.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

/// Whether a database that is not there may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    /// A new site.
    Create,
    /// There was one: an empty one in its place would forget who rents what.
    Refuse,
}

/// Opens the writable connection and brings the schema up to date, with a backup of what was there
/// before (`schema`). `patience` is how long it waits for a lock meanwhile.
pub(super) fn writable(
    path: &Path,
    missing: Missing,
    patience: Duration,
    now: Timestamp,
) -> Result<Connection, OpenError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if missing == Missing::Create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let mut conn = Connection::open_with_flags(path, flags).map_err(StoreError::from)?;
    conn.busy_timeout(patience).map_err(StoreError::from)?;
    let new = refuse_foreign_or_newer(&conn, path)?;
    if new && missing == Missing::Refuse {
        return Err(StoreError::Degraded(Trouble::Corrupt).into());
    }
    if new {
        // Can only be chosen before the first table.
        run(&conn, "PRAGMA auto_vacuum = INCREMENTAL")?;
        run(&conn, &format!("PRAGMA application_id = {APPLICATION_ID}"))?;
    }
    if !new {
        schema::back_up_before_migrating(&conn, path, now)?;
    }
    expect_text(&conn, "journal_mode = WAL", "wal")?;
    schema::migrate(&mut conn)?;
    prepare_writer(&conn)?;
    #[cfg(feature = "mutants")]
    super::mutants::drop_guards(&conn)?;
    conn.busy_timeout(BUSY_TIMEOUT).map_err(StoreError::from)?;
    Ok(conn)
}

fn run(conn: &Connection, sql: &str) -> Result<(), StoreError> {
    Ok(conn.execute_batch(sql)?)
}

/// Looks before anything is written: a file that is not ours stays as it is. True for a new file.
fn refuse_foreign_or_newer(conn: &Connection, path: &Path) -> Result<bool, OpenError> {
    let number =
        |sql: &str| -> Result<i32, StoreError> { Ok(conn.query_row(sql, [], |row| row.get(0))?) };
    if number("SELECT count(*) FROM sqlite_schema")? == 0 {
        return Ok(true);
    }
    if number("PRAGMA application_id")? != APPLICATION_ID {
        return Err(OpenError::Foreign(path.display().to_string()));
    }
    let (found, known) = (schema::version(conn)?, schema::known_version());
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    Ok(false)
}

/// Settings of the writing connection, each read back.
fn prepare_writer(conn: &Connection) -> Result<(), StoreError> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    // FULL: the WAL is synced at each commit, so that what was acknowledged survives a power cut.
    expect_number(conn, "synchronous", "FULL", 2)?;
    expect_number(conn, "foreign_keys", "ON", 1)?;
    expect_number(conn, "trusted_schema", "OFF", 0)?;
    expect_number(conn, "temp_store", "MEMORY", 2)?;
    expect_number(conn, "cell_size_check", "ON", 1)?;
    // 16 MiB: what the WAL file shrinks to after a burst.
    run(conn, "PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -8192")
}

/// Settings of a reading connection.
pub(super) fn prepare_reader(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    conn.busy_timeout(BUSY_TIMEOUT)?;
    // mmap stays off: a failing SD card must be an error, not a SIGBUS.
    conn.execute_batch(
        "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -2048;
         PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY",
    )
}

/// Proves that a write gets through to the disk.
pub(super) fn probe(conn: &Connection, now_ms: i64) -> Result<(), StoreError> {
    conn.execute("UPDATE heartbeat SET at_ms = max(at_ms, ?1)", [now_ms])?;
    Ok(())
}

fn expect_number(
    conn: &Connection,
    pragma: &str,
    value: &str,
    wanted: i64,
) -> Result<(), StoreError> {
    run(conn, &format!("PRAGMA {pragma} = {value}"))?;
    let got: i64 = conn.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
    if got == wanted {
        Ok(())
    } else {
        Err(StoreError::Driver(format!("PRAGMA {pragma} is {got} instead of {wanted}")))
    }
}

fn expect_text(conn: &Connection, pragma: &str, wanted: &str) -> Result<(), StoreError> {
    let got: String = conn.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))?;
    if got == wanted {
        Ok(())
    } else {
        Err(StoreError::Driver(format!("PRAGMA {pragma} gave {got:?} instead of {wanted:?}")))
    }
}

/// A migrated database in memory, for tests of single statements.
#[cfg(test)]
pub(crate) fn memory() -> Connection {
    let mut conn = Connection::open_in_memory().expect("memory is there");
    schema::migrate(&mut conn).expect("migrations run");
    run(&conn, "PRAGMA foreign_keys = ON").expect("settable");
    conn
}

/// [`memory`] with one bank of two lockers, one term and two members.
#[cfg(test)]
pub(crate) fn memory_with_people() -> Connection {
    let conn = memory();
    run(
        &conn,
        "INSERT INTO location (id, name_ko, name_en) VALUES (1, '가', 'A');
         INSERT INTO bank (id, location_id, name_ko, name_en, mode, hold_seconds)
           VALUES (1, 1, '가', 'A', 'choose', 60);
         INSERT INTO locker (id, bank_id) VALUES (101, 1), (102, 1);
         INSERT INTO term (id, name_ko, name_en, opens_ms, closes_ms, starts_on, ends_on)
           VALUES (1, '가', 'A', 1, 2, '2026-03-01', '2026-06-30');
         INSERT INTO member (id, student_id, name, role, joined_ms)
           VALUES (1, 'A1', '가', 'student', 1), (2, 'A2', '나', 'student', 1);",
    )
    .expect("consistent");
    conn
}

/// The steps of a question's plan.
#[cfg(test)]
pub(crate) fn plan(conn: &Connection, sql: &str) -> Vec<String> {
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("good SQL");
    // Nothing is bound: the plan is the same whatever is asked for.
    let rows = statement.raw_query().mapped(|row| row.get::<_, String>(3));
    rows.map(|row| row.expect("a step")).collect()
}

/// The steps of a question's plan that go through a whole table.
#[cfg(test)]
pub(crate) fn whole_tables(conn: &Connection, sql: &str) -> Vec<String> {
    plan(conn, sql).into_iter().filter(|step| step.starts_with("SCAN ")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> (tempfile::TempDir, DataDir) {
        let temp = tempfile::tempdir().expect("a place for temporary files");
        let dir = DataDir::new(temp.path());
        (temp, dir)
    }

    #[test]
    fn a_second_owner_is_told_what_to_do() {
        let (_temp, dir) = dir();
        let first = dir.lock().expect("free");
        let error = dir.lock().expect_err("taken").to_string();
        assert!(error.contains("in use") && error.contains("systemctl stop"), "{error}");
        drop(first);
        dir.lock().expect("free again");
    }

    #[test]
    fn a_missing_directory_points_to_init() {
        let error = DataDir::new("/nowhere/at/all").lock().expect_err("missing").to_string();
        assert!(error.contains("lockerd init"), "{error}");
    }

    #[test]
    fn opening_twice_keeps_the_schema() {
        let (_temp, dir) = dir();
        drop(
            writable(&dir.database(), Missing::Create, BUSY_TIMEOUT, Timestamp::UNIX_EPOCH)
                .expect("created"),
        );
        let conn = writable(&dir.database(), Missing::Create, BUSY_TIMEOUT, Timestamp::UNIX_EPOCH)
            .expect("opened again");
        assert_eq!(schema::version(&conn).expect("readable"), schema::known_version());
    }

    #[test]
    fn a_newer_database_is_refused_with_both_versions() {
        let (_temp, dir) = dir();
        let conn = writable(&dir.database(), Missing::Create, BUSY_TIMEOUT, Timestamp::UNIX_EPOCH)
            .expect("created");
        run(
            &conn,
            "INSERT INTO refinery_schema_history VALUES (99, 'future', '2030-01-01T00:00:00Z', '1')",
        )
        .expect("written");
        drop(conn);
        let error = writable(&dir.database(), Missing::Create, BUSY_TIMEOUT, Timestamp::UNIX_EPOCH)
            .expect_err("newer")
            .to_string();
        assert!(error.contains("99") && error.contains("install"), "{error}");
    }

    #[test]
    fn a_foreign_database_is_left_alone() {
        let (_temp, dir) = dir();
        let conn = Connection::open(dir.database()).expect("created");
        run(&conn, "CREATE TABLE notes (text TEXT)").expect("written");
        drop(conn);
        assert!(matches!(
            writable(&dir.database(), Missing::Create, BUSY_TIMEOUT, Timestamp::UNIX_EPOCH),
            Err(OpenError::Foreign(_))
        ));
    }

    #[test]
    fn a_file_that_is_no_database_is_trouble() {
        let (_temp, dir) = dir();
        std::fs::write(dir.database(), "hello ".repeat(400)).expect("written");
        let error = writable(&dir.database(), Missing::Create, BUSY_TIMEOUT, Timestamp::UNIX_EPOCH)
            .expect_err("damaged");
        assert!(matches!(&error, OpenError::Store(inner) if inner.trouble().is_some()), "{error}");
    }
}
