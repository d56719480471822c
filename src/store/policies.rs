//! The settings of a bank: one column each, hours and closing days in tables of their own.
//!
//! Reading and writing stand side by side and name every setting, so that a new one cannot be forgotten
//! in one of them. Called by `banks`.

use std::collections::HashMap;

use rusqlite::{Connection, Row, params};

use super::error::StoreError;
use super::state::{collect, date};
use crate::domain::bank::{BankPolicy, Mode, OpenFrom};
use crate::domain::hours::{Closing, Span, WeekHours};
use crate::domain::id::BankId;
use crate::domain::name::Name;
use crate::domain::options::Options;
use crate::domain::overdue::{LateOpening, OverduePolicy};
use crate::domain::pool::PoolPolicy;
use crate::domain::returning::{ReturnPolicy, Unseen};
use crate::domain::time::DateSpan;

/// The columns of `bank` that [`read`] takes, in its order.
pub(super) const COLUMNS: &str = "hold_seconds, left_open_s, open_from,
     grace_minutes, return_unseen, return_by_door,
     pool_days_max, pool_advance_days, pool_check_in_days, pool_reservations_max,
     reminder_days, remind_on_last_day, remind_while_late, late_opening, seal_after_days,
     penalty_factor, penalty_max_days,
     extensions_max, extension_days, extension_from_days, swaps, waiting_list, offer_minutes,
     hold_extension";

/// Hours and closing days by bank.
#[derive(Default)]
pub(super) struct Calendars {
    hours: HashMap<BankId, WeekHours>,
    closings: HashMap<BankId, Vec<Closing>>,
}

/// Gives a bank this mode and these settings.
pub fn update(
    conn: &Connection,
    id: BankId,
    mode: Mode,
    policy: &BankPolicy,
) -> Result<(), StoreError> {
    let BankPolicy {
        hold_seconds,
        left_open_s,
        open_from,
        returns,
        pool,
        overdue,
        options,
        hours,
        closings,
    } = policy;
    conn.prepare_cached(
        "UPDATE bank SET hold_seconds = ?2, left_open_s = ?3, open_from = ?4 WHERE id = ?1",
    )?
    .execute(params![id.0, hold_seconds, left_open_s, open_from.name()])?;
    update_returns(conn, id, *returns)?;
    update_pool(conn, id, mode, *pool)?;
    update_overdue(conn, id, overdue)?;
    update_options(conn, id, *options)?;
    replace_hours(conn, id, hours.as_ref())?;
    replace_closings(conn, id, closings)
}

fn update_returns(conn: &Connection, id: BankId, it: ReturnPolicy) -> Result<(), StoreError> {
    let ReturnPolicy { grace_minutes, unseen, by_door } = it;
    conn.prepare_cached(
        "UPDATE bank SET grace_minutes = ?2, return_unseen = ?3, return_by_door = ?4 WHERE id = ?1",
    )?
    .execute(params![id.0, grace_minutes, unseen.name(), by_door])?;
    Ok(())
}

fn update_pool(
    conn: &Connection,
    id: BankId,
    mode: Mode,
    it: PoolPolicy,
) -> Result<(), StoreError> {
    let PoolPolicy { days_max, advance_days, check_in_days, reservations_max } = it;
    conn.prepare_cached(
        "UPDATE bank SET mode = ?2, pool_days_max = ?3, pool_advance_days = ?4,
                pool_check_in_days = ?5, pool_reservations_max = ?6
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        mode.name(),
        days_max,
        advance_days,
        check_in_days,
        reservations_max
    ])?;
    Ok(())
}

fn update_overdue(conn: &Connection, id: BankId, it: &OverduePolicy) -> Result<(), StoreError> {
    let OverduePolicy {
        reminder_days,
        remind_on_last_day,
        remind_while_late,
        late_opening,
        seal_after_days,
        penalty_factor,
        penalty_max_days,
    } = it;
    let days: Vec<String> = reminder_days.iter().map(u16::to_string).collect();
    conn.prepare_cached(
        "UPDATE bank SET reminder_days = ?2, remind_on_last_day = ?3, remind_while_late = ?4,
                late_opening = ?5, seal_after_days = ?6, penalty_factor = ?7, penalty_max_days = ?8
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        format!("[{}]", days.join(",")),
        remind_on_last_day,
        remind_while_late,
        late_opening.name(),
        seal_after_days,
        penalty_factor,
        penalty_max_days
    ])?;
    Ok(())
}

fn update_options(conn: &Connection, id: BankId, it: Options) -> Result<(), StoreError> {
    let Options {
        extensions_max,
        extension_days,
        extension_from_days,
        swaps,
        waiting_list,
        offer_minutes,
        hold_extension,
    } = it;
    conn.prepare_cached(
        "UPDATE bank SET extensions_max = ?2, extension_days = ?3, extension_from_days = ?4,
                swaps = ?5, waiting_list = ?6, offer_minutes = ?7, hold_extension = ?8
         WHERE id = ?1",
    )?
    .execute(params![
        id.0,
        extensions_max,
        extension_days,
        extension_from_days,
        swaps,
        waiting_list,
        offer_minutes,
        hold_extension
    ])?;
    Ok(())
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
        open_from: known(OpenFrom::from_name(&open_from), "open_from", open_from)?,
        returns: read_returns(row, first + 3)?,
        pool: PoolPolicy {
            days_max: row.get(first + 6)?,
            advance_days: row.get(first + 7)?,
            check_in_days: row.get(first + 8)?,
            reservations_max: row.get(first + 9)?,
        },
        overdue: read_overdue(row, first + 10)?,
        options: Options {
            extensions_max: row.get(first + 17)?,
            extension_days: row.get(first + 18)?,
            extension_from_days: row.get(first + 19)?,
            swaps: row.get(first + 20)?,
            waiting_list: row.get(first + 21)?,
            offer_minutes: row.get(first + 22)?,
            hold_extension: row.get(first + 23)?,
        },
        hours: calendars.hours.remove(&id),
        closings: calendars.closings.remove(&id).unwrap_or_default(),
    })
}

fn read_returns(row: &Row<'_>, first: usize) -> Result<ReturnPolicy, StoreError> {
    let unseen: String = row.get(first + 1)?;
    Ok(ReturnPolicy {
        grace_minutes: row.get(first)?,
        unseen: known(Unseen::from_name(&unseen), "return_unseen", unseen)?,
        by_door: row.get(first + 2)?,
    })
}

fn read_overdue(row: &Row<'_>, first: usize) -> Result<OverduePolicy, StoreError> {
    let (days, late): (String, String) = (row.get(first)?, row.get(first + 3)?);
    Ok(OverduePolicy {
        reminder_days: known(serde_json::from_str(&days).ok(), "reminder_days", days)?,
        remind_on_last_day: row.get(first + 1)?,
        remind_while_late: row.get(first + 2)?,
        late_opening: known(LateOpening::from_name(&late), "late_opening", late)?,
        seal_after_days: row.get(first + 4)?,
        penalty_factor: row.get(first + 5)?,
        penalty_max_days: row.get(first + 6)?,
    })
}

fn known<T>(found: Option<T>, column: &'static str, value: String) -> Result<T, StoreError> {
    found.ok_or(StoreError::Inconsistent { table: "bank", column, value })
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
