//! Browsers that were given a secret of their own at log-in, and who logged in from them.
//!
//! Only the secret's hash is stored. A device is noted for a member when a log-in succeeded, never
//! before: knowing a device must say that its holder once proved to be the member.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use crate::domain::id::{DeviceId, MemberId};
use crate::domain::limit::Subject;

/// Nobody's number.
const NOBODY: MemberId = MemberId(-1);

/// Finds a device by the hash of its secret.
pub fn find(conn: &Connection, secret_hash: &[u8; 32]) -> Result<Option<DeviceId>, StoreError> {
    let id = conn
        .prepare_cached("SELECT id FROM device WHERE secret_hash = ?1")?
        .query_row([secret_hash], |row| Ok(DeviceId(row.get(0)?)))
        .optional()?;
    Ok(id)
}

/// Remembers a new device.
pub fn insert(
    conn: &Connection,
    secret_hash: &[u8; 32],
    now_ms: i64,
) -> Result<DeviceId, StoreError> {
    conn.prepare_cached("INSERT INTO device (secret_hash, first_ms, last_ms) VALUES (?1, ?2, ?2)")?
        .execute(params![secret_hash, now_ms])?;
    Ok(DeviceId(conn.last_insert_rowid()))
}

/// Notes that somebody logged in with it.
pub fn touch(conn: &Connection, id: DeviceId, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE device SET last_ms = ?2 WHERE id = ?1")?.execute([id.0, now_ms])?;
    Ok(())
}

/// Notes that a member logged in from a device.
pub fn note_member(
    conn: &Connection,
    member: MemberId,
    device: DeviceId,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO member_device (member_id, device_id, last_ms) VALUES (?1, ?2, ?3)
         ON CONFLICT (member_id, device_id) DO UPDATE SET last_ms = excluded.last_ms",
    )?
    .execute([member.0, device.0, now_ms])?;
    Ok(())
}

/// Forgets some devices that nobody logged in with since an instant, and who had; says how many.
pub fn delete_old(conn: &Connection, before_ms: i64, most: usize) -> Result<usize, StoreError> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let deleted = conn
        .prepare_cached(
            "DELETE FROM device WHERE id IN
               (SELECT id FROM device WHERE last_ms < ?1 ORDER BY last_ms LIMIT ?2)",
        )?
        .execute([before_ms, most])?;
    Ok(deleted)
}

/// The device with this secret as one that counts for itself, if the member has logged in from it
/// before. The question is asked in the same way when nobody is known.
pub fn find_subject(
    conn: &Connection,
    member: Option<MemberId>,
    secret_hash: Option<&[u8; 32]>,
) -> Result<Option<Subject>, StoreError> {
    let Some(hash) = secret_hash else { return Ok(None) };
    let known = is_known(conn, member.unwrap_or(NOBODY), hash)?;
    Ok(member.filter(|_| known).map(|member| Subject::device(hash, member)))
}

fn is_known(
    conn: &Connection,
    member: MemberId,
    secret_hash: &[u8; 32],
) -> Result<bool, StoreError> {
    let known = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM device JOIN member_device ON device_id = id
             WHERE secret_hash = ?1 AND member_id = ?2)",
        )?
        .query_row(params![secret_hash, member.0], |row| row.get(0))?;
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::member::{Profile, Role};
    use crate::store::members;
    use crate::store::open::memory;

    #[test]
    fn a_device_is_known_for_those_who_logged_in_from_it() {
        let conn = memory();
        let member = |id: &str| {
            let profile = Profile::parse(id, "가", None, None).expect("valid");
            members::insert(&conn, &profile, Role::Student, None, 1).expect("new")
        };
        let (one, other) = (member("A100"), member("A200"));
        assert_eq!(find(&conn, &[1; 32]).expect("readable"), None);
        let device = insert(&conn, &[1; 32], 5).expect("new");
        assert_eq!(find(&conn, &[1; 32]).expect("readable"), Some(device));
        assert!(!is_known(&conn, one, &[1; 32]).expect("readable"));
        for now_ms in [6, 7] {
            note_member(&conn, one, device, now_ms).expect("stored");
            touch(&conn, device, now_ms).expect("stored");
        }
        assert!(is_known(&conn, one, &[1; 32]).expect("readable"));
        assert!(!is_known(&conn, other, &[1; 32]).expect("readable"));
        assert!(!is_known(&conn, one, &[2; 32]).expect("readable"));
        let subject = |member| find_subject(&conn, member, Some(&[1; 32])).expect("readable");
        assert_eq!(subject(Some(one)), Some(Subject::device(&[1; 32], one)));
        assert_eq!((subject(Some(other)), subject(None)), (None, None));
        let last: (i64, i64) = conn
            .query_row(
                "SELECT device.last_ms, member_device.last_ms FROM device JOIN member_device
                 ON device_id = id",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("one row");
        assert_eq!(last, (7, 7));
        assert_eq!(delete_old(&conn, 7, 10).expect("deleted"), 0);
        assert_eq!(delete_old(&conn, 8, 10).expect("deleted"), 1);
        assert!(!is_known(&conn, one, &[1; 32]).expect("readable"));
    }
}
