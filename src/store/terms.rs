//! Application windows and the dates they grant. A retired one stays for the rentals that it granted.

use rusqlite::{Connection, Row, params};

use super::banks::Retired;
use super::error::StoreError;
use super::state::{collect, date, instant, named};
use crate::domain::id::{BankId, LocationId, TermId};
use crate::domain::term::{Term, TermScope};
use crate::domain::time::DateSpan;

const COLUMNS: &str = "SELECT id, name_ko, name_en, opens_ms, closes_ms, starts_on, ends_on,
    location_id, bank_id, retired_ms FROM term";

/// Makes a term; its number in `term` is not used.
pub fn insert(conn: &Connection, term: &Term) -> Result<TermId, StoreError> {
    let (location, bank) = scope_columns(term.scope);
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

/// Changes all of a term.
pub fn update(conn: &Connection, term: &Term) -> Result<(), StoreError> {
    let (location, bank) = scope_columns(term.scope);
    conn.prepare_cached(
        "UPDATE term SET name_ko = ?2, name_en = ?3, opens_ms = ?4, closes_ms = ?5, starts_on = ?6,
                         ends_on = ?7, location_id = ?8, bank_id = ?9
         WHERE id = ?1",
    )?
    .execute(params![
        term.id.0,
        term.name.ko,
        term.name.en,
        term.opens_at.as_millisecond(),
        term.closes_at.as_millisecond(),
        term.dates.first().to_string(),
        term.dates.last().to_string(),
        location,
        bank
    ])?;
    Ok(())
}

/// Retires a term.
pub fn retire(conn: &Connection, id: TermId, now_ms: i64) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE term SET retired_ms = ?2 WHERE id = ?1")?
        .execute(params![id.0, now_ms])?;
    Ok(())
}

/// Whether there is a term of this Korean name.
pub fn exists(conn: &Connection, name_ko: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM term WHERE name_ko = ?1 AND retired_ms IS NULL";
    Ok(conn.prepare_cached(sql)?.exists([name_ko])?)
}

/// Whether a term ever granted anybody a locker. Looks at its rentals until it finds one, which is at
/// once where there are any.
pub fn has_granted(conn: &Connection, id: TermId) -> Result<bool, StoreError> {
    Ok(conn.prepare_cached("SELECT 1 FROM rental WHERE term_id = ?1 LIMIT 1")?.exists([id.0])?)
}

/// Every term that is not retired.
pub(super) fn list(conn: &Connection) -> Result<Vec<Term>, StoreError> {
    let sql = format!("{COLUMNS} WHERE retired_ms IS NULL ORDER BY id");
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([])?, read)
}

/// Every retired term, the last one first.
pub fn list_retired(conn: &Connection) -> Result<Vec<Retired<Term>>, StoreError> {
    let sql = format!("{COLUMNS} WHERE retired_ms IS NOT NULL ORDER BY retired_ms DESC, id DESC");
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([])?, |row| Ok(Retired { what: read(row)?, at: instant(row.get(9)?) }))
}

const fn scope_columns(scope: TermScope) -> (Option<i64>, Option<i64>) {
    match scope {
        TermScope::Site => (None, None),
        TermScope::Location(id) => (Some(id.0), None),
        TermScope::Bank(id) => (None, Some(id.0)),
    }
}

fn read(row: &Row<'_>) -> Result<Term, StoreError> {
    let (first, last) = (date(row, 5, "term", "starts_on")?, date(row, 6, "term", "ends_on")?);
    let scope = match (row.get::<_, Option<i64>>(7)?, row.get::<_, Option<i64>>(8)?) {
        (Some(location), _) => TermScope::Location(LocationId(location)),
        (None, Some(bank)) => TermScope::Bank(BankId(bank)),
        (None, None) => TermScope::Site,
    };
    Ok(Term {
        id: TermId(row.get(0)?),
        name: named(row, 1)?,
        opens_at: instant(row.get(3)?),
        closes_at: instant(row.get(4)?),
        dates: DateSpan::new(first, last).ok_or_else(|| StoreError::Inconsistent {
            table: "term",
            column: "ends_on",
            value: format!("{first}..{last}"),
        })?,
        scope,
    })
}
