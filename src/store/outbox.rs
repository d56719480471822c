//! What people are to be told, stored in the transaction of the change it tells of.
//!
//! A message is due until it was sent, is dead (given up; people should look at it) or dropped
//! (nobody needs it). What was sealed into it is erased at the end of being due, and so is what a
//! sent or dropped one said: only that it was there stays, until it is pruned. Inserting rings
//! [`super::Store::posted`]. Called by whoever tells somebody something; read by `service/mails`.

use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use super::error::StoreError;
use super::state::collect;
use crate::domain::id::MemberId;

/// Whom a message is for.
#[derive(Debug, Clone, Copy)]
pub enum Recipient<'a> {
    /// A member: address and language are looked up when it is sent.
    Member(MemberId),
    /// An address that no member has (yet), in a language: `ko` or `en`.
    Address(&'a str, &'a str),
    /// An address that a member had before or is to have, in a language. It goes with the account.
    AddressOf(MemberId, &'a str, &'a str),
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
        Recipient::AddressOf(id, address, language) => (Some(id.0), Some(address), Some(language)),
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

/// A message that is due, with whom it goes to as of now.
#[derive(Debug, Clone)]
pub struct DueMessage {
    /// Its number.
    pub id: i64,
    /// By which its text is found.
    pub kind: String,
    /// The member it is for; `None` when it is for an address alone.
    pub member: Option<DueMember>,
    /// The address: its own or the member's.
    pub address: Option<String>,
    /// The language: its own or the member's.
    pub language: String,
    /// A JSON object with what its text needs.
    pub payload: String,
    /// The same, sealed.
    pub sealed: Option<Vec<u8>>,
    /// Fixed for all attempts.
    pub message_id: String,
    /// When it was written, unix milliseconds.
    pub created_ms: i64,
    /// How often it was tried.
    pub attempts: u32,
}

/// The member that a message is for.
#[derive(Debug, Clone)]
pub struct DueMember {
    /// Their name.
    pub name: String,
    /// Whether the account is gone.
    pub left: bool,
}

/// What is due by now, codes (what has a sealed part) first, then the oldest.
pub fn list_due(conn: &Connection, now_ms: i64, limit: u32) -> Result<Vec<DueMessage>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT outbox.id, kind, member_id IS NOT NULL, name, left_ms IS NOT NULL,
                coalesce(address, email), coalesce(outbox.language, member.language, 'ko'),
                payload, sealed, message_id, created_ms, attempts
         FROM outbox LEFT JOIN member ON member.id = member_id
         WHERE due_ms <= ?1 ORDER BY sealed IS NULL, outbox.id LIMIT ?2",
    )?;
    collect(statement.query([now_ms, limit.into()])?, |row| {
        let of_member: bool = row.get(2)?;
        let name: Option<String> = row.get(3)?;
        Ok(DueMessage {
            id: row.get(0)?,
            kind: row.get(1)?,
            member: if of_member {
                Some(DueMember { name: name.unwrap_or_default(), left: row.get(4)? })
            } else {
                None
            },
            address: row.get(5)?,
            language: row.get(6)?,
            payload: row.get(7)?,
            sealed: row.get(8)?,
            message_id: row.get(9)?,
            created_ms: row.get(10)?,
            attempts: row.get(11)?,
        })
    })
}

/// Notes that a message was sent; nothing if it is no longer due.
pub fn update_sent(conn: &Connection, id: i64, now_ms: i64) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE outbox SET sent_ms = ?2, due_ms = NULL, payload = '{}', sealed = NULL,
                               last_error = NULL, attempts = attempts + 1
             WHERE id = ?1 AND due_ms IS NOT NULL",
        )?
        .execute([id, now_ms])?;
    Ok(changed == 1)
}

/// Notes a failed attempt and when to try again.
pub fn update_put_off(
    conn: &Connection,
    id: i64,
    due_ms: i64,
    error: &str,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE outbox SET due_ms = ?2, last_error = ?3, attempts = attempts + 1
             WHERE id = ?1 AND due_ms IS NOT NULL",
        )?
        .execute(params![id, due_ms, error])?;
    Ok(changed == 1)
}

/// Gives a message up, with the reason. What it says stays, for the case that it is tried anew.
pub fn update_dead(
    conn: &Connection,
    id: i64,
    now_ms: i64,
    error: &str,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE outbox SET dead_ms = ?2, due_ms = NULL, sealed = NULL, last_error = ?3,
                               attempts = attempts + 1
             WHERE id = ?1 AND due_ms IS NOT NULL",
        )?
        .execute(params![id, now_ms, error])?;
    Ok(changed == 1)
}

/// Drops a message that is due or dead, with the reason.
pub fn update_dropped(
    conn: &Connection,
    id: i64,
    now_ms: i64,
    reason: &str,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE outbox SET dropped_ms = ?2, due_ms = NULL, dead_ms = NULL, payload = '{}',
                               sealed = NULL, last_error = ?3
             WHERE id = ?1 AND (due_ms IS NOT NULL OR dead_ms IS NOT NULL)",
        )?
        .execute(params![id, now_ms, reason])?;
    Ok(changed == 1)
}

