//! What figures are counted from: rentals by when they ended, claims by when they began, openings by when
//! they were asked for, service, waits. Each is found by an index over its range and bounded. Read only.

use jiff::civil::Date;
use rusqlite::{Connection, params};

use super::error::StoreError;
use super::state::{collect, date, instant};
use crate::domain::id::{BankId, LockerId, MemberId, RentalId, TermId};
use crate::domain::opening::Outcome;
use crate::domain::time::DateSpan;

/// Most rows that one figure is counted from.
pub const ROWS_MAX: usize = 1_000_000;

/// Openings are counted by quarters of an hour: every zone's hours begin with one.
const QUARTER_MS: i64 = 900_000;

/// A confirmed rental of a locker.
#[derive(Debug, Clone, Copy)]
pub struct StayRow {
    /// Which locker.
    pub locker_id: LockerId,
    /// From which day to which day.
    pub dates: DateSpan,
    /// When it was confirmed, unix milliseconds.
    pub confirmed_ms: i64,
    /// When the locker was emptied; `None` when it was not.
    pub ended_ms: Option<i64>,
}

/// A locker of a bank, also a retired one.
#[derive(Debug, Clone, Copy)]
pub struct LockerRow {
    /// Which.
    pub id: LockerId,
    /// Whether it is lent now.
    pub in_service: bool,
    /// When it was retired, unix milliseconds.
    pub retired_ms: Option<i64>,
}

/// Rentals of a bank with things inside at some instant from `from_ms` until before `to_ms`.
pub fn stays(
    conn: &Connection,
    bank: BankId,
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<StayRow>, StoreError> {
    let read = |row: &rusqlite::Row<'_>| {
        let dates = (date(row, 1, "rental", "starts_on")?, date(row, 2, "rental", "ends_on")?);
        let dates = DateSpan::new(dates.0, dates.1).ok_or_else(|| StoreError::Inconsistent {
            table: "rental",
            column: "ends_on",
            value: dates.1.to_string(),
        })?;
        let locker_id = LockerId(row.get(0)?);
        Ok(StayRow { locker_id, dates, confirmed_ms: row.get(3)?, ended_ms: row.get(4)? })
    };
    let mut statement = conn.prepare_cached(STAYS_OVER)?;
    let mut found = collect(statement.query(params![bank.0, from_ms, to_ms, most()])?, read)?;
    let mut statement = conn.prepare_cached(STAYS_LIVE)?;
    found.extend(collect(statement.query(params![bank.0, to_ms])?, read)?);
    Ok(found)
}

const STAYS_OVER: &str = "SELECT locker_id, starts_on, ends_on, confirmed_ms, ended_ms
    FROM rental INDEXED BY rental_over
    WHERE bank_id = ?1 AND ended_ms >= ?2 AND confirmed_ms IS NOT NULL AND confirmed_ms < ?3
      AND locker_id IS NOT NULL LIMIT ?4";

const STAYS_LIVE: &str = "SELECT locker_id, starts_on, ends_on, confirmed_ms, ended_ms
    FROM rental INDEXED BY rental_live_locker
    WHERE ended_ms IS NULL AND locker_id IS NOT NULL AND bank_id = ?1
      AND state IN ('active', 'returned') AND confirmed_ms < ?2";

/// Every locker that a bank has or had, in the order of their numbers.
pub fn lockers(conn: &Connection, bank: BankId) -> Result<Vec<LockerRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, in_service, retired_ms FROM locker INDEXED BY locker_bank
         WHERE bank_id = ?1 ORDER BY id",
    )?;
    collect(statement.query([bank.0])?, |row| {
        Ok(LockerRow {
            id: LockerId(row.get(0)?),
            in_service: row.get(1)?,
            retired_ms: row.get(2)?,
        })
    })
}

/// When each locker of a bank was put out of service and back, oldest first.
pub fn service_changes(
    conn: &Connection,
    bank: BankId,
) -> Result<Vec<(LockerId, i64, bool)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT locker_id, at_ms, locker_service.in_service
         FROM locker INDEXED BY locker_bank JOIN locker_service ON locker_id = locker.id
         WHERE bank_id = ?1 ORDER BY locker_id, at_ms, locker_service.id",
    )?;
    collect(statement.query([bank.0])?, |row| Ok((LockerId(row.get(0)?), row.get(1)?, row.get(2)?)))
}

