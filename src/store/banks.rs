//! Locations, banks, lockers, terms and who looks after what.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::state::{collect, date, instant};
use crate::domain::bank::{Bank, BankPolicy, Location, Maintenance, Mode, OpenFrom};
use crate::domain::channel::{BusName, Channel};
use crate::domain::id::{BankId, LocationId, LockerId, MemberId, TermId};
use crate::domain::locker::Locker;
use crate::domain::name::Name;
use crate::domain::returning::{ReturnPolicy, Unseen};
use crate::domain::term::{Term, TermScope};
use crate::domain::time::DateSpan;

/// Finds a location by its Korean name or makes it.
pub fn insert_location(conn: &Connection, name: &Name) -> Result<LocationId, StoreError> {
    let found = conn
        .prepare_cached("SELECT id FROM location WHERE name_ko = ?1")?
        .query_row([&name.ko], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(LocationId(id));
    }
    conn.prepare_cached("INSERT INTO location (name_ko, name_en) VALUES (?1, ?2)")?
        .execute([&name.ko, &name.en])?;
    Ok(LocationId(conn.last_insert_rowid()))
}

/// Makes a bank.
pub fn insert(
    conn: &Connection,
    location_id: LocationId,
    name: &Name,
    mode: Mode,
    policy: &BankPolicy,
) -> Result<BankId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO bank (location_id, name_ko, name_en, mode, hold_seconds, left_open_s, open_from,
                           grace_minutes, return_unseen, return_by_door)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        location_id.0,
        name.ko,
        name.en,
        mode.name(),
        policy.hold_seconds,
        policy.left_open_s,
        policy.open_from.name(),
        policy.returns.grace_minutes,
        policy.returns.unseen.name(),
        policy.returns.by_door
    ])?;
    Ok(BankId(conn.last_insert_rowid()))
}

/// The bank of a location under its Korean name.
pub fn find(
    conn: &Connection,
    location_id: LocationId,
    name_ko: &str,
) -> Result<Option<BankId>, StoreError> {
    let found = conn
        .prepare_cached("SELECT id FROM bank WHERE location_id = ?1 AND name_ko = ?2")?
        .query_row(params![location_id.0, name_ko], |row| row.get(0))
        .optional()?;
    Ok(found.map(BankId))
}

/// Gives a bank another English name and policy.
pub fn update(
    conn: &Connection,
    id: BankId,
    name: &Name,
    policy: &BankPolicy,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE bank SET name_en = ?2, hold_seconds = ?3, left_open_s = ?4, open_from = ?5,
                grace_minutes = ?6, return_unseen = ?7, return_by_door = ?8
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        name.en,
        policy.hold_seconds,
        policy.left_open_s,
        policy.open_from.name(),
        policy.returns.grace_minutes,
        policy.returns.unseen.name(),
        policy.returns.by_door
    ])?;
    Ok(())
}

/// Says from where a bank may be opened.
pub fn update_open_from(conn: &Connection, id: BankId, from: OpenFrom) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE bank SET open_from = ?2 WHERE id = ?1")?
        .execute(params![id.0, from.name()])?;
    Ok(())
}

/// The bank that a locker belongs to; `None` for an unknown one.
pub fn find_bank_of(conn: &Connection, id: LockerId) -> Result<Option<BankId>, StoreError> {
    let found = conn
        .prepare_cached("SELECT bank_id FROM locker WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(found.map(BankId))
}

/// Wires a locker as given and lends it or not.
pub fn update_locker(conn: &Connection, locker: &Locker) -> Result<(), StoreError> {
    let channel = locker.channel.as_ref();
    conn.prepare_cached(
        "UPDATE locker SET bus = ?2, board = ?3, lock = ?4, in_service = ?5 WHERE id = ?1",
    )?
    .execute(params![
        locker.id.0,
        channel.map(|it| it.bus.as_str()),
        channel.map(|it| it.board),
        channel.map(|it| it.lock),
        locker.in_service
    ])?;
    Ok(())
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

/// Whether there is a term of this Korean name.
pub fn has_term(conn: &Connection, name_ko: &str) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM term WHERE name_ko = ?1")?.exists([name_ko])?)
}

/// Puts a bank into maintenance, or ends it.
pub fn update_maintenance(
    conn: &Connection,
    id: BankId,
    maintenance: Option<&Maintenance>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE bank SET maintenance_ms = ?2, maintenance_by = ?3, maintenance_reason = ?4
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        maintenance.map(|it| it.since.as_millisecond()),
        maintenance.map(|it| it.by.0),
        maintenance.map(|it| it.reason.as_str())
    ])?;
    Ok(())
}

