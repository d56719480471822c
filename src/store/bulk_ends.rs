//! Orders to end many rentals, and how far each is. What is to be ended is asked of the published state;
//! a row holds what was meant, so that an order goes on after a restart.

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::{Connection, Row, params};

use super::error::StoreError;
use super::state::{collect, instant};
use crate::domain::id::{BankId, BulkEndId, LocationId, MemberId, RentalId, TermId};

/// Where rentals are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In one bank.
    Bank(BankId),
    /// In every bank of a location.
    Location(LocationId),
}

/// Which rentals are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Those that a term granted.
    Term(TermId),
    /// Those whose last day was before this one.
    EndedBefore(Date),
}

/// An order to end many rentals.
#[derive(Debug, Clone)]
pub struct BulkEnd {
    /// Its name.
    pub id: BulkEndId,
    /// Who gave it.
    pub member_id: MemberId,
    /// Where.
    pub place: Place,
    /// Which.
    pub choice: Choice,
    /// Why.
    pub reason: String,
    /// The newest rental at its beginning.
    pub newest: RentalId,
    /// How many were meant.
    pub found: u32,
    /// How many are over.
    pub ended: u32,
    /// How many are returned and wait until they were emptied.
    pub returned: u32,
    /// When it was given.
    pub started_at: Timestamp,
    /// When nothing was left to be done.
    pub done_at: Option<Timestamp>,
}

const COLUMNS: &str = "SELECT id, member_id, bank_id, location_id, term_id, ended_before, reason,
    newest_rental_id, found, ended, returned, started_ms, done_ms FROM bulk_end";

/// Stores an order.
pub fn insert(conn: &Connection, order: &BulkEnd) -> Result<(), StoreError> {
    let (bank, location) = match order.place {
        Place::Bank(id) => (Some(id.0), None),
        Place::Location(id) => (None, Some(id.0)),
    };
    let (term, before) = match order.choice {
        Choice::Term(id) => (Some(id.0), None),
        Choice::EndedBefore(day) => (None, Some(day.to_string())),
    };
    conn.prepare_cached(
        "INSERT INTO bulk_end (id, member_id, bank_id, location_id, term_id, ended_before, reason,
                               newest_rental_id, found, started_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        order.id.to_string(),
        order.member_id.0,
        bank,
        location,
        term,
        before,
        order.reason,
        order.newest.0,
        order.found,
        order.started_at.as_millisecond()
    ])?;
    Ok(())
}

/// Adds what one slice did.
pub fn update_progress(
    conn: &Connection,
    id: BulkEndId,
    ended: u32,
    returned: u32,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE bulk_end SET ended = ended + ?2, returned = returned + ?3 WHERE id = ?1",
    )?
    .execute(params![id.to_string(), ended, returned])?;
    Ok(())
}

/// Notes that nothing is left to be done; false when that was noted before.
pub fn update_done(conn: &Connection, id: BulkEndId, now_ms: i64) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached("UPDATE bulk_end SET done_ms = ?2 WHERE id = ?1 AND done_ms IS NULL")?
        .execute(params![id.to_string(), now_ms])?;
    Ok(changed == 1)
}

/// Finds an order.
pub fn find(conn: &Connection, id: BulkEndId) -> Result<Option<BulkEnd>, StoreError> {
    let sql = format!("{COLUMNS} WHERE id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(collect(statement.query([id.to_string()])?, read)?.pop())
}

/// Orders that are not done, oldest first.
pub fn list_running(conn: &Connection) -> Result<Vec<BulkEnd>, StoreError> {
    let sql = format!("{COLUMNS} WHERE done_ms IS NULL ORDER BY started_ms");
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([])?, read)
}

/// Orders before `before`, newest first.
pub fn list(
    conn: &Connection,
    before: Option<BulkEndId>,
    limit: usize,
) -> Result<Vec<BulkEnd>, StoreError> {
    let sql = format!("{COLUMNS} WHERE ?1 IS NULL OR id < ?1 ORDER BY id DESC LIMIT ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    collect(statement.query(params![before.map(|id| id.to_string()), limit])?, read)
}

fn read(row: &Row<'_>) -> Result<BulkEnd, StoreError> {
    let bad = |column, value| StoreError::Inconsistent { table: "bulk_end", column, value };
    let (id, before): (String, Option<String>) = (row.get(0)?, row.get(5)?);
    let place = match (row.get::<_, Option<i64>>(2)?, row.get::<_, Option<i64>>(3)?) {
        (Some(bank), _) => Place::Bank(BankId(bank)),
        (None, Some(location)) => Place::Location(LocationId(location)),
        (None, None) => return Err(bad("bank_id", "none".to_owned())),
    };
    let choice = match (row.get::<_, Option<i64>>(4)?, before) {
        (Some(term), _) => Choice::Term(TermId(term)),
        (None, Some(day)) => {
            Choice::EndedBefore(day.parse().map_err(|_| bad("ended_before", day.clone()))?)
        }
        (None, None) => return Err(bad("term_id", "none".to_owned())),
    };
    Ok(BulkEnd {
        id: id.parse().map_err(|_| bad("id", id.clone()))?,
        member_id: MemberId(row.get(1)?),
        place,
        choice,
        reason: row.get(6)?,
        newest: RentalId(row.get(7)?),
        found: row.get(8)?,
        ended: row.get(9)?,
        returned: row.get(10)?,
        started_at: instant(row.get(11)?),
        done_at: row.get::<_, Option<i64>>(12)?.map(instant),
    })
}
