//! Overdue cases with their steps and what was found, and which rentals are due for one.
//!
//! Which step may follow which is decided in `domain/overdue_case.rs`; the schema allows one case for
//! each last day that was missed. Called by the jobs of `service/overdue.rs`.

use jiff::civil::Date;
use rusqlite::{Connection, Row, params};

use super::error::StoreError;
use super::state::{collect, date};
use crate::domain::id::{BankId, LockerId, MemberId, OverdueCaseId, RentalId};
use crate::domain::overdue_case::CaseState;

pub mod list;

/// Most steps of one case that are read: sealing and unsealing may go on.
pub const STEPS_MAX: usize = 200;

/// A case before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewCase {
    /// The rental that is late.
    pub rental_id: RentalId,
    /// Its bank.
    pub bank_id: BankId,
    /// Its locker.
    pub locker_id: LockerId,
    /// Its member.
    pub member_id: MemberId,
    /// The last day that was missed.
    pub ended_on: Date,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    /// Its number.
    pub id: OverdueCaseId,
    /// The rental that is late.
    pub rental_id: RentalId,
    /// Its bank.
    pub bank_id: BankId,
    /// Its locker.
    pub locker_id: LockerId,
    /// Its member.
    pub member_id: MemberId,
    /// The last day that was missed.
    pub ended_on: Date,
    /// Where it stands.
    pub state: CaseState,
    /// When it was noticed, unix milliseconds like every time here.
    pub detected_ms: i64,
    /// When it was sealed; `None` also after the seal was lifted.
    pub sealed_ms: Option<i64>,
    /// When staff lifted the seal.
    pub unsealed_ms: Option<i64>,
    /// When staff emptied the locker.
    pub collected_ms: Option<i64>,
    /// Where the things are kept.
    pub storage: Option<String>,
    /// When they were fetched.
    pub handed_back_ms: Option<i64>,
    /// By whom.
    pub handed_to: Option<String>,
    /// When nothing more was to be done.
    pub closed_ms: Option<i64>,
    /// How many days late the locker was emptied; `None` until then.
    pub late_days: Option<u32>,
}

/// A step of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// Where it led.
    pub state: CaseState,
    /// When, unix milliseconds.
    pub at_ms: i64,
    /// Who; `None`: by itself.
    pub actor: Option<MemberId>,
    /// Why.
    pub reason: Option<String>,
}

/// A thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub description: String,
    /// Where the photo of it is.
    pub photo: Option<String>,
}

const COLUMNS: &str = "overdue_case.id, rental_id, overdue_case.bank_id, overdue_case.locker_id,
    overdue_case.member_id, ended_on, overdue_case.state, detected_ms, overdue_case.sealed_ms,
    unsealed_ms, collected_ms, storage, handed_back_ms, handed_to, overdue_case.closed_ms, late_days";

/// Stores a new case; `None` when this end was noticed before.
pub fn insert(
    conn: &Connection,
    new: &NewCase,
    now_ms: i64,
) -> Result<Option<OverdueCaseId>, StoreError> {
    let changed = conn
        .prepare_cached(
            "INSERT INTO overdue_case (rental_id, bank_id, locker_id, member_id, ended_on, state,
                                       detected_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, 'detected', ?6)
             ON CONFLICT (rental_id, ended_on) DO NOTHING",
        )?
        .execute(params![
            new.rental_id.0,
            new.bank_id.0,
            new.locker_id.0,
            new.member_id.0,
            new.ended_on.to_string(),
            now_ms
        ])?;
    Ok((changed == 1).then(|| OverdueCaseId(conn.last_insert_rowid())))
}

/// Stores where a case stands by now; what it belongs to stays as it is.
pub fn update(conn: &Connection, case: &CaseRow) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE overdue_case SET state = ?2, sealed_ms = ?3, unsealed_ms = ?4, collected_ms = ?5,
           storage = ?6, handed_back_ms = ?7, handed_to = ?8, closed_ms = ?9, late_days = ?10
         WHERE id = ?1",
    )?
    .execute(params![
        case.id.0,
        case.state.name(),
        case.sealed_ms,
        case.unsealed_ms,
        case.collected_ms,
        case.storage,
        case.handed_back_ms,
        case.handed_to,
        case.closed_ms,
        case.late_days
    ])?;
    Ok(())
}

