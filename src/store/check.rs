//! Is the database whole and does it keep its promises? Used by `lockerd check`, by commands that
//! only look, and by the tests.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::audit::{self, AuditHead, Verdict};
use super::error::StoreError;
use super::snapshot::Site;
use super::{lockers, open, schema, state};
use crate::domain::channel::Channel;
use crate::domain::id::{BankId, LockerId};

/// Looks at a database file without changing it; each finding is a line for people. Empty: clean.
pub fn check(path: &Path) -> Result<Vec<String>, StoreError> {
    findings(&reader(path)?)
}

/// Every locker that has an electric lock, with its wire.
pub fn channels(path: &Path) -> Result<Vec<(LockerId, Channel)>, StoreError> {
    let lockers = lockers::list(&reader(path)?)?;
    Ok(lockers.into_iter().filter_map(|locker| Some((locker.id, locker.channel?))).collect())
}

/// Walks the audit chain of a database file without changing it.
pub fn verify_audit(path: &Path, known: Option<&AuditHead>) -> Result<Verdict, StoreError> {
    audit::verify(&reader(path)?, known)
}

/// The end of the audit chain of a database file.
pub fn audit_head(path: &Path) -> Result<AuditHead, StoreError> {
    AuditHead::load(&reader(path)?)
}

/// A database that is only looked at.
pub type Looking = Connection;

/// Asks a database file something without changing it, also while a server has it open.
pub fn look<T>(
    path: &Path,
    question: impl FnOnce(&Looking) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let conn = reader(path)?;
    let (found, known) = (schema::version(&conn)?, schema::known_version());
    if found != known {
        return Err(StoreError::Driver(format!(
            "it is at schema version {found} and this lockerd knows {known}: start the server once"
        )));
    }
    question(&conn)
}

/// Places, lockers, terms and who looks after what, as a database file has them now; also while a
/// server works with it.
pub fn site(path: &Path) -> Result<Site, StoreError> {
    look(path, |conn| state::site(&*conn.unchecked_transaction()?))
}

/// Why each locker of a bank that is out of service was taken out.
pub fn reasons(path: &Path, bank: BankId) -> Result<Vec<(LockerId, String)>, StoreError> {
    lockers::list_reasons(&reader(path)?, bank)
}

fn reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    open::prepare_reader(&conn)?;
    Ok(conn)
}

fn findings(conn: &Connection) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    let integrity = texts(conn, "SELECT integrity_check FROM pragma_integrity_check")?;
    if integrity != ["ok"] {
        found.extend(integrity.into_iter().map(|line| format!("damaged file: {line}")));
        return Ok(found);
    }
    for line in texts(
        conn,
        "SELECT \"table\" || ' row ' || rowid || ' refers to a missing ' || parent
         FROM pragma_foreign_key_check",
    )? {
        found.push(format!("broken reference: {line}"));
    }
    // The schema's guards may have been dropped by hand: the promise itself is checked here.
    // A returned rental keeps others from the locker, not its member from another one.
    let lets_go = "AND a.state <> 'returned' AND b.state <> 'returned'";
    for (who, column, but) in [("locker", "locker_id", ""), ("member", "member_id", lets_go)] {
        let sql = format!(
            "SELECT a.{column} || ': rentals ' || a.id || ' and ' || b.id
             FROM rental a JOIN rental b ON a.{column} = b.{column} AND a.id < b.id
             WHERE a.ended_ms IS NULL AND b.ended_ms IS NULL
               AND a.starts_on <= b.ends_on AND b.starts_on <= a.ends_on {but}"
        );
        for line in texts(conn, &sql)? {
            found.push(format!("two live rentals of one {who} overlap: {who} {line}"));
        }
    }
    if let Verdict::Broken(bad) = audit::verify(conn, None)? {
        let id = bad.id;
        found.push(format!("the audit chain is broken at row {id}: a row was changed or removed"));
    }
    Ok(found)
}

fn texts(conn: &Connection, sql: &str) -> Result<Vec<String>, StoreError> {
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::memory;

    #[test]
    fn a_clean_database_has_no_findings_and_each_damage_has_one() {
        let conn = memory();
        assert_eq!(findings(&conn).expect("readable"), Vec::<String>::new());
        conn.execute_batch(
            "PRAGMA foreign_keys = OFF;
             DROP INDEX rental_live_locker; DROP TRIGGER rental_insert_overlap;
             INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms)
               VALUES (1, 1, 5, 1, 1, 'held', '2026-03-01', '2026-03-09', 1),
                      (2, 1, 5, 2, 1, 'held', '2026-03-02', '2026-03-09', 1);
             INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms,
                 confirmed_ms, returned_ms)
               VALUES (3, 1, 6, 1, 1, 'returned', '2026-03-01', '2026-03-09', 1, 1, 1),
                      (4, 1, 7, 4, 1, 'returned', '2026-03-01', '2026-03-09', 1, 1, 1),
                      (5, 1, 7, 5, 1, 'held', '2026-03-09', '2026-03-10', 1, NULL, NULL);
             INSERT INTO audit (at_ms, action, subject, detail, hash)
               VALUES (1, 'x', 'y', '{}', zeroblob(32));",
        )
        .expect("damaged");
        let found = findings(&conn).expect("readable").join("\n");
        assert!(found.contains("refers to a missing locker"), "{found}");
        assert!(found.contains("one locker overlap: locker 5: rentals 1 and 2"), "{found}");
        assert!(found.contains("one locker overlap: locker 7: rentals 4 and 5"), "{found}");
        // Whoever gave one back may have another.
        assert!(!found.contains("one member"), "{found}");
        assert!(found.contains("audit chain is broken at row 1"), "{found}");
    }
}