/// Drops what is due, the oldest first; says how many that were.
pub fn update_all_dropped(
    conn: &Connection,
    now_ms: i64,
    reason: &str,
    limit: u32,
) -> Result<usize, StoreError> {
    Ok(conn
        .prepare_cached(
            "UPDATE outbox SET dropped_ms = ?1, due_ms = NULL, payload = '{}', sealed = NULL,
                               last_error = ?2
             WHERE id IN (SELECT id FROM outbox WHERE due_ms IS NOT NULL LIMIT ?3)",
        )?
        .execute(params![now_ms, reason, limit])?)
}

/// Makes everything that waits due now; says how many messages that were.
pub fn update_hurried(conn: &Connection, now_ms: i64) -> Result<usize, StoreError> {
    let sql = "UPDATE outbox SET due_ms = ?1 WHERE due_ms > ?1";
    Ok(conn.prepare_cached(sql)?.execute([now_ms])?)
}

/// Makes a dead message due again, as if it had never been tried.
pub fn update_revived(conn: &Connection, id: i64, now_ms: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE outbox SET due_ms = ?2, dead_ms = NULL, attempts = 0
               WHERE id = ?1 AND dead_ms IS NOT NULL";
    Ok(conn.prepare_cached(sql)?.execute([id, now_ms])? == 1)
}

/// Where a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageState {
    /// It waits to be sent.
    Due,
    /// A server took it.
    Sent,
    /// It was given up; people should look at it.
    Dead,
    /// Nobody needs it.
    Dropped,
}

impl MessageState {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Due, Self::Sent, Self::Dead, Self::Dropped];

    /// Its published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Dropped => "dropped",
        }
    }

    /// Finds one by its name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    const fn column(self) -> &'static str {
        match self {
            Self::Due => "due_ms",
            Self::Sent => "sent_ms",
            Self::Dead => "dead_ms",
            Self::Dropped => "dropped_ms",
        }
    }
}

/// A message as staff see it: not what it says.
#[derive(Debug, Clone)]
pub struct MessageRow {
    /// Its number.
    pub id: i64,
    /// What it is about.
    pub kind: String,
    /// The member it is for.
    pub member_id: Option<MemberId>,
    /// The address: its own or the member's.
    pub address: Option<String>,
    /// Where it stands.
    pub state: MessageState,
    /// Since when, unix milliseconds; of one that is due, when it is tried next.
    pub state_ms: i64,
    /// When it was written.
    pub created_ms: i64,
    /// How often it was tried.
    pub attempts: u32,
    /// Why the last attempt failed, or why it was dropped.
    pub last_error: Option<String>,
    /// Fixed for all attempts.
    pub message_id: String,
}

const LISTED: &str = "SELECT outbox.id, kind, member_id, coalesce(address, email), due_ms, sent_ms,
    dead_ms, dropped_ms, created_ms, attempts, last_error, message_id
    FROM outbox LEFT JOIN member ON member.id = member_id AND left_ms IS NULL";

/// Messages, newest first; `before` is where the page before ended.
pub fn list(
    conn: &Connection,
    state: Option<MessageState>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<MessageRow>, StoreError> {
    let condition = state
        .map_or_else(String::new, |state| format!(" AND outbox.{} IS NOT NULL", state.column()));
    let sql = format!("{LISTED} WHERE outbox.id < ?1{condition} ORDER BY outbox.id DESC LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([before.unwrap_or(i64::MAX), limit.into()])?, read)
}

/// Finds a message.
pub fn find(conn: &Connection, id: i64) -> Result<Option<MessageRow>, StoreError> {
    let sql = format!("{LISTED} WHERE outbox.id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    statement.query_row([id], |row| Ok(read(row))).optional()?.transpose()
}

fn read(row: &Row<'_>) -> Result<MessageRow, StoreError> {
    let mut fate = None;
    for (column, state) in (4..).zip(MessageState::ALL) {
        if let Some(at_ms) = row.get::<_, Option<i64>>(column)? {
            fate = Some((state, at_ms));
        }
    }
    let id: i64 = row.get(0)?;
    let (state, state_ms) = fate.ok_or_else(|| StoreError::Inconsistent {
        table: "outbox",
        column: "due_ms",
        value: id.to_string(),
    })?;
    Ok(MessageRow {
        id,
        kind: row.get(1)?,
        member_id: row.get::<_, Option<i64>>(2)?.map(MemberId),
        address: row.get(3)?,
        state,
        state_ms,
        created_ms: row.get(8)?,
        attempts: row.get(9)?,
        last_error: row.get(10)?,
        message_id: row.get(11)?,
    })
}

/// How many messages wait to be delivered.
pub fn count_due(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn
        .query_row("SELECT count(*) FROM outbox WHERE due_ms IS NOT NULL", [], |row| row.get(0))?)
}

/// How many messages were given up and wait for people.
pub fn count_dead(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn
        .query_row("SELECT count(*) FROM outbox WHERE dead_ms IS NOT NULL", [], |row| row.get(0))?)
}

/// Forgets messages that are through with since before a time; says how many.
pub fn delete_old(conn: &Connection, before_ms: i64, limit: usize) -> Result<usize, StoreError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    Ok(conn
        .prepare_cached(
            "DELETE FROM outbox WHERE id IN (
               SELECT id FROM outbox WHERE sent_ms < ?1 UNION ALL
               SELECT id FROM outbox WHERE dead_ms < ?1 UNION ALL
               SELECT id FROM outbox WHERE dropped_ms < ?1 LIMIT ?2)",
        )?
        .execute([before_ms, limit])?)
}

#[cfg(test)]
mod tests;
