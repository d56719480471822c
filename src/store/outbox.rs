//! What people are to be told, stored in the transaction of the change it tells of.

use rusqlite::{Connection, params};
use uuid::Uuid;

use super::error::StoreError;
use crate::domain::id::MemberId;

/// Whom a message is for.
#[derive(Debug, Clone, Copy)]
pub enum Recipient<'a> {
    /// A member: address and language are looked up when it is sent.
    Member(MemberId),
    /// An address that no member has (yet), in a language: `ko` or `en`.
    Address(&'a str, &'a str),
}

/// A message before it is stored.
#[derive(Debug, Clone)]
pub struct NewMessage<'a> {
    /// By which its text is found.
    pub kind: &'a str,
    /// Whom it is for.
    pub to: Recipient<'a>,
    /// A JSON object with what its text needs.
    pub payload: &'a str,
    /// The same for what must not be read in the database, sealed for `outbox:MESSAGE_ID`.
    pub sealed: Option<&'a [u8]>,
    /// Fixed for all attempts; without the part behind the @.
    pub message_id: &'a str,
}

/// Stores a message for a member, due at once. `payload` is a JSON object with what its text needs.
pub fn insert(
    conn: &Connection,
    kind: &str,
    member: MemberId,
    payload: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let message_id = Uuid::now_v7().to_string();
    let to = Recipient::Member(member);
    let message = NewMessage { kind, to, payload, sealed: None, message_id: &message_id };
    insert_message(conn, &message, now_ms)
}

/// Stores a message, due at once.
pub fn insert_message(
    conn: &Connection,
    message: &NewMessage<'_>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let (member, address, language) = match message.to {
        Recipient::Member(id) => (Some(id.0), None, None),
        Recipient::Address(address, language) => (None, Some(address), Some(language)),
    };
    conn.prepare_cached(
        "INSERT INTO outbox (kind, member_id, address, language, payload, sealed, message_id,
                             created_ms, due_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    )?
    .execute(params![
        message.kind,
        member,
        address,
        language,
        message.payload,
        message.sealed,
        message.message_id,
        now_ms
    ])?;
    Ok(())
}

/// How many messages wait to be delivered.
pub fn count_due(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn
        .query_row("SELECT count(*) FROM outbox WHERE due_ms IS NOT NULL", [], |row| row.get(0))?)
}
