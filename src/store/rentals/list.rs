//! Pages of rentals for staff, live ones and the whole history: filtered, in an order.
//!
//! What is live, of one locker or of one member is few and found by its own index, in every order. The
//! history is walked by number, the newest first, and of it only [`SEARCH_MAX`] rows are looked at for
//! one page: a page may be short and still not the last. A page begins where the one before ended, so
//! that nothing is missed or doubled while rentals come and go.

use jiff::civil::Date;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};
use serde::{Deserialize, Serialize};

use super::super::error::StoreError;
use super::super::state::collect;
use super::span;
use crate::domain::id::{BankId, LockerId, MemberId, RentalId, TermId};
use crate::domain::time::DateSpan;

/// Most rows of the history that one page looks at: a filter that fits nothing must not keep a
/// connection.
pub const SEARCH_MAX: i64 = 50_000;

/// Rows read at once when all are shown: memory stays small.
const VISIT_SLICE: usize = 1_000;

/// In which order rentals are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RentalOrder {
    /// The newest first.
    #[default]
    Newest,
    /// By their last day, the earliest first.
    EndsOn,
    /// By locker; reservations without one first.
    Locker,
}

impl RentalOrder {
    /// Every order with its published name.
    pub const ALL: [(Self, &'static str); 3] =
        [(Self::Newest, "newest"), (Self::EndsOn, "ends_on"), (Self::Locker, "locker")];

    const fn key(self) -> &'static str {
        match self {
            Self::Newest => "rental.id",
            Self::EndsOn => "ends_on",
            Self::Locker => "coalesce(locker_id, 0)",
        }
    }
}

/// Where a rental stands, as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoredState {
    /// Waits for its day, bound to no locker.
    Reserved,
    /// Kept until it is confirmed.
    Held,
    /// Confirmed.
    Active,
    /// Given back; its locker was not emptied yet.
    Returned,
    /// Over.
    Ended,
}

impl StoredState {
    /// Every state; the database's CHECK lists the same names.
    pub const ALL: [Self; 5] =
        [Self::Reserved, Self::Held, Self::Active, Self::Returned, Self::Ended];

    /// The stored and published name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Held => "held",
            Self::Active => "active",
            Self::Returned => "returned",
            Self::Ended => "ended",
        }
    }

    /// Finds a state by its stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// Which rentals are listed; what is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct RentalFilter {
    /// Of these banks.
    pub banks: Option<Vec<BankId>>,
    /// In one state.
    pub state: Option<StoredState>,
    /// Only those that are not over.
    pub live: bool,
    /// Of one locker.
    pub locker: Option<LockerId>,
    /// Of one member.
    pub member: Option<MemberId>,
    /// A part of the member's student id or name.
    pub text: Option<String>,
    /// Granted by one term.
    pub term: Option<TermId>,
    /// With a day at or after this one.
    pub from: Option<Date>,
    /// With a day at or before this one.
    pub to: Option<Date>,
    /// Active ones whose last day was before this one: who is late.
    pub late_on: Option<Date>,
    /// In which order.
    pub order: RentalOrder,
}

impl RentalFilter {
    /// Whether only rentals that are not over are asked for.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let of_state = self.state.is_some_and(|state| state != StoredState::Ended);
        self.live || self.late_on.is_some() || of_state
    }

    /// Whether the whole history may have to be walked: then only the newest come first.
    #[must_use]
    pub fn walks_history(&self) -> bool {
        !self.is_live() && self.locker.is_none() && self.member.is_none()
    }

    /// Values for the numbered parameters of [`CONDITION`].
    fn values(&self) -> Vec<Value> {
        let banks = self.banks.as_ref().map(|banks| {
            let ids: Vec<String> = banks.iter().map(ToString::to_string).collect();
            format!("[{}]", ids.join(","))
        });
        let day = |day: Option<Date>| Value::from(day.map(|day| day.to_string()));
        vec![
            banks.into(),
            self.state.map(|state| state.name().to_owned()).into(),
            i64::from(self.is_live()).into(),
            self.locker.map(|id| id.0).into(),
            self.member.map(|id| id.0).into(),
            self.text.as_deref().map(containing).into(),
            self.term.map(|id| id.0).into(),
            day(self.from),
            day(self.to),
            day(self.late_on),
        ]
    }
}