/// Adds a step to a case's history.
pub fn insert_step(conn: &Connection, id: OverdueCaseId, step: &StepRow) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO overdue_step (case_id, state, at_ms, actor_id, reason)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![
        id.0,
        step.state.name(),
        step.at_ms,
        step.actor.map(|id| id.0),
        step.reason
    ])?;
    Ok(())
}

/// Writes down what was found, in this order.
pub fn insert_items(
    conn: &Connection,
    id: OverdueCaseId,
    items: &[Item],
) -> Result<(), StoreError> {
    let mut statement = conn.prepare_cached(
        "INSERT INTO overdue_item (case_id, position, description, photo) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (position, item) in (1_i64..).zip(items) {
        statement.execute(params![id.0, position, item.description, item.photo])?;
    }
    Ok(())
}

/// Finds a case.
pub fn find(conn: &Connection, id: OverdueCaseId) -> Result<Option<CaseRow>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM overdue_case WHERE id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(read).transpose()
}

/// The case of a rental whose locker was not emptied yet.
pub fn find_unemptied(conn: &Connection, id: RentalId) -> Result<Option<CaseRow>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM overdue_case
         WHERE rental_id = ?1 AND state IN ('detected', 'sealed') ORDER BY id DESC LIMIT 1"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([id.0])?;
    rows.next()?.map(read).transpose()
}

/// Whether things of a member are kept by staff.
pub fn has_kept_things(conn: &Connection, member: MemberId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM overdue_case INDEXED BY overdue_case_member
               WHERE member_id = ?1 AND state = 'collected'";
    Ok(conn.prepare_cached(sql)?.exists([member.0])?)
}

/// The newest [`STEPS_MAX`] steps of a case, oldest first.
pub fn list_steps(conn: &Connection, id: OverdueCaseId) -> Result<Vec<StepRow>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT state, at_ms, actor_id, reason FROM overdue_step WHERE case_id = ?1
         ORDER BY id DESC LIMIT ?2",
    )?;
    let limit = i64::try_from(STEPS_MAX).unwrap_or(i64::MAX);
    let mut steps = collect(statement.query([id.0, limit])?, |row| {
        Ok(StepRow {
            state: state(row, 0, "overdue_step")?,
            at_ms: row.get(1)?,
            actor: row.get::<_, Option<i64>>(2)?.map(MemberId),
            reason: row.get(3)?,
        })
    })?;
    steps.reverse();
    Ok(steps)
}

/// What was found, in the order in which it was written down.
pub fn list_items(conn: &Connection, id: OverdueCaseId) -> Result<Vec<Item>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT description, photo FROM overdue_item WHERE case_id = ?1 ORDER BY position",
    )?;
    collect(statement.query([id.0])?, |row| {
        Ok(Item { description: row.get(0)?, photo: row.get(1)? })
    })
}

/// How many things were found.
pub fn count_items(conn: &Connection, id: OverdueCaseId) -> Result<u32, StoreError> {
    let sql = "SELECT count(*) FROM overdue_item WHERE case_id = ?1";
    Ok(conn.prepare_cached(sql)?.query_row([id.0], |row| row.get(0))?)
}

/// Active rentals whose last day was before `today` and that have no case for it, at most `most`.
pub fn list_due(conn: &Connection, today: Date, most: usize) -> Result<Vec<RentalId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM rental INDEXED BY rental_live_ends
         WHERE ended_ms IS NULL AND ends_on < ?1 AND state = 'active' AND NOT EXISTS (
           SELECT 1 FROM overdue_case WHERE rental_id = rental.id AND ended_on = rental.ends_on)
         ORDER BY ends_on LIMIT ?2",
    )?;
    let rows = statement.query(params![today.to_string(), limit(most)])?;
    collect(rows, |row| Ok(RentalId(row.get(0)?)))
}

