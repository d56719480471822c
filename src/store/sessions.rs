//! Log-ins and their refresh tokens; only hashes are stored.

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use super::state::collect;
use crate::domain::id::{DeviceId, MemberId, SessionId};

/// How long ended sessions stay in the snapshot. Longer than any access token lives, so that a
/// token of an ended session is refused until it is dead by itself.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(24);

/// Sessions that ended before this instant need not be remembered.
#[must_use]
pub fn remembered_from(now: Timestamp) -> i64 {
    now.as_millisecond().saturating_sub(REMEMBERED.as_millis().try_into().unwrap_or(i64::MAX))
}

/// A log-in before it has a number.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Whose.
    pub member_id: MemberId,
    /// How they proved who they are: `password`, `roster` or `issued`.
    pub method: &'static str,
    /// SHA-256 of the family's secret.
    pub family_hash: [u8; 32],
    /// SHA-256 of the first refresh secret.
    pub refresh_hash: [u8; 32],
    /// Until when it is good, unix milliseconds.
    pub expires_ms: i64,
    /// What the client called itself.
    pub user_agent: String,
    /// Where it came from.
    pub address: String,
    /// Whether a second factor was shown as well.
    pub strong: bool,
    /// The browser that holds it, if it has a secret of its own.
    pub device_id: Option<DeviceId>,
}

/// What a refresh needs of a log-in.
#[derive(Debug, Clone)]
pub struct SessionRow {
    /// Its number.
    pub id: SessionId,
    /// Whose.
    pub member_id: MemberId,
    /// How they had proven who they are.
    pub method: String,
    /// Whether they had shown a second factor as well.
    pub strong: bool,
    /// Hash of the family's secret.
    pub family_hash: [u8; 32],
    /// Hash of the newest refresh secret.
    pub refresh_hash: [u8; 32],
    /// Hash of the one before it.
    pub previous_hash: Option<[u8; 32]>,
    /// When the newest was issued.
    pub refreshed_ms: i64,
    /// Until when it is good.
    pub expires_ms: i64,
    /// Whether the log-in has ended.
    pub ended: bool,
}

/// Stores a log-in.
pub fn insert(
    conn: &Connection,
    session: &NewSession,
    now_ms: i64,
) -> Result<SessionId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO session (member_id, method, family_hash, refresh_hash, issued_ms,
                              refreshed_ms, last_used_ms, proven_ms, expires_ms, user_agent, address,
                              strong, device_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?5, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        session.member_id.0,
        session.method,
        session.family_hash,
        session.refresh_hash,
        now_ms,
        session.expires_ms,
        session.user_agent,
        session.address,
        session.strong,
        session.device_id.map(|id| id.0)
    ])?;
    Ok(SessionId(conn.last_insert_rowid()))
}

/// Finds a log-in by number.
pub fn find(conn: &Connection, id: SessionId) -> Result<Option<SessionRow>, StoreError> {
    let row = conn
        .prepare_cached(
            "SELECT member_id, method, family_hash, refresh_hash, previous_hash, refreshed_ms,
                    expires_ms, ended_ms IS NOT NULL, strong
             FROM session WHERE id = ?1",
        )?
        .query_row([id.0], |row| {
            Ok(SessionRow {
                id,
                member_id: MemberId(row.get(0)?),
                method: row.get(1)?,
                family_hash: row.get(2)?,
                refresh_hash: row.get(3)?,
                previous_hash: row.get(4)?,
                refreshed_ms: row.get(5)?,
                expires_ms: row.get(6)?,
                ended: row.get(7)?,
                strong: row.get(8)?,
            })
        })
        .optional()?;
    Ok(row)
}

/// When its member last showed in a log-in who they are; `None` when they never did, as at a kiosk.
pub fn proven_ms(conn: &Connection, id: SessionId) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT proven_ms FROM session WHERE id = ?1 AND ended_ms IS NULL";
    let found = conn.prepare_cached(sql)?.query_row([id.0], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

/// Notes that they showed it; false when the log-in has ended.
pub fn update_proven(conn: &Connection, id: SessionId, now_ms: i64) -> Result<bool, StoreError> {
    let sql = "UPDATE session SET proven_ms = ?2 WHERE id = ?1 AND ended_ms IS NULL";
    Ok(conn.prepare_cached(sql)?.execute([id.0, now_ms])? == 1)
}

/// Replaces the refresh secret; the one before is remembered for the grace of a lost answer.
pub fn update_refreshed(
    conn: &Connection,
    id: SessionId,
    refresh_hash: &[u8; 32],
    expires_ms: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE session SET previous_hash = refresh_hash, refresh_hash = ?2, refreshed_ms = ?3,
                            expires_ms = ?4
         WHERE id = ?1 AND ended_ms IS NULL",
    )?
    .execute(params![id.0, refresh_hash, now_ms, expires_ms])?;
    Ok(())
}

