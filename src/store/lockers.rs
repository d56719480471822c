//! Lockers, when they were out of service, and what staff write about them.
//!
//! A retired locker stays for the history, off its wire; its number is not used again. Notes and the
//! history of service only grow.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::banks::known;
use super::error::StoreError;
use super::state::{collect, instant};
use crate::domain::channel::{BusName, Channel};
use crate::domain::id::{BankId, LockerId, MemberId};
use crate::domain::layout::{Level, Place};
use crate::domain::locker::Locker;

/// Makes a locker.
pub fn insert(conn: &Connection, locker: &Locker) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT INTO locker (id, bank_id) VALUES (?1, ?2)")?
        .execute(params![locker.id.0, locker.bank_id.0])?;
    update(conn, locker)
}

/// Makes a locker as given in everything but its number.
pub fn update(conn: &Connection, locker: &Locker) -> Result<(), StoreError> {
    let Locker { id, bank_id, channel, in_service, place, level, accessible } = locker;
    let channel = channel.as_ref();
    conn.prepare_cached(
        "UPDATE locker SET bank_id = ?2, bus = ?3, board = ?4, lock = ?5, in_service = ?6,
                           place_col = ?7, place_row = ?8, place_width = ?9, place_height = ?10,
                           level = ?11, accessible = ?12
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        bank_id.0,
        channel.map(|it| it.bus.as_str()),
        channel.map(|it| it.board),
        channel.map(|it| it.lock),
        in_service,
        place.map(|it| it.col),
        place.map(|it| it.row),
        place.map(|it| it.width),
        place.map(|it| it.height),
        level.map(Level::name),
        accessible
    ])?;
    Ok(())
}

/// Retires a locker and takes it off its wire.
pub fn retire(conn: &Connection, id: LockerId, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE locker SET retired_ms = ?2, bus = NULL, board = NULL, lock = NULL WHERE id = ?1",
    )?
    .execute(params![id.0, now_ms])?;
    Ok(())
}

/// A locker as the transaction sees it; `None` for an unknown or retired one.
pub fn find(conn: &Connection, id: LockerId) -> Result<Option<Locker>, StoreError> {
    let sql = format!("{COLUMNS} WHERE id = ?1 AND retired_ms IS NULL");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(collect(statement.query([id.0])?, read)?.pop())
}

/// The bank that a locker belongs to; `None` for an unknown or retired one.
pub fn find_bank(conn: &Connection, id: LockerId) -> Result<Option<BankId>, StoreError> {
    let found = conn
        .prepare_cached("SELECT bank_id FROM locker WHERE id = ?1 AND retired_ms IS NULL")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(found.map(BankId))
}

/// Takes a locker off its wire; an unknown one is let be.
pub fn clear_channel(conn: &Connection, id: LockerId) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE locker SET bus = NULL, board = NULL, lock = NULL WHERE id = ?1")?
        .execute([id.0])?;
    Ok(())
}

/// Takes whatever locker hangs on a channel off it.
pub fn clear_channel_at(conn: &Connection, channel: &Channel) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE locker SET bus = NULL, board = NULL, lock = NULL
         WHERE bus = ?1 AND board = ?2 AND lock = ?3",
    )?
    .execute(params![channel.bus.as_str(), channel.board, channel.lock])?;
    Ok(())
}

/// Wires a locker; an unknown one is let be.
pub fn update_channel(
    conn: &Connection,
    id: LockerId,
    channel: &Channel,
) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE locker SET bus = ?2, board = ?3, lock = ?4 WHERE id = ?1")?
        .execute(params![id.0, channel.bus.as_str(), channel.board, channel.lock])?;
    Ok(())
}

const COLUMNS: &str = "SELECT id, bank_id, bus, board, lock, in_service, place_col, place_row,
    place_width, place_height, level, accessible FROM locker";

/// Every locker that is not retired.
pub(super) fn list(conn: &Connection) -> Result<Vec<Locker>, StoreError> {
    let sql = format!("{COLUMNS} WHERE retired_ms IS NULL ORDER BY id");
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([])?, read)
}

/// The retired lockers with their banks.
pub(super) fn list_retired(conn: &Connection) -> Result<Vec<(LockerId, BankId)>, StoreError> {
    let sql = "SELECT id, bank_id FROM locker WHERE retired_ms IS NOT NULL";
    let mut statement = conn.prepare_cached(sql)?;
    collect(statement.query([])?, |row| Ok((LockerId(row.get(0)?), BankId(row.get(1)?))))
}