/// What every row must fit; its parameters are [`RentalFilter::values`].
const CONDITION: &str = "(?1 IS NULL OR bank_id IN (SELECT value FROM json_each(?1)))
    AND (?2 IS NULL OR state = ?2) AND (?3 = 0 OR ended_ms IS NULL)
    AND (?4 IS NULL OR locker_id = ?4) AND (?5 IS NULL OR member_id = ?5)
    AND (?6 IS NULL OR (member.left_ms IS NULL
      AND (student_id LIKE ?6 ESCAPE '!' OR name LIKE ?6 ESCAPE '!')))
    AND (?7 IS NULL OR term_id = ?7) AND (?8 IS NULL OR ends_on >= ?8)
    AND (?9 IS NULL OR starts_on <= ?9)
    AND (?10 IS NULL OR (state = 'active' AND ends_on < ?10))";

const COLUMNS: &str = "SELECT rental.id, bank_id, locker_id, member_id,
    iif(member.left_ms IS NULL, student_id, NULL), iif(member.left_ms IS NULL, name, NULL), term_id,
    state, starts_on, ends_on, held_ms, confirmed_ms, opened_ms, returned_ms, ended_ms, end_reason,
    extensions, follows_id";

/// A rental as it is stored, with whose it is. Times are unix milliseconds.
#[derive(Debug, Clone)]
pub struct RentalRow {
    /// Its number.
    pub id: RentalId,
    /// Its bank.
    pub bank_id: BankId,
    /// Its locker; `None` while it is reserved, or when it ended so.
    pub locker_id: Option<LockerId>,
    /// Whose it is.
    pub member_id: MemberId,
    /// Their student id and name; `None` when they have left since.
    pub member: Option<(String, String)>,
    /// The term that granted it.
    pub term_id: Option<TermId>,
    /// Where it stands.
    pub state: StoredState,
    /// From which day to which day.
    pub dates: DateSpan,
    /// When it was held, reserved or assigned.
    pub held_ms: i64,
    /// When it was confirmed or checked in.
    pub confirmed_ms: Option<i64>,
    /// When its door was first opened, or may have been.
    pub opened_ms: Option<i64>,
    /// When it was given back.
    pub returned_ms: Option<i64>,
    /// When it was over.
    pub ended_ms: Option<i64>,
    /// Why it is over.
    pub end_reason: Option<String>,
    /// How often it was extended.
    pub extensions: u16,
    /// The rental in whose place it came.
    pub follows: Option<RentalId>,
}

/// Where a page ended: what it was ordered by, and which row it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum PageEnd {
    /// The newest first, or by locker.
    Number(i64, i64),
    /// By a day.
    Day(String, i64),
}

impl PageEnd {
    fn of(row: &RentalRow, order: RentalOrder) -> Self {
        match order {
            RentalOrder::Newest => Self::Number(row.id.0, row.id.0),
            RentalOrder::EndsOn => Self::Day(row.dates.last().to_string(), row.id.0),
            RentalOrder::Locker => Self::Number(row.locker_id.map_or(0, |id| id.0), row.id.0),
        }
    }

    /// Whether a page in this order can end like this.
    #[must_use]
    pub fn fits(&self, order: RentalOrder) -> bool {
        matches!(self, Self::Day(..)) == (order == RentalOrder::EndsOn)
    }

    const fn id(&self) -> i64 {
        match self {
            Self::Number(_, id) | Self::Day(_, id) => *id,
        }
    }

    fn into_values(self) -> [Value; 2] {
        match self {
            Self::Number(key, id) => [key.into(), id.into()],
            Self::Day(key, id) => [key.into(), id.into()],
        }
    }
}

/// Rows that were found, and where the next page begins.
#[derive(Debug, Clone)]
pub struct Found {
    /// In the order asked for.
    pub rows: Vec<RentalRow>,
    /// Where to go on; `None` when nothing is left to be looked at.
    pub reached: Option<PageEnd>,
}

/// A page of at most `limit` rentals behind the end of another. The history is listed the newest first
/// whatever the filter's order.
pub fn list(
    conn: &Connection,
    filter: &RentalFilter,
    after: Option<PageEnd>,
    limit: usize,
) -> Result<Found, StoreError> {
    if filter.walks_history() {
        return walk(conn, filter, after.map_or(i64::MAX, |end| end.id()), limit);
    }
    let order = filter.order;
    let mut values = filter.values();
    values.push(number(limit + 1));
    let (beyond, direction) = direction(order);
    let behind = match after {
        Some(end) => {
            values.extend(end.into_values());
            format!("AND ({}, rental.id) {beyond} (?12, ?13)", order.key())
        }
        None => String::new(),
    };
    let sql = few_sql(filter, &behind, direction);
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = collect(statement.query(params_from_iter(values))?, read)?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let reached = rows.last().filter(|_| more).map(|row| PageEnd::of(row, order));
    Ok(Found { rows, reached })
}

fn few_sql(filter: &RentalFilter, behind: &str, direction: &str) -> String {
    format!(
        "{COLUMNS} FROM rental INDEXED BY {} JOIN member ON member.id = member_id
         WHERE {} {CONDITION} {behind}
         ORDER BY {} {direction}, rental.id {direction} LIMIT ?11",
        index(filter),
        only(filter),
        filter.order.key()
    )
}