/// Cases of a bank that were never sealed, nor the seal lifted, and whose last day was on `ended_on`
/// or before.
pub fn list_to_seal(
    conn: &Connection,
    bank: BankId,
    ended_on: Date,
    most: usize,
) -> Result<Vec<OverdueCaseId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM overdue_case INDEXED BY overdue_case_open
         WHERE state = 'detected' AND closed_ms IS NULL AND bank_id = ?1 AND ended_on <= ?2
           AND unsealed_ms IS NULL
         ORDER BY id LIMIT ?3",
    )?;
    let rows = statement.query(params![bank.0, ended_on.to_string(), limit(most)])?;
    collect(rows, |row| Ok(OverdueCaseId(row.get(0)?)))
}

/// Whether a missed end will be sealed by itself one day: staff have neither lifted the seal of its case
/// nor closed it.
pub fn is_sealed_by_itself(
    conn: &Connection,
    rental: RentalId,
    ended_on: Date,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM overdue_case WHERE rental_id = ?1 AND ended_on = ?2
                 AND (unsealed_ms IS NOT NULL OR closed_ms IS NOT NULL)";
    Ok(!conn.prepare_cached(sql)?.exists(params![rental.0, ended_on.to_string()])?)
}

const TO_SETTLE: &str = "SELECT overdue_case.id FROM overdue_case INDEXED BY overdue_case_open
      JOIN rental ON rental.id = rental_id
    WHERE overdue_case.state IN ('detected', 'sealed') AND overdue_case.closed_ms IS NULL
      AND (ended_ms IS NOT NULL OR ends_on <> ended_on
        OR (rental.state = 'active' AND EXISTS (
          SELECT 1 FROM rental AS next INDEXED BY rental_live_locker
          WHERE next.locker_id = rental.locker_id AND next.ended_ms IS NULL
            AND next.member_id = rental.member_id AND next.state = 'active'
            AND next.starts_on = date(rental.ends_on, '+1 day'))))
    ORDER BY overdue_case.id LIMIT ?1";

/// Cases whose rental has ended, goes on in another one of the same member, or has another last day by
/// now, and nobody has said so.
pub fn list_to_settle(conn: &Connection, most: usize) -> Result<Vec<OverdueCaseId>, StoreError> {
    let mut statement = conn.prepare_cached(TO_SETTLE)?;
    collect(statement.query([limit(most)])?, |row| Ok(OverdueCaseId(row.get(0)?)))
}

/// What a case is judged by, as its rental has it now.
#[derive(Debug, Clone, Copy)]
pub struct RentalTimes {
    /// When the locker was given back.
    pub returned_ms: Option<i64>,
    /// When the rental ended.
    pub ended_ms: Option<i64>,
    /// Its last day.
    pub ends_on: Date,
}

/// When the rental of a case was given back and when it ended, and its last day as it is now.
pub fn rental_times(conn: &Connection, id: RentalId) -> Result<RentalTimes, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT returned_ms, ended_ms, ends_on FROM rental WHERE id = ?1")?;
    let mut rows = statement.query([id.0])?;
    match rows.next()? {
        Some(row) => Ok(RentalTimes {
            returned_ms: row.get(0)?,
            ended_ms: row.get(1)?,
            ends_on: date(row, 2, "rental", "ends_on")?,
        }),
        None => Err(StoreError::Inconsistent {
            table: "overdue_case",
            column: "rental_id",
            value: id.to_string(),
        }),
    }
}