const CLAIMS: &str = "SELECT held_ms, confirmed_ms FROM rental INDEXED BY rental_of_bank
    WHERE bank_id = ?1 AND held_ms >= ?2 AND held_ms < ?3 AND term_id = ?4 LIMIT ?5";

/// Holds of a bank under a term that were granted in a time: when, and when they were confirmed.
pub fn claims(
    conn: &Connection,
    (bank, term): (BankId, TermId),
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<(i64, Option<i64>)>, StoreError> {
    let mut statement = conn.prepare_cached(CLAIMS)?;
    let rows = statement.query(params![bank.0, from_ms, to_ms, term.0, most()])?;
    collect(rows, |row| Ok((row.get(0)?, row.get(1)?)))
}

const OPENINGS: &str = "SELECT requested_ms / ?4 * ?4, outcome, count(*)
    FROM opening INDEXED BY opening_requested JOIN locker ON locker.id = locker_id
    WHERE requested_ms >= ?1 AND requested_ms < ?2
      AND bank_id IN (SELECT value FROM json_each(?3)) GROUP BY 1, 2";

/// Openings of banks in a time, counted by quarter of an hour (its begin) and outcome; `None`: under way.
pub fn openings(
    conn: &Connection,
    banks: &[BankId],
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<(jiff::Timestamp, Option<Outcome>, u64)>, StoreError> {
    let mut statement = conn.prepare_cached(OPENINGS)?;
    let rows = statement.query(params![from_ms, to_ms, json(banks), QUARTER_MS])?;
    collect(rows, |row| {
        let outcome: Option<String> = row.get(1)?;
        let count: u32 = row.get(2)?;
        let outcome = outcome.as_deref().and_then(Outcome::from_name);
        Ok((instant(row.get(0)?), outcome, count.into()))
    })
}

/// Whoever rents the same locker on, or has another one in its place, has given nothing back.
const ENDED: &str = "SELECT ends_on, coalesce(returned_ms, ended_ms),
      returned_ms IS NOT NULL OR opened_ms IS NOT NULL OR EXISTS (
        SELECT 1 FROM overdue_case WHERE rental_id = rental.id AND ended_on = rental.ends_on)
    FROM rental INDEXED BY rental_over
    WHERE bank_id = ?1 AND ended_ms >= ?2 AND ended_ms < ?3 AND confirmed_ms IS NOT NULL
      AND (end_reason <> 'replaced' OR returned_ms IS NOT NULL) LIMIT ?4";

/// A rental that is over.
#[derive(Debug, Clone, Copy)]
pub struct EndedRow {
    /// Its last day.
    pub ends_on: Date,
    /// When it was given back, unix milliseconds.
    pub returned_ms: i64,
    /// Whether its member ever had the locker, as far as anything shows it: it was given back or opened,
    /// or was found to be late.
    pub was_had: bool,
}

/// Confirmed rentals of a bank that were given back, or ended otherwise, in a time.
pub fn ended(
    conn: &Connection,
    bank: BankId,
    (from_ms, to_ms): (i64, i64),
) -> Result<Vec<EndedRow>, StoreError> {
    let mut statement = conn.prepare_cached(ENDED)?;
    let rows = statement.query(params![bank.0, from_ms, to_ms, most()])?;
    collect(rows, |row| {
        Ok(EndedRow {
            ends_on: date(row, 0, "rental", "ends_on")?,
            returned_ms: row.get(1)?,
            was_had: row.get(2)?,
        })
    })
}

/// Somebody who waited for a locker.
#[derive(Debug, Clone)]
pub struct WaitRow {
    /// Its number on the list.
    pub id: i64,
    /// For a locker of this bank.
    pub bank_id: BankId,
    /// For the days of this term.
    pub term_id: TermId,
    /// Who.
    pub member_id: MemberId,
    /// Since when, unix milliseconds.
    pub since_ms: i64,
    /// Until when; `None`: still.
    pub ended_ms: Option<i64>,
    /// How it ended.
    pub end_reason: Option<String>,
}

const WAITS: &str = "SELECT id, bank_id, term_id, member_id, since_ms, ended_ms, end_reason
    FROM waiting INDEXED BY waiting_since
    WHERE since_ms >= ?1 AND since_ms < ?2 AND bank_id IN (SELECT value FROM json_each(?3))
    ORDER BY coalesce(ended_ms, ?4) - since_ms DESC, id LIMIT ?5";

/// The longest waits of banks that began in a time, the longest first; those still waiting count until
/// `now_ms`.
pub fn longest_waits(
    conn: &Connection,
    banks: &[BankId],
    (from_ms, to_ms): (i64, i64),
    now_ms: i64,
    limit: u32,
) -> Result<Vec<WaitRow>, StoreError> {
    let mut statement = conn.prepare_cached(WAITS)?;
    collect(statement.query(params![from_ms, to_ms, json(banks), now_ms, limit])?, |row| {
        Ok(WaitRow {
            id: row.get(0)?,
            bank_id: BankId(row.get(1)?),
            term_id: TermId(row.get(2)?),
            member_id: MemberId(row.get(3)?),
            since_ms: row.get(4)?,
            ended_ms: row.get(5)?,
            end_reason: row.get(6)?,
        })
    })
}

/// An overdue case with how long its things stayed in the locker.
#[derive(Debug, Clone)]
pub struct CaseRow {
    /// Its number.
    pub id: i64,
    /// Its bank.
    pub bank_id: BankId,
    /// Its locker.
    pub locker_id: LockerId,
    /// Its rental.
    pub rental_id: RentalId,
    /// When it was detected, unix milliseconds.
    pub detected_ms: i64,
    /// When staff took the things out, or the case was closed; `None`: not yet.
    pub ended_ms: Option<i64>,
    /// Where it stands.
    pub state: String,
}

const CASES: &str =
    "SELECT id, bank_id, locker_id, rental_id, detected_ms, coalesce(collected_ms, closed_ms),
           state
    FROM overdue_case INDEXED BY overdue_case_detected
    WHERE detected_ms >= ?1 AND detected_ms < ?2
      AND bank_id IN (SELECT value FROM json_each(?3))
    ORDER BY coalesce(collected_ms, closed_ms, ?4) - detected_ms DESC, id LIMIT ?5";

/// The cases of banks detected in a time that took longest until their locker was collected or the case
/// closed, the longest first; those still open count until `now_ms`.
pub fn longest_cases(
    conn: &Connection,
    banks: &[BankId],
    (from_ms, to_ms): (i64, i64),
    now_ms: i64,
    limit: u32,
) -> Result<Vec<CaseRow>, StoreError> {
    let mut statement = conn.prepare_cached(CASES)?;
    collect(statement.query(params![from_ms, to_ms, json(banks), now_ms, limit])?, |row| {
        Ok(CaseRow {
            id: row.get(0)?,
            bank_id: BankId(row.get(1)?),
            locker_id: LockerId(row.get(2)?),
            rental_id: RentalId(row.get(3)?),
            detected_ms: row.get(4)?,
            ended_ms: row.get(5)?,
            state: row.get(6)?,
        })
    })
}

fn json(banks: &[BankId]) -> String {
    let ids: Vec<String> = banks.iter().map(ToString::to_string).collect();
    format!("[{}]", ids.join(","))
}

/// One row more than may be counted tells that there are too many.
fn most() -> i64 {
    i64::try_from(ROWS_MAX).unwrap_or(i64::MAX).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::{memory_with_people, plan};

    #[test]
    fn no_figure_walks_the_whole_of_what_is_stored() {
        let conn = memory_with_people();
        for (sql, index) in [
            (STAYS_OVER, "rental_over (bank_id=? AND ended_ms>?)"),
            (STAYS_LIVE, "rental_live_locker"),
            (CLAIMS, "rental_of_bank (bank_id=? AND held_ms>? AND held_ms<?)"),
            (OPENINGS, "opening_requested (requested_ms>? AND requested_ms<?)"),
            (ENDED, "rental_over (bank_id=? AND ended_ms>? AND ended_ms<?)"),
            (WAITS, "waiting_since (since_ms>? AND since_ms<?)"),
            (CASES, "overdue_case_detected (detected_ms>? AND detected_ms<?)"),
        ] {
            let plan = plan(&conn, sql);
            assert!(plan.iter().any(|step| step.contains(index)), "{index}: {plan:?}");
            let walks = |step: &&String| step.starts_with("SCAN") && !step.contains("json_each");
            let walks: Vec<_> = plan.iter().filter(walks).collect();
            // The index of what is live holds live rows only.
            assert!(walks.iter().all(|step| step.contains("rental_live_locker")), "{plan:?}");
        }
    }
}
