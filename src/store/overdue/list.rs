//! Lists of overdue cases for staff: filtered, sorted, counted.
//!
//! A page ends at a row; the next one begins behind it in the same order. Called by
//! `service/overdue/list.rs`.

use jiff::civil::Date;
use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Serialize};

use super::super::error::StoreError;
use super::super::state::collect;
use super::{COLUMNS, CaseRow, limit, read, state};
use crate::domain::id::{BankId, MemberId, OverdueCaseId};
use crate::domain::overdue_case::CaseState;

/// In which order cases are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseOrder {
    /// The newest first.
    #[default]
    Newest,
    /// The longest late first.
    Late,
    /// By the number of the locker.
    Locker,
}

impl CaseOrder {
    /// Every order with its published name.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Newest, "newest"), (Self::Late, "late"), (Self::Locker, "locker")];
}

/// Which cases are asked for; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct CaseFilter {
    /// Only those of banks that this member of staff looks after.
    pub staff: Option<MemberId>,
    /// Those in these states; empty: in any.
    pub states: Vec<CaseState>,
    /// Of one bank.
    pub bank_id: Option<BankId>,
    /// A part of student id or name, or the number of the locker.
    pub text: Option<String>,
    /// Noticed at this time (unix milliseconds) or later.
    pub since_ms: Option<i64>,
    /// The order of the list.
    pub order: CaseOrder,
}

/// The last row of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseEnd {
    /// In which order it was.
    pub order: CaseOrder,
    /// The last day that was missed.
    pub ended_on: Date,
    /// The locker.
    pub locker_id: i64,
    /// The case.
    pub id: i64,
}

/// A case with who is late.
#[derive(Debug, Clone)]
pub struct ListedCase {
    /// The case.
    pub case: CaseRow,
    /// Student id and name; `None` when they have left since.
    pub member: Option<(String, String)>,
    /// How many things were found.
    pub items: u32,
    /// Whether the locker was given back and is not free yet.
    pub returning: bool,
}

impl ListedCase {
    /// Where a page that ends with this case ends.
    #[must_use]
    pub const fn end(&self, order: CaseOrder) -> CaseEnd {
        let CaseRow { id, ended_on, locker_id, .. } = self.case;
        CaseEnd { order, ended_on, locker_id: locker_id.0, id: id.0 }
    }
}

/// Behind the columns of the case: who is late, how much was found, whether it was given back.
const MORE: &str = "student_id, name, left_ms IS NULL,
    (SELECT count(*) FROM overdue_item WHERE case_id = overdue_case.id), rental.state = 'returned'";

const JOINED: &str = "FROM overdue_case JOIN member ON member.id = overdue_case.member_id
    JOIN rental ON rental.id = rental_id";

const FOUND: &str = "WHERE (?1 IS NULL
      OR overdue_case.bank_id IN (SELECT bank_id FROM bank_staff WHERE bank_staff.member_id = ?1))
    AND (?2 IS NULL OR overdue_case.bank_id = ?2)
    AND (?3 IS NULL OR CAST(overdue_case.locker_id AS TEXT) = ?3
      OR (left_ms IS NULL AND (instr(lower(student_id), lower(?3)) > 0
        OR instr(lower(name), lower(?3)) > 0)))
    AND (?4 IS NULL OR detected_ms >= ?4)";

/// One page of cases, at most `most`, those behind `after`.
pub fn list(
    conn: &Connection,
    filter: &CaseFilter,
    after: Option<CaseEnd>,
    most: usize,
) -> Result<Vec<ListedCase>, StoreError> {
    let (behind, order) = match filter.order {
        CaseOrder::Newest => ("overdue_case.id < ?6", "overdue_case.id DESC"),
        CaseOrder::Late => ("(ended_on, overdue_case.id) > (?7, ?6)", "ended_on, overdue_case.id"),
        CaseOrder::Locker => (
            "(overdue_case.locker_id, overdue_case.id) > (?8, ?6)",
            "overdue_case.locker_id, overdue_case.id",
        ),
    };
    let sql = format!(
        "SELECT {COLUMNS}, {MORE} {JOINED} {FOUND}
           AND (?5 = '[]' OR overdue_case.state IN (SELECT value FROM json_each(?5)))
           AND (?6 IS NULL OR {behind})
         ORDER BY {order} LIMIT ?9"
    );
    let states: Vec<&str> = filter.states.iter().map(|state| state.name()).collect();
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query(params![
        filter.staff.map(|id| id.0),
        filter.bank_id.map(|id| id.0),
        filter.text,
        filter.since_ms,
        serde_json::json!(states).to_string(),
        after.map(|end| end.id),
        after.map(|end| end.ended_on.to_string()),
        after.map(|end| end.locker_id),
        limit(most)
    ])?;
    collect(rows, listed)
}

/// One case.
pub fn find(conn: &Connection, id: OverdueCaseId) -> Result<Option<ListedCase>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, {MORE} {JOINED} WHERE overdue_case.id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(listed).transpose()
}

/// How many cases of a filter stand where, whatever states it asks for.
pub fn counts(conn: &Connection, filter: &CaseFilter) -> Result<Vec<(CaseState, u32)>, StoreError> {
    let sql = format!("SELECT overdue_case.state, count(*) {JOINED} {FOUND} GROUP BY 1");
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query(params![
        filter.staff.map(|id| id.0),
        filter.bank_id.map(|id| id.0),
        filter.text,
        filter.since_ms
    ])?;
    collect(rows, |row| Ok((state(row, 0, "overdue_case")?, row.get(1)?)))
}

fn listed(row: &Row<'_>) -> Result<ListedCase, StoreError> {
    let here: bool = row.get(18)?;
    let person = (row.get(16)?, row.get(17)?);
    Ok(ListedCase {
        case: read(row)?,
        member: here.then_some(person),
        items: row.get(19)?,
        returning: row.get(20)?,
    })
}
