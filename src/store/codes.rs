//! Codes that were mailed or handed out: for a sign-up, a new password, a new address, a kiosk.
//!
//! Only a keyed hash of the code is stored. What waits for the code is kept beside it and emptied
//! when it was used; rows that are over are forgotten by [`delete_old`]. Called by
//! `service/codes.rs`, always inside the writer, so that a code is good once.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use crate::domain::id::MemberId;

/// How long a row is kept after its code has run out: an hour, in milliseconds.
pub const KEPT_MS: i64 = 60 * 60 * 1000;

/// What a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A new account.
    SignUp,
    /// A forgotten password.
    PasswordReset,
    /// Another mail address.
    EmailChange,
    /// One sign-in at a kiosk, handed out by staff.
    Kiosk,
}

impl Purpose {
    /// Every purpose; the database's CHECK lists the same names.
    pub const ALL: [Self; 4] = [Self::SignUp, Self::PasswordReset, Self::EmailChange, Self::Kiosk];

    /// The stored name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignUp => "sign_up",
            Self::PasswordReset => "password_reset",
            Self::EmailChange => "email_change",
            Self::Kiosk => "kiosk",
        }
    }
}

/// A code before it is stored.
#[derive(Debug, Clone)]
pub struct NewCode<'a> {
    /// UUID version 4 in text form.
    pub id: &'a str,
    /// What it is for.
    pub purpose: Purpose,
    /// Whose; `None` for a sign-up, and for what no code fits.
    pub member_id: Option<MemberId>,
    /// A JSON object with what waits for the code.
    pub payload: &'a str,
    /// Keyed hash of the code; a random one that no code fits.
    pub code_hash: [u8; 32],
    /// Until when it is good, unix milliseconds.
    pub expires_ms: i64,
}

/// A stored code.
#[derive(Debug, Clone)]
pub struct CodeRow {
    /// Whose.
    pub member_id: Option<MemberId>,
    /// What waits for it.
    pub payload: String,
    /// Keyed hash of the code.
    pub code_hash: [u8; 32],
    /// How often it was missed.
    pub tries: u32,
    /// When it was asked for first.
    pub created_ms: i64,
    /// Until when it is good.
    pub expires_ms: i64,
    /// Whether it was used or replaced.
    pub used: bool,
}

/// Stores a code.
pub fn insert(conn: &Connection, code: &NewCode<'_>, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO code (id, purpose, member_id, payload, code_hash, created_ms, expires_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        code.id,
        code.purpose.name(),
        code.member_id.map(|id| id.0),
        code.payload,
        code.code_hash,
        now_ms,
        code.expires_ms
    ])?;
    Ok(())
}

/// Finds a code of a purpose.
pub fn find(conn: &Connection, id: &str, purpose: Purpose) -> Result<Option<CodeRow>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT member_id, payload, code_hash, tries, created_ms, expires_ms,
                    used_ms IS NOT NULL
             FROM code WHERE id = ?1 AND purpose = ?2",
        )?
        .query_row([id, purpose.name()], |row| {
            Ok(CodeRow {
                member_id: row.get::<_, Option<i64>>(0)?.map(MemberId),
                payload: row.get(1)?,
                code_hash: row.get(2)?,
                tries: row.get(3)?,
                created_ms: row.get(4)?,
                expires_ms: row.get(5)?,
                used: row.get(6)?,
            })
        })
        .optional()?)
}

/// Notes that a code was missed.
pub fn update_missed(conn: &Connection, id: &str) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE code SET tries = tries + 1 WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// Uses a code up and empties what waited for it; false when it was used before.
pub fn update_used(conn: &Connection, id: &str, now_ms: i64) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE code SET used_ms = ?2, payload = '{}' WHERE id = ?1 AND used_ms IS NULL",
        )?
        .execute(params![id, now_ms])?;
    Ok(changed == 1)
}

/// Replaces a code by a fresh one with tries of its own.
pub fn update_sent_again(
    conn: &Connection,
    id: &str,
    code_hash: &[u8; 32],
    expires_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE code SET code_hash = ?2, expires_ms = ?3, tries = 0
         WHERE id = ?1 AND used_ms IS NULL",
    )?
    .execute(params![id, code_hash, expires_ms])?;
    Ok(())
}

