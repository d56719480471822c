//! Locations, banks, what stands in their grids, and who looks after what.
//!
//! What is retired stays in its table for the history; nothing here finds it except the lists of what
//! is retired.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::policies;
use super::state::{collect, instant, named};
use crate::domain::bank::{Bank, BankPolicy, Location, Maintenance, Mode, OpenFrom};
use crate::domain::id::{BankId, LocationId, MemberId};
use crate::domain::layout::{BankLayout, Fixture, FixtureKind, Front, Place};
use crate::domain::name::Name;

/// Something that is kept for the history only.
#[derive(Debug, Clone)]
pub struct Retired<T> {
    /// What.
    pub what: T,
    /// Since when.
    pub at: jiff::Timestamp,
}

/// The location under a Korean name.
pub fn find_location(conn: &Connection, name_ko: &str) -> Result<Option<LocationId>, StoreError> {
    let found = conn
        .prepare_cached("SELECT id FROM location WHERE name_ko = ?1 AND retired_ms IS NULL")?
        .query_row([name_ko], |row| row.get(0))
        .optional()?;
    Ok(found.map(LocationId))
}

/// Makes a location.
pub fn insert_location(conn: &Connection, name: &Name) -> Result<LocationId, StoreError> {
    conn.prepare_cached("INSERT INTO location (name_ko, name_en) VALUES (?1, ?2)")?
        .execute([&name.ko, &name.en])?;
    Ok(LocationId(conn.last_insert_rowid()))
}

/// Gives a location another name.
pub fn update_location(conn: &Connection, id: LocationId, name: &Name) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE location SET name_ko = ?2, name_en = ?3 WHERE id = ?1")?
        .execute(params![id.0, name.ko, name.en])?;
    Ok(())
}

/// Retires a location.
pub fn retire_location(conn: &Connection, id: LocationId, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE location SET retired_ms = ?2 WHERE id = ?1")?
        .execute(params![id.0, now_ms])?;
    Ok(())
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
        "INSERT INTO bank (location_id, name_ko, name_en, mode, hold_seconds, pool_days_max)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        location_id.0,
        name.ko,
        name.en,
        mode.name(),
        policy.hold_seconds,
        policy.pool.days_max
    ])?;
    let id = BankId(conn.last_insert_rowid());
    policies::update(conn, id, mode, policy)?;
    Ok(id)
}

/// The bank of a location under its Korean name.
pub fn find(
    conn: &Connection,
    location_id: LocationId,
    name_ko: &str,
) -> Result<Option<BankId>, StoreError> {
    let found = conn
        .prepare_cached(
            "SELECT id FROM bank WHERE location_id = ?1 AND name_ko = ?2 AND retired_ms IS NULL",
        )?
        .query_row(params![location_id.0, name_ko], |row| row.get(0))
        .optional()?;
    Ok(found.map(BankId))
}

/// Gives a bank another name or location.
pub fn update(
    conn: &Connection,
    id: BankId,
    location: LocationId,
    name: &Name,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE bank SET location_id = ?2, name_ko = ?3, name_en = ?4 WHERE id = ?1",
    )?
    .execute(params![id.0, location.0, name.ko, name.en])?;
    Ok(())
}

/// Retires a bank.
pub fn retire(conn: &Connection, id: BankId, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE bank SET retired_ms = ?2 WHERE id = ?1")?
        .execute(params![id.0, now_ms])?;
    Ok(())
}

/// Says from where a bank may be opened.
pub fn update_open_from(conn: &Connection, id: BankId, from: OpenFrom) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE bank SET open_from = ?2 WHERE id = ?1")?
        .execute(params![id.0, from.name()])?;
    Ok(())
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

/// Says what stands in a bank's grid beside lockers.
pub fn update_layout(conn: &Connection, id: BankId, layout: &BankLayout) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE bank SET front = ?2 WHERE id = ?1")?
        .execute(params![id.0, layout.front.map(Front::name)])?;
    conn.prepare_cached("DELETE FROM bank_fixture WHERE bank_id = ?1")?.execute([id.0])?;
    let mut statement = conn.prepare_cached(
        "INSERT INTO bank_fixture (bank_id, position, kind, place_col, place_row, place_width,
                                   place_height, label_ko, label_en)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for (position, Fixture { kind, place, label }) in (1_i64..).zip(&layout.fixtures) {
        let Place { col, row, width, height } = place;
        let label = label.as_ref();
        let (ko, en) = (label.map(|it| it.ko.as_str()), label.map(|it| it.en.as_str()));
        let values = params![id.0, position, kind.name(), col, row, width, height, ko, en];
        statement.execute(values)?;
    }
    Ok(())
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

/// Every location that is not retired.
pub(super) fn list_locations(conn: &Connection) -> Result<Vec<Location>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, name_ko, name_en FROM location WHERE retired_ms IS NULL ORDER BY id",
    )?;
    collect(statement.query([])?, read_location)
}