/// Ends a log-in; false when it had ended before. The schema knows the reasons.
pub fn update_ended(
    conn: &Connection,
    id: SessionId,
    reason: &'static str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE session SET ended_ms = ?2, end_reason = ?3 WHERE id = ?1 AND ended_ms IS NULL",
        )?
        .execute(params![id.0, now_ms, reason])?;
    Ok(changed == 1)
}

/// Notes that a second factor was shown in a log-in: its next access token says so.
pub fn update_strong(conn: &Connection, id: SessionId) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE session SET strong = 1 WHERE id = ?1")?.execute([id.0])?;
    Ok(())
}

/// A log-in as its holder and staff see it.
#[derive(Debug, Clone)]
pub struct SessionInfo {
    /// Its number.
    pub id: SessionId,
    /// How they had proven who they are.
    pub method: String,
    /// Whether they had shown a second factor as well.
    pub strong: bool,
    /// The kiosk's name, if it was made at one.
    pub kiosk: Option<String>,
    /// When it began, unix milliseconds; so are the others.
    pub issued_ms: i64,
    /// When a request last came with it, as far as that was written down.
    pub last_used_ms: i64,
    /// Until when it is good.
    pub expires_ms: i64,
    /// What the client called itself.
    pub user_agent: String,
    /// Where it came from.
    pub address: String,
}

/// The log-ins of a member that are good at `now_ms`, newest first.
pub fn list_of(
    conn: &Connection,
    member: MemberId,
    now_ms: i64,
) -> Result<Vec<SessionInfo>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT session.id, method, strong, kiosk.name, issued_ms, last_used_ms, expires_ms,
                user_agent, session.address
         FROM session LEFT JOIN kiosk ON kiosk.id = kiosk_id
         WHERE member_id = ?1 AND ended_ms IS NULL AND expires_ms > ?2 ORDER BY session.id DESC",
    )?;
    collect(statement.query([member.0, now_ms])?, |row| {
        Ok(SessionInfo {
            id: SessionId(row.get(0)?),
            method: row.get(1)?,
            strong: row.get(2)?,
            kiosk: row.get(3)?,
            issued_ms: row.get(4)?,
            last_used_ms: row.get(5)?,
            expires_ms: row.get(6)?,
            user_agent: row.get(7)?,
            address: row.get(8)?,
        })
    })
}

/// The live log-ins of a member on devices of their own but one, newest first.
pub fn list_devices_of(
    conn: &Connection,
    member: MemberId,
    keep: SessionId,
) -> Result<Vec<SessionId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM session
         WHERE member_id = ?1 AND ended_ms IS NULL AND kiosk_id IS NULL AND id <> ?2
         ORDER BY id DESC",
    )?;
    ids(statement.query([member.0, keep.0])?)
}

/// The number of the newest log-in; 0 when there was none.
pub fn find_newest(conn: &Connection) -> Result<SessionId, StoreError> {
    let sql = "SELECT coalesce(max(id), 0) FROM session";
    Ok(conn.query_row(sql, [], |row| Ok(SessionId(row.get(0)?)))?)
}

/// Some live log-ins up to `newest` but one.
pub fn list_live(
    conn: &Connection,
    newest: SessionId,
    keep: SessionId,
    most: usize,
) -> Result<Vec<SessionId>, StoreError> {
    // In the order of the index of live ones: what has ended is not walked over.
    let mut statement = conn.prepare_cached(
        "SELECT id FROM session WHERE ended_ms IS NULL AND id <= ?1 AND id <> ?2
         ORDER BY expires_ms LIMIT ?3",
    )?;
    ids(statement.query(params![newest.0, keep.0, limit(most)])?)
}

/// Some live log-ins whose time is up.
pub fn list_expired(
    conn: &Connection,
    now_ms: i64,
    most: usize,
) -> Result<Vec<SessionId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM session WHERE ended_ms IS NULL AND expires_ms <= ?1
         ORDER BY expires_ms LIMIT ?2",
    )?;
    ids(statement.query([now_ms, limit(most)])?)
}

/// Notes when a request last came with a log-in; never goes back.
pub fn update_last_used(conn: &Connection, id: SessionId, used_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE session SET last_used_ms = ?2 WHERE id = ?1 AND last_used_ms < ?2",
    )?
    .execute([id.0, used_ms])?;
    Ok(())
}

fn ids(rows: rusqlite::Rows<'_>) -> Result<Vec<SessionId>, StoreError> {
    collect(rows, |row| Ok(SessionId(row.get(0)?)))
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// The live log-ins of a member but one, newest first.
pub fn list_live_of(
    conn: &Connection,
    member: MemberId,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM session WHERE member_id = ?1 AND ended_ms IS NULL AND id IS NOT ?2
         ORDER BY id DESC",
    )?;
    ids(statement.query(params![member.0, keep.map(|id| id.0)])?)
}

/// The sessions that ended at or after an instant, with when.
pub(super) fn list_ended_since(
    conn: &Connection,
    from_ms: i64,
) -> Result<Vec<(SessionId, i64)>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT id, ended_ms FROM session WHERE ended_ms >= ?1")?;
    collect(statement.query([from_ms])?, |row| Ok((SessionId(row.get(0)?), row.get(1)?)))
}
