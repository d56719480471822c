//! The schema: which migrations there are, bringing a file up to date, and the backup before it.
//!
//! A file that is not new is copied beside itself (`VACUUM INTO`) before anything in it changes, so
//! that an update that went wrong can be undone by hand: stop, put the copy in its place, install
//! the lockerd that wrote it. Without room for that nothing is touched. A migration runs with
//! foreign keys off, which cannot be switched inside its transaction, and they are checked after it.
//! Called by `open`.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags};

use super::error::{OpenError, StoreError, Trouble};
use super::fallback::sync_directory_of;

/// Backups kept beside the database; older ones are removed.
pub const BACKUPS_KEPT: usize = 3;

/// Room that an update needs beside the copy and the rebuilt tables.
const ROOM_BYTES_MIN: u64 = 4 << 20;

mod embedded {
    refinery::embed_migrations!("migrations");
}

/// The newest migration that the file has seen; 0 for a new one.
pub fn version(conn: &Connection) -> Result<i32, StoreError> {
    let exists = conn
        .prepare("SELECT 1 FROM sqlite_schema WHERE name = 'refinery_schema_history'")?
        .exists([])?;
    if !exists {
        return Ok(0);
    }
    let sql = "SELECT coalesce(max(version), 0) FROM refinery_schema_history";
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}

/// The newest migration that this program has.
pub(super) fn known_version() -> i32 {
    let runner = embedded::migrations::runner();
    runner.get_migrations().iter().map(refinery::Migration::version).max().unwrap_or(0)
}

/// Brings a file up to date and checks that every reference still leads somewhere. Foreign keys are
/// off afterwards.
pub(super) fn migrate(conn: &mut Connection) -> Result<(), OpenError> {
    conn.execute_batch("PRAGMA foreign_keys = OFF").map_err(StoreError::from)?;
    let (found, known) = (version(conn)?, known_version());
    let runner = embedded::migrations::runner();
    runner.set_grouped(true).run(conn).map_err(|error| migration_failed(&error))?;
    if found != known {
        tracing::info!(area = "store", found, known, "the schema was brought up to date");
    }
    let broken: i64 = conn
        .query_row("SELECT count(*) FROM pragma_foreign_key_check", [], |row| row.get(0))
        .map_err(StoreError::from)?;
    if broken > 0 {
        return Err(OpenError::Migration(format!("{broken} rows refer to rows that do not exist")));
    }
    Ok(())
}

/// A database that fails is trouble also in the middle of a migration.
fn migration_failed(error: &refinery::Error) -> OpenError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(trouble) = inner.downcast_ref::<rusqlite::Error>().and_then(Trouble::of) {
            return StoreError::Degraded(trouble).into();
        }
        cause = inner.source();
    }
    OpenError::Migration(error.to_string())
}

/// Copies a file that is about to be migrated to `lockerd-vVERSION-TIME.db` beside it.
pub(super) fn back_up_before_migrating(
    conn: &Connection,
    path: &Path,
    now: Timestamp,
) -> Result<(), OpenError> {
    let found = version(conn)?;
    if found == known_version() {
        return Ok(());
    }
    demand_room(conn, path, free_bytes)?;
    let name =
        format!("{BACKUP_PREFIX}{found:04}-{}{BACKUP_SUFFIX}", now.strftime("%Y%m%dT%H%M%SZ"));
    let backup = path.with_file_name(name);
    let temporary = path.with_file_name("lockerd-backup.new");
    copy(conn, path, &temporary)?;
    verify(&temporary, found)?;
    let files = |source| OpenError::Files { path: backup.display().to_string(), source };
    File::open(&temporary).and_then(|file| file.sync_all()).map_err(files)?;
    fs::rename(&temporary, &backup).map_err(files)?;
    sync_directory_of(&backup).map_err(files)?;
    tracing::info!(area = "store", backup = %backup.display(), "the database was copied first");
    forget_old_backups(path).map_err(files)
}

const BACKUP_PREFIX: &str = "lockerd-v";
const BACKUP_SUFFIX: &str = ".db";

/// Demands room for the copy and for the tables that a migration rebuilds.
fn demand_room(
    conn: &Connection,
    path: &Path,
    free: impl FnOnce(&Path) -> io::Result<u64>,
) -> Result<(), OpenError> {
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let bytes = number("PRAGMA page_count")
        .and_then(|pages| Ok(pages * number("PRAGMA page_size")?))
        .map_err(StoreError::from)?;
    let needed = u64::try_from(bytes).unwrap_or(0).saturating_mul(3) + ROOM_BYTES_MIN;
    let place = path.parent().unwrap_or(path);
    let files = |source| OpenError::Files { path: place.display().to_string(), source };
    let free = free(place).map_err(files)?;
    if free >= needed {
        return Ok(());
    }
    Err(OpenError::NoRoom {
        place: place.display().to_string(),
        needed_mb: needed.div_ceil(1 << 20),
        free_mb: free >> 20,
    })
}

fn free_bytes(place: &Path) -> io::Result<u64> {
    let figures = rustix::fs::statvfs(place)?;
    Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
}

/// Copies through SQLite, so that the copy is whole whatever stands in the WAL; only those who may
/// read the original may read it.
fn copy(conn: &Connection, path: &Path, to: &Path) -> Result<(), OpenError> {
    let files = |source| OpenError::Files { path: to.display().to_string(), source };
    let mode = fs::metadata(path).map_err(files)?.permissions().mode();
    // An interrupted update may have left one; SQLite fills an empty file only.
    File::create(to).map_err(files)?;
    fs::set_permissions(to, Permissions::from_mode(mode & 0o777)).map_err(files)?;
    let target = to.to_str().ok_or_else(|| {
        files(io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8"))
    })?;
    conn.execute("VACUUM INTO ?1", [target]).map_err(StoreError::from)?;
    Ok(())
}

/// A backup counts when it was opened and found whole.
fn verify(backup: &Path, wanted: i32) -> Result<(), OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(backup, flags).map_err(StoreError::from)?;
    let verdict: String =
        conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(StoreError::from)?;
    if verdict == "ok" && version(&conn)? == wanted {
        Ok(())
    } else {
        Err(OpenError::Migration(format!("the backup before it is not whole: {verdict}")))
    }
}

fn forget_old_backups(path: &Path) -> io::Result<()> {
    let mut backups = backups(path)?;
    let old = backups.len().saturating_sub(BACKUPS_KEPT);
    backups.drain(..old).try_for_each(fs::remove_file)
}

/// The backups beside a database, oldest first by the time in their names.
fn backups(path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path.parent().unwrap_or(path))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let middle = name.strip_prefix(BACKUP_PREFIX).and_then(|it| it.strip_suffix(BACKUP_SUFFIX));
        if let Some((_, time)) = middle.and_then(|middle| middle.split_once('-')) {
            found.push((time.to_owned(), path));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, path)| path).collect())
}

#[cfg(test)]
mod tests;
