//! The settings of a bank: one column each, hours and closing days in tables of their own.
//!
//! Reading and writing stand side by side and name every setting, so that a new one cannot be forgotten
//! in one of them. Called by `banks`.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::error::StoreError;
use super::state::{collect, date};
use crate::domain::bank::{BankPolicy, OpenFrom};
use crate::domain::hours::{Closing, Span, WeekHours};
use crate::domain::id::BankId;
use crate::domain::name::Name;
use crate::domain::time::DateSpan;

/// The columns of `bank` that [`read`] takes, in its order.
pub(super) const COLUMNS: &str = "hold_seconds, left_open_s, open_from";

/// Hours and closing days by bank.
#[derive(Default)]
pub(super) struct Calendars {
    hours: HashMap<BankId, WeekHours>,
    closings: HashMap<BankId, Vec<Closing>>,
}

/// Gives a bank these settings.
pub fn update(conn: &Connection, id: BankId, policy: &BankPolicy) -> Result<(), StoreError> {
    let BankPolicy { hold_seconds, left_open_s, open_from, hours, closings } = policy;
    conn.prepare_cached(
        "UPDATE bank SET hold_seconds = ?2, left_open_s = ?3, open_from = ?4 WHERE id = ?1",
    )?
    .execute(params![id.0, hold_seconds, left_open_s, open_from.name()])?;
    replace_hours(conn, id, hours.as_ref())?;
    replace_closings(conn, id, closings)
}

/// Reads the settings of a row whose column `first` is the first of [`COLUMNS`].
pub(super) fn read(
    row: &Row<'_>,
    first: usize,
    id: BankId,
    calendars: &mut Calendars,
) -> Result<BankPolicy, StoreError> {
    let open_from: String = row.get(first + 2)?;
    Ok(BankPolicy {
        hold_seconds: row.get(first)?,
        left_open_s: row.get(first + 1)?,
        open_from: OpenFrom::from_name(&open_from).ok_or(StoreError::Inconsistent {
            table: "bank",
            column: "open_from",
            value: open_from,
        })?,
        hours: calendars.hours.remove(&id),
        closings: calendars.closings.remove(&id).unwrap_or_default(),
    })
}

fn replace_hours(
    conn: &Connection,
    id: BankId,
    hours: Option<&WeekHours>,
) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM bank_hours WHERE bank_id = ?1")?.execute([id.0])?;
    let Some(hours) = hours else { return Ok(()) };
    let mut statement = conn.prepare_cached(
        "INSERT INTO bank_hours (bank_id, weekday, opens_min, closes_min) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (weekday, (_, spans)) in (1..).zip(hours.days()) {
        for span in spans {
            statement.execute(params![id.0, weekday, span.opens_min(), span.closes_min()])?;
        }
    }
    Ok(())
}

fn replace_closings(conn: &Connection, id: BankId, closings: &[Closing]) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM bank_closing WHERE bank_id = ?1")?.execute([id.0])?;
    let mut statement = conn.prepare_cached(
        "INSERT INTO bank_closing (bank_id, first_on, last_on, name_ko, name_en)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for Closing { dates, name } in closings {
        let (first, last) = (dates.first().to_string(), dates.last().to_string());
        statement.execute(params![id.0, first, last, name.ko, name.en])?;
    }
    Ok(())
}

/// Hours and closing days of every bank.
pub(super) fn calendars(conn: &Connection) -> Result<Calendars, StoreError> {
    let mut calendars = Calendars::default();
    let mut statement = conn.prepare_cached(
        "SELECT bank_id, weekday, opens_min, closes_min FROM bank_hours
         ORDER BY bank_id, weekday, opens_min",
    )?;
    for (bank, weekday, span) in collect(statement.query([])?, hours_row)? {
        let week = calendars.hours.entry(bank).or_default();
        if let Some(spans) = week.day_mut(weekday) {
            spans.push(span);
        }
    }
    let mut statement = conn.prepare_cached(
        "SELECT bank_id, first_on, last_on, name_ko, name_en FROM bank_closing
         ORDER BY bank_id, first_on, last_on, name_ko",
    )?;
    for (bank, closing) in collect(statement.query([])?, closing_row)? {
        calendars.closings.entry(bank).or_default().push(closing);
    }
    Ok(calendars)
}

fn hours_row(row: &Row<'_>) -> Result<(BankId, usize, Span), StoreError> {
    let (weekday, opens, closes): (u8, u16, u16) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let span = Span::new(opens, closes).map_err(|value| StoreError::Inconsistent {
        table: "bank_hours",
        column: "closes_min",
        value,
    })?;
    Ok((BankId(row.get(0)?), usize::from(weekday.saturating_sub(1)), span))
}

fn closing_row(row: &Row<'_>) -> Result<(BankId, Closing), StoreError> {
    let (first, last) =
        (date(row, 1, "bank_closing", "first_on")?, date(row, 2, "bank_closing", "last_on")?);
    let dates = DateSpan::new(first, last).ok_or_else(|| StoreError::Inconsistent {
        table: "bank_closing",
        column: "last_on",
        value: format!("{first}..{last}"),
    })?;
    let name = Name { ko: row.get(3)?, en: row.get(4)? };
    Ok((BankId(row.get(0)?), Closing { dates, name }))
}