/// Whether staff opened a locker since `since_ms`, as far as openings are still known: what was seen, or
/// what a bank without sensors can show.
pub fn was_opened_by_staff(
    conn: &Connection,
    locker: LockerId,
    since_ms: i64,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM opening
               WHERE locker_id = ?1 AND requested_ms >= ?2 AND opened_as = 'staff'
                 AND outcome IN ('opened', 'already_open', 'unseen')";
    Ok(conn.prepare_cached(sql)?.exists([locker.0, since_ms])?)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn state(row: &Row<'_>, index: usize, table: &'static str) -> Result<CaseState, StoreError> {
    let name: String = row.get(index)?;
    let known = CaseState::from_name(&name);
    known.ok_or(StoreError::Inconsistent { table, column: "state", value: name })
}

fn read(row: &Row<'_>) -> Result<CaseRow, StoreError> {
    Ok(CaseRow {
        id: OverdueCaseId(row.get(0)?),
        rental_id: RentalId(row.get(1)?),
        bank_id: BankId(row.get(2)?),
        locker_id: LockerId(row.get(3)?),
        member_id: MemberId(row.get(4)?),
        ended_on: date(row, 5, "overdue_case", "ended_on")?,
        state: state(row, 6, "overdue_case")?,
        detected_ms: row.get(7)?,
        sealed_ms: row.get(8)?,
        unsealed_ms: row.get(9)?,
        collected_ms: row.get(10)?,
        storage: row.get(11)?,
        handed_back_ms: row.get(12)?,
        handed_to: row.get(13)?,
        closed_ms: row.get(14)?,
        late_days: row.get(15)?,
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::opening::Outcome;
    use crate::domain::reminder::{Reminder, ReminderKind};
    use crate::store::open::{memory_with_people, whole_tables};
    use crate::store::reminders;

    /// Rental 1 of member 1 ended on 9 March and is active still.
    fn late() -> Connection {
        let conn = memory_with_people();
        conn.execute_batch(
            "INSERT INTO rental (id, bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
                 confirmed_ms)
               VALUES (1, 1, 101, 1, 'active', '2026-03-01', '2026-03-09', 1, 1);",
        )
        .expect("consistent");
        conn
    }

    fn new() -> NewCase {
        NewCase {
            rental_id: RentalId(1),
            bank_id: BankId(1),
            locker_id: LockerId(101),
            member_id: MemberId(1),
            ended_on: date(2026, 3, 9),
        }
    }

    #[test]
    fn an_end_that_was_missed_is_due_once() {
        let conn = late();
        let due = |day| list_due(&conn, date(2026, 3, day), 9).expect("readable");
        assert_eq!((due(9), due(10)), (vec![], vec![RentalId(1)]));
        let id = insert(&conn, &new(), 5).expect("stored").expect("new");
        assert_eq!(insert(&conn, &new(), 6).expect("no error"), None);
        assert_eq!(due(10), []);
        let settle = || list_to_settle(&conn, 9).expect("readable");
        assert_eq!(settle(), []);
        conn.execute_batch("UPDATE rental SET ends_on = '2026-03-20'").expect("moved");
        assert_eq!((settle(), due(20)), (vec![id], vec![]));
        assert_eq!(due(21), [RentalId(1)], "another last day is another end");
    }

    #[test]
    fn a_case_is_read_as_it_was_stored_in_every_state() {
        let conn = late();
        let id = insert(&conn, &new(), 5).expect("stored").expect("new");
        for state in CaseState::ALL {
            let done = !state.is_open();
            let case = CaseRow {
                id,
                rental_id: RentalId(1),
                bank_id: BankId(1),
                locker_id: LockerId(101),
                member_id: MemberId(1),
                ended_on: date(2026, 3, 9),
                state,
                detected_ms: 5,
                sealed_ms: Some(6),
                unsealed_ms: Some(7),
                collected_ms: Some(8),
                storage: Some("desk".to_owned()),
                handed_back_ms: Some(9),
                handed_to: Some("x".to_owned()),
                closed_ms: done.then_some(10),
                late_days: Some(3),
            };
            update(&conn, &case).expect("the CHECK knows the state");
            assert_eq!(find(&conn, id).expect("readable"), Some(case.clone()));
            let step = StepRow { state, at_ms: 5, actor: None, reason: None };
            insert_step(&conn, id, &step).expect("stored");
            let waits = find_unemptied(&conn, RentalId(1)).expect("readable");
            let unemptied = matches!(state, CaseState::Detected | CaseState::Sealed);
            assert_eq!(waits.is_some(), unemptied, "{state:?}");
            let kept = has_kept_things(&conn, MemberId(1)).expect("readable");
            assert_eq!(kept, state == CaseState::Collected);
        }
        let states: Vec<_> =
            list_steps(&conn, id).expect("readable").iter().map(|it| it.state).collect();
        assert_eq!(states, CaseState::ALL);
    }

    #[test]
    fn a_reminder_is_sent_once_for_each_last_day() {
        let conn = late();
        let (rental, ends_on, today) = (RentalId(1), date(2026, 3, 9), date(2026, 3, 8));
        for kind in ReminderKind::ALL {
            let reminder = Reminder { kind, days: 1, since: today };
            insert(&conn, &new(), 5).expect("stored");
            let unsent =
                |on| reminders::is_unsent(&conn, rental, on, &reminder, 6).expect("readable");
            assert!(unsent(ends_on), "{kind:?}");
            reminders::insert(&conn, rental, ends_on, kind, today).expect("the CHECK knows it");
            assert!(!unsent(ends_on), "{kind:?}");
            let late = kind == ReminderKind::Late;
            assert_eq!(unsent(date(2026, 3, 10)), !late, "another end has no case yet");
        }
        let late = Reminder { kind: ReminderKind::Late, days: 2, since: date(2026, 3, 11) };
        let told_today = reminders::is_unsent(&conn, rental, ends_on, &late, 5).expect("readable");
        assert!(!told_today, "on the day on which it was noticed");
    }

    #[test]
    fn what_is_due_every_minute_is_found_by_an_index() {
        let conn = late();
        for (sql, index) in [
            (
                "SELECT id FROM rental INDEXED BY rental_live_ends
                 WHERE ended_ms IS NULL AND ends_on < '2026-03-10' AND state = 'active'",
                "ends_on<?",
            ),
            (
                "SELECT id FROM overdue_case INDEXED BY overdue_case_open
                 WHERE state = 'detected' AND closed_ms IS NULL AND bank_id = 1",
                "state=?",
            ),
            ("SELECT 1 FROM overdue_case WHERE rental_id = 1 AND ended_on = 'x'", "ended_on=?"),
            (TO_SETTLE, "state=?"),
        ] {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let mut statement = conn.prepare(&explain).expect("good SQL");
            let plan = statement.raw_query().mapped(|row| row.get::<_, String>(3)).next();
            let plan = plan.expect("a step").expect("readable");
            assert!(plan.starts_with("SEARCH") && plan.contains(index), "{plan}");
            assert_eq!(whole_tables(&conn, sql), Vec::<String>::new(), "{sql}");
        }
    }

    #[test]
    fn staff_have_opened_a_locker_only_when_its_door_may_have_moved() {
        let conn = late();
        let since = 10;
        let was_opened = || was_opened_by_staff(&conn, LockerId(101), since).expect("readable");
        let insert = |outcome: Option<Outcome>, opened_as: &str, at_ms: i64| {
            conn.execute_batch("DELETE FROM opening").expect("deleted");
            conn.execute(
                "INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, outcome)
                 VALUES ('01900000-0000-7000-8000-000000000001', 101, 2, ?1, ?2, ?3)",
                params![opened_as, at_ms, outcome.map(Outcome::name)],
            )
            .expect("stored");
        };
        for outcome in Outcome::ALL {
            insert(Some(outcome), "staff", since);
            let counts =
                matches!(outcome, Outcome::Opened | Outcome::AlreadyOpen | Outcome::Unseen);
            assert_eq!(was_opened(), counts, "{outcome:?}");
        }
        insert(None, "staff", since);
        assert!(!was_opened(), "nobody knows yet");
        insert(Some(Outcome::Opened), "staff", since - 1);
        assert!(!was_opened(), "before the case");
        insert(Some(Outcome::Opened), "renter", since);
        assert!(!was_opened(), "its renter");
    }
}