/// Uses up the codes of a purpose that a member still has, all but the newest `kept`.
pub fn update_surplus(
    conn: &Connection,
    member: MemberId,
    purpose: Purpose,
    kept: usize,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE code SET used_ms = ?3, payload = '{}' WHERE id IN (
           SELECT id FROM code WHERE member_id = ?1 AND purpose = ?2 AND used_ms IS NULL
           ORDER BY created_ms DESC LIMIT -1 OFFSET ?4)",
    )?
    .execute(params![
        member.0,
        purpose.name(),
        now_ms,
        i64::try_from(kept).unwrap_or(i64::MAX)
    ])?;
    Ok(())
}

/// Uses up every code of a purpose that a member still has.
pub fn update_replaced(
    conn: &Connection,
    member: MemberId,
    purpose: Purpose,
    now_ms: i64,
) -> Result<(), StoreError> {
    update_surplus(conn, member, purpose, 0, now_ms)
}

/// Forgets at most `most` codes that ran out long enough ago; says how many.
pub fn delete_old(conn: &Connection, now_ms: i64, most: usize) -> Result<usize, StoreError> {
    Ok(conn
        .prepare_cached(
            "DELETE FROM code WHERE id IN (
               SELECT id FROM code WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2)",
        )?
        .execute(params![now_ms - KEPT_MS, i64::try_from(most).unwrap_or(i64::MAX)])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::memory_with_people;

    fn code(id: &str, purpose: Purpose) -> NewCode<'_> {
        let payload = "{\"name\":\"x\"}";
        let member_id = Some(MemberId(1));
        NewCode { id, purpose, member_id, payload, code_hash: [7; 32], expires_ms: 100 }
    }

    const ID: &str = "00000000-0000-4000-8000-000000000001";
    const OTHER: &str = "00000000-0000-4000-8000-000000000002";

    #[test]
    fn a_code_is_used_once_and_what_waited_is_emptied() {
        let conn = memory_with_people();
        insert(&conn, &code(ID, Purpose::SignUp), 1).expect("stored");
        assert!(find(&conn, ID, Purpose::PasswordReset).expect("readable").is_none());
        update_missed(&conn, ID).expect("stored");
        assert_eq!(find(&conn, ID, Purpose::SignUp).expect("readable").expect("there").tries, 1);
        assert!(update_used(&conn, ID, 2).expect("stored"));
        assert!(!update_used(&conn, ID, 2).expect("stored"));
        let row = find(&conn, ID, Purpose::SignUp).expect("readable").expect("there");
        assert_eq!((row.used, row.payload.as_str()), (true, "{}"));
    }

    #[test]
    fn every_purpose_is_known_to_the_schema_and_a_newer_code_replaces_the_older() {
        let conn = memory_with_people();
        for (number, purpose) in Purpose::ALL.into_iter().enumerate() {
            let id = format!("00000000-0000-4000-8000-00000000000{number}");
            insert(&conn, &code(&id, purpose), 1).expect("the CHECK knows it");
            update_replaced(&conn, MemberId(1), purpose, 5).expect("stored");
            assert!(find(&conn, &id, purpose).expect("readable").expect("there").used);
        }
    }

    #[test]
    fn the_newest_codes_stay_beside_each_other() {
        let conn = memory_with_people();
        let id = |n: i64| format!("00000000-0000-4000-8000-00000000000{n}");
        for n in [3, 1, 4, 2] {
            insert(&conn, &code(&id(n), Purpose::PasswordReset), n).expect("stored");
        }
        update_surplus(&conn, MemberId(1), Purpose::PasswordReset, 2, 5).expect("stored");
        let used = |n| {
            let row = find(&conn, &id(n), Purpose::PasswordReset).expect("readable");
            row.expect("there").used
        };
        assert_eq!([1, 2, 3, 4].map(used), [true, true, false, false]);
    }

    #[test]
    fn rows_that_ran_out_are_forgotten_after_a_while() {
        let conn = memory_with_people();
        insert(&conn, &code(ID, Purpose::SignUp), 1).expect("stored");
        update_sent_again(&conn, ID, &[8; 32], 200).expect("stored");
        insert(&conn, &code(OTHER, Purpose::SignUp), 1).expect("stored");
        assert_eq!(delete_old(&conn, 99 + KEPT_MS, 9).expect("stored"), 0);
        assert_eq!(delete_old(&conn, 100 + KEPT_MS, 9).expect("stored"), 1);
        assert!(find(&conn, ID, Purpose::SignUp).expect("readable").is_some());
    }
}