/// The index by which few rows are found.
const fn index(filter: &RentalFilter) -> &'static str {
    match (filter.locker, filter.member) {
        (Some(_), _) => "rental_of_locker",
        (None, Some(_)) => "rental_of_member",
        (None, None) => "rental_live_ends",
    }
}

/// What lets SQLite use that index.
const fn only(filter: &RentalFilter) -> &'static str {
    match (filter.locker, filter.member) {
        (Some(_), _) => "locker_id = ?4 AND",
        (None, Some(_)) => "member_id = ?5 AND",
        (None, None) => "ended_ms IS NULL AND",
    }
}

fn direction(order: RentalOrder) -> (&'static str, &'static str) {
    if order == RentalOrder::Newest { ("<", "DESC") } else { (">", "ASC") }
}

/// The history before a row, the newest first.
fn walk(
    conn: &Connection,
    filter: &RentalFilter,
    before: i64,
    limit: usize,
) -> Result<Found, StoreError> {
    let mut values = filter.values();
    values.extend([number(limit), before.into(), SEARCH_MAX.into()]);
    let mut statement = conn.prepare_cached(&walk_sql())?;
    let rows = collect(statement.query(params_from_iter(values))?, read)?;
    // A whole page ends at its last row, a short one at the last row that was looked at.
    let reached = if rows.len() == limit {
        rows.last().map(|row| row.id.0)
    } else {
        let sql = "SELECT id FROM rental WHERE id < ?1 ORDER BY id DESC LIMIT 2 OFFSET ?2";
        let mut statement = conn.prepare_cached(sql)?;
        let last = collect(statement.query([before, SEARCH_MAX - 1])?, |row| Ok(row.get(0)?))?;
        if last.len() == 2 { last.first().copied() } else { None }
    };
    Ok(Found { rows, reached: reached.map(|id| PageEnd::Number(id, id)) })
}

fn walk_sql() -> String {
    format!(
        "{COLUMNS} FROM (SELECT * FROM rental WHERE id < ?12 ORDER BY id DESC LIMIT ?13) AS rental
         JOIN member ON member.id = member_id
         WHERE {CONDITION} ORDER BY rental.id DESC LIMIT ?11"
    )
}

/// Shows at most `most` rentals that a filter finds, one after the other; says how many.
pub fn visit(
    conn: &Connection,
    filter: &RentalFilter,
    most: usize,
    mut see: impl FnMut(&RentalRow),
) -> Result<usize, StoreError> {
    let (mut seen, mut after) = (0, None);
    while seen < most {
        let found = list(conn, filter, after.take(), VISIT_SLICE.min(most - seen))?;
        found.rows.iter().for_each(&mut see);
        seen += found.rows.len();
        match found.reached {
            Some(end) => after = Some(end),
            None => break,
        }
    }
    Ok(seen)
}

/// Finds a rental, live or over.
pub fn find(conn: &Connection, id: RentalId) -> Result<Option<RentalRow>, StoreError> {
    let sql =
        format!("{COLUMNS} FROM rental JOIN member ON member.id = member_id WHERE rental.id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    Ok(collect(statement.query([id.0])?, read)?.pop())
}

fn number(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}

/// A LIKE pattern that finds `text` anywhere, its own wildcards taken literally.
fn containing(text: &str) -> String {
    let mut pattern = "%".to_owned();
    for c in text.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + "%"
}

fn read(row: &Row<'_>) -> Result<RentalRow, StoreError> {
    let (student_id, name): (Option<String>, Option<String>) = (row.get(4)?, row.get(5)?);
    let state: String = row.get(7)?;
    Ok(RentalRow {
        id: RentalId(row.get(0)?),
        bank_id: BankId(row.get(1)?),
        locker_id: row.get::<_, Option<i64>>(2)?.map(LockerId),
        member_id: MemberId(row.get(3)?),
        member: student_id.zip(name),
        term_id: row.get::<_, Option<i64>>(6)?.map(TermId),
        state: StoredState::from_name(&state).ok_or(StoreError::Inconsistent {
            table: "rental",
            column: "state",
            value: state,
        })?,
        dates: span(row, 8)?,
        held_ms: row.get(10)?,
        confirmed_ms: row.get(11)?,
        opened_ms: row.get(12)?,
        returned_ms: row.get(13)?,
        ended_ms: row.get(14)?,
        end_reason: row.get(15)?,
        extensions: row.get(16)?,
        follows: row.get::<_, Option<i64>>(17)?.map(RentalId),
    })
}

#[cfg(test)]
mod tests;
