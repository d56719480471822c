//! Everything that happened to one locker or with one member, as one line of time, the newest first.
//!
//! What happened stands in several tables; a page first merges their times and numbers, then reads its own
//! few entries. All are found by the indexes of their locker or member. Read only.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::error::StoreError;
use super::rentals::list::{self, RentalRow};
use super::state::collect;
use crate::domain::id::{LockerId, MemberId, RentalId};

/// Where an entry stands in its line of time: when it was (unix milliseconds), of which kind, its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark(pub i64, pub u8, pub i64);

/// A person whom an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their number.
    pub id: MemberId,
    /// Their name; `None` when they have left since.
    pub name: Option<String>,
}

/// A rental that was not returned in time.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its number.
    pub id: i64,
    /// The rental.
    pub rental_id: RentalId,
    /// The locker.
    pub locker_id: LockerId,
    /// Where it stands.
    pub state: String,
    /// The last day that was missed.
    pub ended_on: String,
    /// When its things were taken out by staff, unix milliseconds; so are the others.
    pub collected_ms: Option<i64>,
    /// When they were handed back.
    pub handed_back_ms: Option<i64>,
    /// When nothing more was to be done.
    pub closed_ms: Option<i64>,
    /// How many days late the locker was emptied.
    pub late_days: Option<i64>,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum What {
    /// A hold, rental or reservation began; with how many openings of its locker are on record.
    Rental(Box<RentalRow>, u32),
    /// A locker was taken out of service or put back.
    Service {
        /// Whether it is lent from then on.
        in_service: bool,
        /// Why.
        reason: String,
        /// Who did it; `None` for the command line and for imports.
        by: Option<Person>,
    },
    /// Staff wrote something about a locker.
    Note {
        /// The note's number.
        id: i64,
        /// The words.
        text: String,
        /// Who wrote it.
        by: Person,
    },
    /// A step of an overdue case.
    Step {
        /// Of which case.
        case_id: i64,
        /// Of which rental.
        rental_id: RentalId,
        /// Where the case stood from then on.
        state: String,
        /// Why, where staff went another way than the usual one.
        reason: Option<String>,
        /// Who; `None`: by itself.
        by: Option<Person>,
    },
    /// An overdue case began.
    Case(Case),
    /// Days on which the member may claim nothing were given.
    Penalty {
        /// The first.
        first_on: String,
        /// The last.
        last_on: String,
        /// When staff took it back.
        waived_ms: Option<i64>,
    },
}

/// An entry of a history.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it stands.
    pub mark: Mark,
    /// What happened.
    pub what: What,
}

const RENTAL: u8 = 0;
const SERVICE: u8 = 1;
const NOTE: u8 = 2;
const STEP: u8 = 3;
const CASE: u8 = 4;
const PENALTY: u8 = 5;

/// What happened to a locker; `?1`.
const OF_LOCKER: &str = "
    SELECT held_ms AS at_ms, 0 AS kind, id FROM rental INDEXED BY rental_of_locker WHERE locker_id = ?1
    UNION ALL SELECT at_ms, 1, id FROM locker_service WHERE locker_id = ?1
    UNION ALL SELECT at_ms, 2, id FROM locker_note WHERE locker_id = ?1
    UNION ALL SELECT overdue_step.at_ms, 3, overdue_step.id FROM overdue_case
      JOIN overdue_step ON case_id = overdue_case.id WHERE locker_id = ?1";

/// What happened with a member; `?1`.
const OF_MEMBER: &str = "
    SELECT held_ms AS at_ms, 0 AS kind, id FROM rental INDEXED BY rental_of_member WHERE member_id = ?1
    UNION ALL SELECT detected_ms, 4, id FROM overdue_case WHERE member_id = ?1
    UNION ALL SELECT made_ms, 5, id FROM penalty WHERE member_id = ?1";

/// What happened to a locker, the newest first, before a mark.
pub fn of_locker(
    conn: &Connection,
    id: LockerId,
    before: Option<Mark>,
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    page(conn, OF_LOCKER, id.0, before, limit)
}

/// What happened with a member, the newest first, before a mark.
pub fn of_member(
    conn: &Connection,
    id: MemberId,
    before: Option<Mark>,
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    page(conn, OF_MEMBER, id.0, before, limit)
}

