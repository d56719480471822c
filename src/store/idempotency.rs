//! Answers kept for repeated requests, in the same transaction as what they tell of.

use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use crate::domain::id::MemberId;

/// How long an answer is kept: a day, in milliseconds.
pub const KEPT_MS: i64 = 24 * 60 * 60 * 1000;

/// A kept answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Which operation it was.
    pub operation: String,
    /// SHA-256 of what was asked.
    pub request_hash: [u8; 32],
    /// The answer as JSON.
    pub answer: String,
    /// When, unix milliseconds.
    pub created_ms: i64,
}

/// Finds what a member's key led to, if it is not too old.
pub fn find(
    conn: &Connection,
    member: MemberId,
    key: &str,
    now_ms: i64,
) -> Result<Option<Kept>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT operation, request_hash, answer, created_ms FROM idempotency
             WHERE member_id = ?1 AND key = ?2 AND created_ms > ?3",
        )?
        .query_row(params![member.0, key, now_ms - KEPT_MS], |row| {
            Ok(Kept {
                operation: row.get(0)?,
                request_hash: row.get(1)?,
                answer: row.get(2)?,
                created_ms: row.get(3)?,
            })
        })
        .optional()?)
}

/// Keeps an answer; one that is too old is replaced.
pub fn insert(
    conn: &Connection,
    member: MemberId,
    key: &str,
    kept: &Kept,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT OR REPLACE INTO idempotency
           (member_id, key, operation, request_hash, answer, created_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        member.0,
        key,
        kept.operation,
        kept.request_hash,
        kept.answer,
        kept.created_ms
    ])?;
    Ok(())
}

/// Forgets at most `most` answers that are too old; says how many.
pub fn delete_old(conn: &Connection, now_ms: i64, most: usize) -> Result<usize, StoreError> {
    Ok(conn
        .prepare_cached(
            "DELETE FROM idempotency WHERE (member_id, key) IN (
               SELECT member_id, key FROM idempotency WHERE created_ms <= ?1
               ORDER BY created_ms LIMIT ?2)",
        )?
        .execute(params![now_ms - KEPT_MS, i64::try_from(most).unwrap_or(i64::MAX)])?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::memory_with_people;

    #[test]
    fn an_answer_is_kept_for_a_day() {
        let conn = memory_with_people();
        let kept = Kept {
            operation: "hold".to_owned(),
            request_hash: [7; 32],
            answer: "{}".to_owned(),
            created_ms: 10,
        };
        insert(&conn, MemberId(1), "k", &kept).expect("stored");
        let at = |now| find(&conn, MemberId(1), "k", now).expect("readable");
        assert_eq!(at(9 + KEPT_MS), Some(kept));
        assert_eq!(at(10 + KEPT_MS), None);
        assert_eq!(find(&conn, MemberId(2), "k", 10).expect("readable"), None);
        assert_eq!(delete_old(&conn, 9 + KEPT_MS, 5).expect("stored"), 0);
        assert_eq!(delete_old(&conn, 10 + KEPT_MS, 5).expect("stored"), 1);
    }
}