/// Makes a locker.
pub fn insert_locker(conn: &Connection, locker: &Locker) -> Result<(), StoreError> {
    let channel = locker.channel.as_ref();
    conn.prepare_cached(
        "INSERT INTO locker (id, bank_id, bus, board, lock, in_service)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        locker.id.0,
        locker.bank_id.0,
        channel.map(|it| it.bus.as_str()),
        channel.map(|it| it.board),
        channel.map(|it| it.lock),
        locker.in_service
    ])?;
    Ok(())
}

/// Makes a term; its number in `term` is not used.
pub fn insert_term(conn: &Connection, term: &Term) -> Result<TermId, StoreError> {
    let (location, bank) = match term.scope {
        TermScope::Site => (None, None),
        TermScope::Location(id) => (Some(id.0), None),
        TermScope::Bank(id) => (None, Some(id.0)),
    };
    conn.prepare_cached(
        "INSERT INTO term (name_ko, name_en, opens_ms, closes_ms, starts_on, ends_on,
                           location_id, bank_id)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?
    .execute(params![
        term.name.ko,
        term.name.en,
        term.opens_at.as_millisecond(),
        term.closes_at.as_millisecond(),
        term.dates.first().to_string(),
        term.dates.last().to_string(),
        location,
        bank
    ])?;
    Ok(TermId(conn.last_insert_rowid()))
}

/// Gives a bank into a staff member's care; once is enough.
pub fn insert_staff(conn: &Connection, member: MemberId, bank: BankId) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR IGNORE INTO bank_staff (member_id, bank_id) VALUES (?1, ?2)")?
        .execute([member.0, bank.0])?;
    Ok(())
}

/// Takes a bank (`None`: all) out of a staff member's care; says how many.
pub fn delete_staff(
    conn: &Connection,
    member: MemberId,
    bank: Option<BankId>,
) -> Result<usize, StoreError> {
    Ok(conn
        .prepare_cached(
            "DELETE FROM bank_staff WHERE member_id = ?1 AND (?2 IS NULL OR bank_id = ?2)",
        )?
        .execute(params![member.0, bank.map(|id| id.0)])?)
}

fn name(row: &Row<'_>, ko: usize, en: usize) -> Result<Name, StoreError> {
    Ok(Name { ko: row.get(ko)?, en: row.get(en)? })
}

/// Every location.
pub(super) fn list_locations(conn: &Connection) -> Result<Vec<Location>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT id, name_ko, name_en FROM location ORDER BY id")?;
    collect(statement.query([])?, |row| {
        Ok(Location { id: LocationId(row.get(0)?), name: name(row, 1, 2)? })
    })
}

/// Every bank.
pub(super) fn list(conn: &Connection) -> Result<Vec<Bank>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, location_id, name_ko, name_en, mode, hold_seconds, left_open_s, maintenance_ms,
                maintenance_by, maintenance_reason, open_from, grace_minutes, return_unseen,
                return_by_door
         FROM bank ORDER BY id",
    )?;
    collect(statement.query([])?, |row| {
        let mode: String = row.get(4)?;
        Ok(Bank {
            id: BankId(row.get(0)?),
            location_id: LocationId(row.get(1)?),
            name: name(row, 2, 3)?,
            mode: Mode::ALL
                .into_iter()
                .find(|known| known.name() == mode)
                .ok_or(StoreError::Inconsistent { table: "bank", column: "mode", value: mode })?,
            policy: BankPolicy {
                hold_seconds: row.get(5)?,
                left_open_s: row.get(6)?,
                open_from: open_from(row)?,
                returns: return_policy(row)?,
            },
            maintenance: maintenance(row)?,
        })
    })
}

