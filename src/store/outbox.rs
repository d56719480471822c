//! What people are to be told, stored in the transaction of the change it tells of.

use rusqlite::{Connection, params};

use super::error::StoreError;
use crate::domain::id::MemberId;

/// Stores a message for a member, due at once. `payload` is a JSON object with what its text needs.
pub fn insert(
    conn: &Connection,
    kind: &'static str,
    member: MemberId,
    payload: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO outbox (kind, member_id, payload, created_ms, due_ms)
         VALUES (?1, ?2, ?3, ?4, ?4)",
    )?
    .execute(params![kind, member.0, payload, now_ms])?;
    Ok(())
}

/// How many messages wait to be delivered.
pub fn count_due(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn
        .query_row("SELECT count(*) FROM outbox WHERE due_ms IS NOT NULL", [], |row| row.get(0))?)
}