fn page(
    conn: &Connection,
    all: &str,
    subject: i64,
    before: Option<Mark>,
    limit: usize,
) -> Result<Vec<Entry>, StoreError> {
    let before = before.unwrap_or(Mark(i64::MAX, u8::MAX, i64::MAX));
    let sql = format!(
        "SELECT at_ms, kind, id FROM ({all}) WHERE (at_ms, kind, id) < (?2, ?3, ?4)
         ORDER BY at_ms DESC, kind DESC, id DESC LIMIT ?5"
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query(params![subject, before.0, before.1, before.2, limit])?;
    let marks = collect(rows, |row| Ok(Mark(row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let mut entries = Vec::with_capacity(marks.len());
    for mark in marks {
        let what = match mark.1 {
            RENTAL => rental(conn, RentalId(mark.2))?,
            SERVICE => one(conn, SERVICE_SQL, mark.2, service)?,
            NOTE => one(conn, NOTE_SQL, mark.2, note)?,
            STEP => one(conn, STEP_SQL, mark.2, step)?,
            CASE => one(conn, CASE_SQL, mark.2, case)?,
            PENALTY => one(conn, PENALTY_SQL, mark.2, penalty)?,
            _ => None,
        };
        entries.extend(what.map(|what| Entry { mark, what }));
    }
    Ok(entries)
}

fn one(
    conn: &Connection,
    sql: &str,
    id: i64,
    read: fn(&Row<'_>) -> rusqlite::Result<What>,
) -> Result<Option<What>, StoreError> {
    Ok(conn.prepare_cached(sql)?.query_row([id], read).optional()?)
}

fn rental(conn: &Connection, id: RentalId) -> Result<Option<What>, StoreError> {
    let Some(row) = list::find(conn, id)? else { return Ok(None) };
    let openings = match (row.locker_id, row.confirmed_ms) {
        (Some(locker), Some(from)) => conn
            .prepare_cached(
                "SELECT count(*) FROM opening INDEXED BY opening_locker
                 WHERE locker_id = ?1 AND requested_ms BETWEEN ?2 AND ?3",
            )?
            .query_row(params![locker.0, from, row.ended_ms.unwrap_or(i64::MAX)], |row| {
                row.get(0)
            })?,
        _ => 0,
    };
    Ok(Some(What::Rental(Box::new(row), openings)))
}

const SERVICE_SQL: &str = "SELECT in_service, reason, member_id, iif(left_ms IS NULL, name, NULL)
    FROM locker_service LEFT JOIN member ON member.id = member_id WHERE locker_service.id = ?1";

fn service(row: &Row<'_>) -> rusqlite::Result<What> {
    Ok(What::Service { in_service: row.get(0)?, reason: row.get(1)?, by: person(row, 2)? })
}

const NOTE_SQL: &str = "SELECT locker_note.id, text, member_id, iif(left_ms IS NULL, name, NULL)
    FROM locker_note JOIN member ON member.id = member_id WHERE locker_note.id = ?1";

fn note(row: &Row<'_>) -> rusqlite::Result<What> {
    let by = Person { id: MemberId(row.get(2)?), name: row.get(3)? };
    Ok(What::Note { id: row.get(0)?, text: row.get(1)?, by })
}

const STEP_SQL: &str = "SELECT case_id, rental_id, overdue_step.state, reason, actor_id,
      iif(left_ms IS NULL, name, NULL)
    FROM overdue_step JOIN overdue_case ON overdue_case.id = case_id
    LEFT JOIN member ON member.id = actor_id WHERE overdue_step.id = ?1";

fn step(row: &Row<'_>) -> rusqlite::Result<What> {
    Ok(What::Step {
        case_id: row.get(0)?,
        rental_id: RentalId(row.get(1)?),
        state: row.get(2)?,
        reason: row.get(3)?,
        by: person(row, 4)?,
    })
}

const CASE_SQL: &str = "SELECT id, rental_id, locker_id, state, ended_on, collected_ms,
    handed_back_ms, closed_ms, late_days FROM overdue_case WHERE id = ?1";

fn case(row: &Row<'_>) -> rusqlite::Result<What> {
    Ok(What::Case(Case {
        id: row.get(0)?,
        rental_id: RentalId(row.get(1)?),
        locker_id: LockerId(row.get(2)?),
        state: row.get(3)?,
        ended_on: row.get(4)?,
        collected_ms: row.get(5)?,
        handed_back_ms: row.get(6)?,
        closed_ms: row.get(7)?,
        late_days: row.get(8)?,
    }))
}

const PENALTY_SQL: &str = "SELECT first_on, last_on, waived_ms FROM penalty WHERE id = ?1";

fn penalty(row: &Row<'_>) -> rusqlite::Result<What> {
    Ok(What::Penalty { first_on: row.get(0)?, last_on: row.get(1)?, waived_ms: row.get(2)? })
}

/// A person from a column with their number, and the name after it.
fn person(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Person>> {
    let id: Option<i64> = row.get(index)?;
    let name = row.get(index + 1)?;
    Ok(id.map(|id| Person { id: MemberId(id), name }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::{memory_with_people, whole_tables};

    fn eventful() -> Connection {
        let conn = memory_with_people();
        conn.execute_batch(
            "INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on,
               held_ms, confirmed_ms, ended_ms, end_reason)
             VALUES (1, 1, 101, 1, 1, 'ended', '2026-01-01', '2026-01-09', 10, 11, 90, 'collected'),
                    (2, 1, 102, 1, 1, 'ended', '2026-02-01', '2026-02-02', 30, 31, 95, 'returned');
             INSERT INTO locker_service (locker_id, at_ms, in_service, reason) VALUES
               (101, 30, 0, 'hinge'), (101, 40, 1, 'mended');
             INSERT INTO locker_note (locker_id, at_ms, member_id, text) VALUES (101, 30, 2, 'squeaks');
             INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, outcome) VALUES
               ('01900000-0000-7000-8000-000000000001', 101, 1, 'renter', 20, 'opened'),
               ('01900000-0000-7000-8000-000000000002', 101, 1, 'renter', 91, 'opened');
             INSERT INTO overdue_case (id, rental_id, bank_id, locker_id, member_id, ended_on, state,
               detected_ms) VALUES (1, 1, 1, 101, 1, '2026-01-09', 'sealed', 50);
             INSERT INTO overdue_step (case_id, state, at_ms, actor_id) VALUES
               (1, 'detected', 50, NULL), (1, 'sealed', 60, 2);
             INSERT INTO penalty (member_id, case_id, first_on, last_on, made_ms)
               VALUES (1, 1, '2026-01-20', '2026-01-25', 70);",
        )
        .expect("stored");
        conn
    }

    type Pages<'a> = &'a dyn Fn(Option<Mark>, usize) -> Vec<Entry>;

    /// The marks of all pages of a size.
    fn walk(pages: Pages<'_>, limit: usize) -> Vec<(i64, u8)> {
        let (mut marks, mut before) = (Vec::new(), None);
        loop {
            let page = pages(before, limit);
            marks.extend(page.iter().map(|entry| (entry.mark.0, entry.mark.1)));
            match page.last() {
                Some(last) => before = Some(last.mark),
                None => return marks,
            }
        }
    }

    #[test]
    fn a_history_is_one_line_of_time_on_pages_of_any_size() {
        let conn = eventful();
        let locker =
            |before, limit| of_locker(&conn, LockerId(101), before, limit).expect("readable");
        let member =
            |before, limit| of_member(&conn, MemberId(1), before, limit).expect("readable");
        for limit in 1..=9 {
            let expected =
                [(60, STEP), (50, STEP), (40, SERVICE), (30, NOTE), (30, SERVICE), (10, RENTAL)];
            assert_eq!(walk(&locker, limit), expected);
            let expected = [(70, PENALTY), (50, CASE), (30, RENTAL), (10, RENTAL)];
            assert_eq!(walk(&member, limit), expected);
        }
        assert!(of_locker(&conn, LockerId(102), None, 9).expect("readable").len() == 1);
        let oldest = locker(None, 9).pop().expect("the rental");
        assert!(matches!(oldest.what, What::Rental(row, 1) if row.id == RentalId(1)));
    }

    #[test]
    fn each_part_is_found_by_an_index() {
        let conn = eventful();
        for sql in [OF_LOCKER, OF_MEMBER] {
            assert_eq!(whole_tables(&conn, sql), Vec::<String>::new());
        }
    }
}