/// Every retired location, the last one first.
pub fn list_retired_locations(conn: &Connection) -> Result<Vec<Retired<Location>>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, name_ko, name_en, retired_ms FROM location WHERE retired_ms IS NOT NULL
         ORDER BY retired_ms DESC, id DESC",
    )?;
    collect(statement.query([])?, |row| {
        Ok(Retired { what: read_location(row)?, at: instant(row.get(3)?) })
    })
}

fn read_location(row: &Row<'_>) -> Result<Location, StoreError> {
    Ok(Location { id: LocationId(row.get(0)?), name: named(row, 1)? })
}

/// Every bank that is not retired.
pub(super) fn list(conn: &Connection) -> Result<Vec<Bank>, StoreError> {
    let sql = columns("WHERE retired_ms IS NULL ORDER BY id");
    let mut calendars = policies::calendars(conn)?;
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([])?, |row| read(row, &mut calendars))
}

/// Every retired bank, the last one first.
pub fn list_retired(conn: &Connection) -> Result<Vec<Retired<Bank>>, StoreError> {
    let sql = columns("WHERE retired_ms IS NOT NULL ORDER BY retired_ms DESC, id DESC");
    let mut calendars = policies::calendars(conn)?;
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([])?, |row| {
        Ok(Retired { at: instant(row.get(8)?), what: read(row, &mut calendars)? })
    })
}

/// The settings come last: [`policies`] counts on it.
fn columns(which: &str) -> String {
    let settings = policies::COLUMNS;
    format!(
        "SELECT id, location_id, name_ko, name_en, mode, maintenance_ms, maintenance_by,
                maintenance_reason, retired_ms, {settings}
         FROM bank {which}"
    )
}

fn read(row: &Row<'_>, calendars: &mut policies::Calendars) -> Result<Bank, StoreError> {
    let (id, mode): (_, String) = (BankId(row.get(0)?), row.get(4)?);
    Ok(Bank {
        id,
        location_id: LocationId(row.get(1)?),
        name: named(row, 2)?,
        mode: Mode::ALL
            .into_iter()
            .find(|known| known.name() == mode)
            .ok_or(StoreError::Inconsistent { table: "bank", column: "mode", value: mode })?,
        maintenance: maintenance(row)?,
        policy: policies::read(row, 9, id, calendars)?,
    })
}

fn maintenance(row: &Row<'_>) -> Result<Option<Maintenance>, StoreError> {
    let Some(since_ms) = row.get::<_, Option<i64>>(5)? else { return Ok(None) };
    let (by, reason) = (MemberId(row.get(6)?), row.get(7)?);
    Ok(Some(Maintenance { since: instant(since_ms), by, reason }))
}

/// What stands in each bank's grid beside lockers; banks of which nothing was said are left out.
pub(super) fn list_layouts(conn: &Connection) -> Result<Vec<(BankId, BankLayout)>, StoreError> {
    let mut layouts: BTreeMap<BankId, BankLayout> = BTreeMap::new();
    let mut statement =
        conn.prepare_cached("SELECT id, front FROM bank WHERE front IS NOT NULL ORDER BY id")?;
    for (bank, front) in collect(statement.query([])?, |row| {
        let front: String = row.get(1)?;
        Ok((BankId(row.get(0)?), known(Front::from_name(&front), "bank", "front", front)?))
    })? {
        layouts.entry(bank).or_default().front = Some(front);
    }
    let mut statement = conn.prepare_cached(
        "SELECT bank_id, kind, place_col, place_row, place_width, place_height, label_ko, label_en
         FROM bank_fixture ORDER BY bank_id, position",
    )?;
    for (bank, fixture) in collect(statement.query([])?, read_fixture)? {
        layouts.entry(bank).or_default().fixtures.push(fixture);
    }
    Ok(layouts.into_iter().collect())
}

fn read_fixture(row: &Row<'_>) -> Result<(BankId, Fixture), StoreError> {
    let kind: String = row.get(1)?;
    let label = match row.get::<_, Option<String>>(6)? {
        Some(ko) => Some(Name { ko, en: row.get(7)? }),
        None => None,
    };
    let kind = known(FixtureKind::from_name(&kind), "bank_fixture", "kind", kind)?;
    let place =
        Place { col: row.get(2)?, row: row.get(3)?, width: row.get(4)?, height: row.get(5)? };
    Ok((BankId(row.get(0)?), Fixture { kind, place, label }))
}

/// A stored name that must be known.
pub(super) fn known<T>(
    found: Option<T>,
    table: &'static str,
    column: &'static str,
    value: String,
) -> Result<T, StoreError> {
    found.ok_or(StoreError::Inconsistent { table, column, value })
}

/// Every pair of staff member and bank.
pub fn list_staff(conn: &Connection) -> Result<Vec<(MemberId, BankId)>, StoreError> {
    let mut statement = conn.prepare_cached("SELECT member_id, bank_id FROM bank_staff")?;
    collect(statement.query([])?, |row| Ok((MemberId(row.get(0)?), BankId(row.get(1)?))))
}