fn read(row: &Row<'_>) -> Result<Locker, StoreError> {
    let place = match row.get::<_, Option<u16>>(6)? {
        Some(col) => Some(Place { col, row: row.get(7)?, width: row.get(8)?, height: row.get(9)? }),
        None => None,
    };
    let level: Option<String> = row.get(10)?;
    let level = level.map(|name| known(Level::from_name(&name), "locker", "level", name));
    Ok(Locker {
        id: LockerId(row.get(0)?),
        bank_id: BankId(row.get(1)?),
        channel: row.get::<_, Option<String>>(2)?.map(|bus| channel(bus, row)).transpose()?,
        in_service: row.get(5)?,
        place,
        level: level.transpose()?,
        accessible: row.get(11)?,
    })
}

fn channel(bus: String, row: &Row<'_>) -> Result<Channel, StoreError> {
    let name = known(BusName::parse(&bus).ok(), "locker", "bus", bus)?;
    Ok(Channel { bus: name, board: row.get(3)?, lock: row.get(4)? })
}

/// Something that happened to a locker's service.
#[derive(Debug, Clone)]
pub struct ServiceStep {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: jiff::Timestamp,
    /// Whether it is lent from then on.
    pub in_service: bool,
    /// Why.
    pub reason: String,
    /// Who did it; `None` for the command line and for imports.
    pub member_id: Option<MemberId>,
}

/// Notes that a locker was taken out of service or put back.
pub fn insert_service(
    conn: &Connection,
    locker: LockerId,
    step: (bool, &str, Option<MemberId>),
    now_ms: i64,
) -> Result<(), StoreError> {
    let (in_service, reason, by) = step;
    conn.prepare_cached(
        "INSERT INTO locker_service (locker_id, at_ms, in_service, reason, member_id)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![locker.0, now_ms, in_service, reason, by.map(|id| id.0)])?;
    Ok(())
}

/// What happened to a locker's service, newest first, older than `before`.
pub fn list_service(
    conn: &Connection,
    locker: LockerId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<ServiceStep>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, at_ms, in_service, reason, member_id FROM locker_service
         WHERE locker_id = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3",
    )?;
    let rows = statement.query(params![locker.0, before.unwrap_or(i64::MAX), limit])?;
    collect(rows, |row| {
        Ok(ServiceStep {
            id: row.get(0)?,
            at: instant(row.get(1)?),
            in_service: row.get(2)?,
            reason: row.get(3)?,
            member_id: row.get::<_, Option<i64>>(4)?.map(MemberId),
        })
    })
}

/// Why each locker of a bank that is out of service was taken out.
pub fn list_reasons(
    conn: &Connection,
    bank: BankId,
) -> Result<Vec<(LockerId, String)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT locker.id, (SELECT reason FROM locker_service
                            WHERE locker_id = locker.id ORDER BY id DESC LIMIT 1)
         FROM locker WHERE bank_id = ?1 AND in_service = 0 AND retired_ms IS NULL",
    )?;
    let rows = collect(statement.query([bank.0])?, |row| {
        Ok((LockerId(row.get(0)?), row.get::<_, Option<String>>(1)?))
    })?;
    Ok(rows.into_iter().filter_map(|(id, reason)| Some((id, reason?))).collect())
}

/// What somebody wrote about a locker.
#[derive(Debug, Clone)]
pub struct Note {
    /// Its number.
    pub id: i64,
    /// When.
    pub at: jiff::Timestamp,
    /// Who.
    pub member_id: MemberId,
    /// Their name; empty when the account is gone.
    pub member_name: String,
    /// The words.
    pub text: String,
}

/// Writes something about a locker; gives its number.
pub fn insert_note(
    conn: &Connection,
    locker: LockerId,
    by: MemberId,
    text: &str,
    now_ms: i64,
) -> Result<i64, StoreError> {
    conn.prepare_cached(
        "INSERT INTO locker_note (locker_id, at_ms, member_id, text) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![locker.0, now_ms, by.0, text])?;
    Ok(conn.last_insert_rowid())
}

/// What was written about a locker, newest first, older than `before`.
pub fn list_notes(
    conn: &Connection,
    locker: LockerId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Note>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT locker_note.id, at_ms, member_id, member.name, text
         FROM locker_note JOIN member ON member.id = member_id
         WHERE locker_id = ?1 AND locker_note.id < ?2 ORDER BY locker_note.id DESC LIMIT ?3",
    )?;
    let rows = statement.query(params![locker.0, before.unwrap_or(i64::MAX), limit])?;
    collect(rows, |row| {
        Ok(Note {
            id: row.get(0)?,
            at: instant(row.get(1)?),
            member_id: MemberId(row.get(2)?),
            member_name: row.get(3)?,
            text: row.get(4)?,
        })
    })
}
