//! Penalties: days on which a member may claim nothing, after a late return.
//!
//! Made and taken back by the jobs of `service/penalties.rs`; the published state knows the last
//! day of each member, so that a claim asks nothing here. Rows are forgotten by `retention.rs`.

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::state::{collect, date};
use crate::domain::id::{BankId, LockerId, MemberId, OverdueCaseId, PenaltyId};

/// A penalty before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewPenalty {
    /// Who.
    pub member_id: MemberId,
    /// After which overdue case.
    pub case_id: OverdueCaseId,
    /// Its first day.
    pub first_on: Date,
    /// Its last day, included.
    pub last_on: Date,
}

/// A penalty with what it is for.
#[derive(Debug, Clone)]
pub struct PenaltyRow {
    /// Its number.
    pub id: PenaltyId,
    /// Who.
    pub member_id: MemberId,
    /// Student id and name; `None` when they have left since.
    pub member: Option<(String, String)>,
    /// The overdue case.
    pub case_id: OverdueCaseId,
    /// The locker that was late.
    pub locker_id: LockerId,
    /// Its bank.
    pub bank_id: BankId,
    /// How many days late it was.
    pub late_days: u32,
    /// Its first day.
    pub first_on: Date,
    /// Its last day, included.
    pub last_on: Date,
    /// When it was made, unix milliseconds.
    pub made_ms: i64,
    /// When staff took it back, who and why.
    pub waived: Option<(i64, MemberId, String)>,
}

/// Which penalties are listed, newest first; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct PenaltyFilter {
    /// Only those of banks that this member of staff looks after.
    pub staff: Option<MemberId>,
    /// Of one member.
    pub member_id: Option<MemberId>,
    /// Of one bank.
    pub bank_id: Option<BankId>,
    /// In force on this day.
    pub live_on: Option<Date>,
    /// A part of student id or name.
    pub text: Option<String>,
    /// Older than this one: where the page before ended.
    pub before: Option<PenaltyId>,
    /// Most rows.
    pub limit: usize,
}

/// Stores a new penalty.
pub fn insert(conn: &Connection, new: &NewPenalty, now_ms: i64) -> Result<PenaltyId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO penalty (member_id, case_id, first_on, last_on, made_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        new.member_id.0,
        new.case_id.0,
        new.first_on.to_string(),
        new.last_on.to_string(),
        now_ms
    ])?;
    Ok(PenaltyId(conn.last_insert_rowid()))
}

/// Takes a penalty back; false when that was done before.
pub fn update_waived(
    conn: &Connection,
    id: PenaltyId,
    by: MemberId,
    reason: &str,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE penalty SET waived_ms = ?2, waived_by = ?3, waived_reason = ?4
             WHERE id = ?1 AND waived_ms IS NULL",
        )?
        .execute(params![id.0, now_ms, by.0, reason])?;
    Ok(changed == 1)
}

/// The last day of all penalties of a member that were not taken back.
pub fn last_day(conn: &Connection, member: MemberId) -> Result<Option<Date>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT max(last_on) FROM penalty WHERE member_id = ?1 AND waived_ms IS NULL
         HAVING max(last_on) IS NOT NULL",
    )?;
    let mut rows = statement.query([member.0])?;
    rows.next()?.map(|row| date(row, 0, "penalty", "last_on")).transpose()
}

/// The last day of the penalties of each member who has any that was not taken back.
pub(super) fn list_last_days(conn: &Connection) -> Result<Vec<(MemberId, Date)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT member_id, max(last_on) FROM penalty WHERE waived_ms IS NULL GROUP BY member_id",
    )?;
    collect(statement.query([])?, |row| {
        Ok((MemberId(row.get(0)?), date(row, 1, "penalty", "last_on")?))
    })
}

const COLUMNS: &str = "SELECT penalty.id, penalty.member_id, student_id, name, penalty.case_id,
    locker_id, bank_id, coalesce(late_days, 0), first_on, last_on, made_ms, waived_ms, waived_by,
    waived_reason, left_ms IS NULL
  FROM penalty JOIN overdue_case ON overdue_case.id = penalty.case_id
    JOIN member ON member.id = penalty.member_id";

/// Finds a penalty.
pub fn find(conn: &Connection, id: PenaltyId) -> Result<Option<PenaltyRow>, StoreError> {
    let sql = format!("{COLUMNS} WHERE penalty.id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(read).transpose()
}

/// The penalty that a case led to.
pub fn find_by_case(
    conn: &Connection,
    case: OverdueCaseId,
) -> Result<Option<PenaltyRow>, StoreError> {
    let found = conn
        .prepare_cached("SELECT id FROM penalty WHERE case_id = ?1")?
        .query_row([case.0], |row| row.get(0))
        .optional()?;
    found.map_or(Ok(None), |id| find(conn, PenaltyId(id)))
}

/// One page of penalties, newest first.
pub fn list(conn: &Connection, filter: &PenaltyFilter) -> Result<Vec<PenaltyRow>, StoreError> {
    let sql = format!(
        "{COLUMNS}
         WHERE (?1 IS NULL OR bank_id IN (SELECT bank_id FROM bank_staff WHERE member_id = ?1))
           AND (?2 IS NULL OR penalty.member_id = ?2)
           AND (?3 IS NULL OR bank_id = ?3)
           AND (?4 IS NULL OR (last_on >= ?4 AND waived_ms IS NULL))
           AND (?5 IS NULL OR (left_ms IS NULL
             AND (instr(lower(student_id), lower(?5)) > 0 OR instr(lower(name), lower(?5)) > 0)))
           AND (?6 IS NULL OR penalty.id < ?6)
         ORDER BY penalty.id DESC LIMIT ?7"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query(params![
        filter.staff.map(|id| id.0),
        filter.member_id.map(|id| id.0),
        filter.bank_id.map(|id| id.0),
        filter.live_on.map(|day| day.to_string()),
        filter.text,
        filter.before.map(|id| id.0),
        i64::try_from(filter.limit).unwrap_or(i64::MAX),
    ])?;
    collect(rows, read)
}

fn read(row: &Row<'_>) -> Result<PenaltyRow, StoreError> {
    let here: bool = row.get(14)?;
    let person = (row.get(2)?, row.get(3)?);
    let waived: Option<(i64, MemberId, String)> = match row.get::<_, Option<i64>>(11)? {
        Some(at_ms) => Some((at_ms, MemberId(row.get(12)?), row.get(13)?)),
        None => None,
    };
    Ok(PenaltyRow {
        id: PenaltyId(row.get(0)?),
        member_id: MemberId(row.get(1)?),
        member: here.then_some(person),
        case_id: OverdueCaseId(row.get(4)?),
        locker_id: LockerId(row.get(5)?),
        bank_id: BankId(row.get(6)?),
        late_days: row.get(7)?,
        first_on: date(row, 8, "penalty", "first_on")?,
        last_on: date(row, 9, "penalty", "last_on")?,
        made_ms: row.get(10)?,
        waived,
    })
}