fn open_from(row: &Row<'_>) -> Result<OpenFrom, StoreError> {
    let name: String = row.get(10)?;
    OpenFrom::from_name(&name).ok_or(StoreError::Inconsistent {
        table: "bank",
        column: "open_from",
        value: name,
    })
}

fn return_policy(row: &Row<'_>) -> Result<ReturnPolicy, StoreError> {
    let unseen: String = row.get(12)?;
    let known = Unseen::from_name(&unseen);
    let unseen = known.ok_or(StoreError::Inconsistent {
        table: "bank",
        column: "return_unseen",
        value: unseen,
    })?;
    Ok(ReturnPolicy { grace_minutes: row.get(11)?, unseen, by_door: row.get(13)? })
}

fn maintenance(row: &Row<'_>) -> Result<Option<Maintenance>, StoreError> {
    let Some(since_ms) = row.get::<_, Option<i64>>(7)? else { return Ok(None) };
    let (by, reason) = (MemberId(row.get(8)?), row.get(9)?);
    Ok(Some(Maintenance { since: instant(since_ms), by, reason }))
}

/// Every locker.
pub(super) fn list_lockers(conn: &Connection) -> Result<Vec<Locker>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, bank_id, bus, board, lock, in_service FROM locker ORDER BY id",
    )?;
    collect(statement.query([])?, |row| {
        let bus: Option<String> = row.get(2)?;
        Ok(Locker {
            id: LockerId(row.get(0)?),
            bank_id: BankId(row.get(1)?),
            channel: bus.map(|bus| channel(&bus, row)).transpose()?,
            in_service: row.get(5)?,
        })
    })
}

fn channel(bus: &str, row: &Row<'_>) -> Result<Channel, StoreError> {
    let Ok(name) = BusName::parse(bus) else {
        let value = bus.to_owned();
        return Err(StoreError::Inconsistent { table: "locker", column: "bus", value });
    };
    Ok(Channel { bus: name, board: row.get(3)?, lock: row.get(4)? })
}

/// Every term.
pub(super) fn list_terms(conn: &Connection) -> Result<Vec<Term>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, name_ko, name_en, opens_ms, closes_ms, starts_on, ends_on, location_id, bank_id
         FROM term ORDER BY id",
    )?;
    collect(statement.query([])?, |row| {
        let (first, last) = (date(row, 5, "term", "starts_on")?, date(row, 6, "term", "ends_on")?);
        let scope = match (row.get::<_, Option<i64>>(7)?, row.get::<_, Option<i64>>(8)?) {
            (Some(location), _) => TermScope::Location(LocationId(location)),
            (None, Some(bank)) => TermScope::Bank(BankId(bank)),
            (None, None) => TermScope::Site,
        };
        Ok(Term {
            id: TermId(row.get(0)?),
            name: name(row, 1, 2)?,
            opens_at: instant(row.get(3)?),
            closes_at: instant(row.get(4)?),
            dates: DateSpan::new(first, last).ok_or_else(|| StoreError::Inconsistent {
                table: "term",
                column: "ends_on",
                value: format!("{first}..{last}"),
            })?,
            scope,
        })
    })
}

/// Every pair of staff member and bank.
pub fn list_staff(conn: &Connection) -> Result<Vec<(MemberId, BankId)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT member_id, bank_id FROM bank_staff")?;
    collect(statement.query([])?, |row| Ok((MemberId(row.get(0)?), BankId(row.get(1)?))))
}
