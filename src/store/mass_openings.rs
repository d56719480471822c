//! Orders to open many lockers. What became of a locker is read from its own opening.

use rusqlite::{Connection, Row, params};

use super::error::StoreError;
use super::state::{collect, instant};
use crate::domain::id::{BankId, LockerId, MassOpeningId, MemberId};
use crate::domain::mass_opening::{
    Line, LineState, MassOpening, MassOpeningHead, RunState, SkipReason,
};
use crate::domain::opening::Outcome;

const HEADS: &str = "SELECT m.id, m.member_id, member.name, m.reason, m.state, m.started_ms,
    m.ended_ms,
    (SELECT count(*) FROM mass_opening_locker AS line WHERE line.mass_opening_id = m.id)
  FROM mass_opening AS m JOIN member ON member.id = m.member_id";

const CANCELLED: &str = "cancelled";

/// Stores an order that begins; a conflict means that one of its banks has one that runs.
pub fn insert(conn: &Connection, order: &MassOpening) -> Result<(), StoreError> {
    let (head, id) = (&order.head, order.head.id.to_string());
    conn.prepare_cached(
        "INSERT INTO mass_opening (id, member_id, reason, state, started_ms, ended_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?
    .execute(params![
        id,
        head.member_id.0,
        head.reason,
        head.state.name(),
        head.started_at.as_millisecond(),
        head.ended_at.map(jiff::Timestamp::as_millisecond)
    ])?;
    let mut bank = conn.prepare_cached(
        "INSERT INTO mass_opening_bank (mass_opening_id, bank_id, running) VALUES (?1, ?2, ?3)",
    )?;
    for bank_id in &head.banks {
        bank.execute(params![id, bank_id.0, head.state == RunState::Running])?;
    }
    let mut line = conn.prepare_cached(
        "INSERT INTO mass_opening_locker (mass_opening_id, position, locker_id, unopened)
         VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (position, it) in order.lines.iter().enumerate() {
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        line.execute(params![id, position, it.locker_id.0, unopened(it.state)])?;
    }
    Ok(())
}

const fn unopened(state: LineState) -> Option<&'static str> {
    match state {
        LineState::Skipped(reason) => Some(reason.name()),
        LineState::Cancelled => Some(CANCELLED),
        _ => None,
    }
}

/// Stores how an order ended; false when that was known already.
pub fn update_ended(conn: &Connection, order: &MassOpening) -> Result<bool, StoreError> {
    let (head, id) = (&order.head, order.head.id.to_string());
    let ended_ms = head.ended_at.map(jiff::Timestamp::as_millisecond);
    let changed = conn
        .prepare_cached(
            "UPDATE mass_opening SET state = ?2, ended_ms = ?3 WHERE id = ?1 AND ended_ms IS NULL",
        )?
        .execute(params![id, head.state.name(), ended_ms])?;
    if changed == 0 {
        return Ok(false);
    }
    conn.prepare_cached("UPDATE mass_opening_bank SET running = 0 WHERE mass_opening_id = ?1")?
        .execute([&id])?;
    let mut line = conn.prepare_cached(
        "UPDATE mass_opening_locker SET unopened = ?3
         WHERE mass_opening_id = ?1 AND locker_id = ?2",
    )?;
    for it in &order.lines {
        if let Some(unopened) = unopened(it.state) {
            line.execute(params![id, it.locker_id.0, unopened])?;
        }
    }
    Ok(true)
}

/// Orders that are stored as running.
pub fn list_running(conn: &Connection) -> Result<Vec<MassOpeningId>, StoreError> {
    let mut statement =
        conn.prepare_cached("SELECT id FROM mass_opening WHERE ended_ms IS NULL")?;
    collect(statement.query([])?, |row| parse_id(row.get(0)?))
}

/// The newest orders of any of `banks` (`None`: of all), before `before` if given.
pub fn list(
    conn: &Connection,
    banks: Option<&[BankId]>,
    before: Option<MassOpeningId>,
    limit: usize,
) -> Result<Vec<MassOpeningHead>, StoreError> {
    let ids: Option<Vec<i64>> = banks.map(|banks| banks.iter().map(|bank| bank.0).collect());
    let sql = format!(
        "{HEADS} WHERE (?1 IS NULL OR m.id < ?1) AND (?2 IS NULL OR EXISTS (
           SELECT 1 FROM mass_opening_bank AS bank WHERE bank.mass_opening_id = m.id
             AND bank.bank_id IN (SELECT value FROM json_each(?2))))
         ORDER BY m.id DESC LIMIT ?3"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let before = before.map(|id| id.to_string());
    let ids = ids.map(|ids| serde_json::json!(ids).to_string());
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query(params![before, ids, limit])?;
    collect(rows, |row| read_head(conn, row))
}

/// Finds an order with its lockers.
pub fn find(conn: &Connection, id: MassOpeningId) -> Result<Option<MassOpening>, StoreError> {
    let sql = format!("{HEADS} WHERE m.id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([id.to_string()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let head = read_head(conn, row)?;
    let running = head.state == RunState::Running;
    let mut statement = conn.prepare_cached(
        "SELECT line.locker_id, line.unopened, opening.id,
                coalesce(opening.outcome, line.outcome)
         FROM mass_opening_locker AS line
         LEFT JOIN opening ON opening.mass_opening_id = line.mass_opening_id
           AND opening.locker_id = line.locker_id
         WHERE line.mass_opening_id = ?1 ORDER BY line.position",
    )?;
    let lines = collect(statement.query([id.to_string()])?, |row| read_line(row, running))?;
    Ok(Some(MassOpening { head, lines }))
}

fn parse_id(text: String) -> Result<MassOpeningId, StoreError> {
    text.parse().map_err(|_| bad("mass_opening", "id", text))
}

const fn bad(table: &'static str, column: &'static str, value: String) -> StoreError {
    StoreError::Inconsistent { table, column, value }
}

fn read_head(conn: &Connection, row: &Row<'_>) -> Result<MassOpeningHead, StoreError> {
    let (id, state): (String, String) = (row.get(0)?, row.get(4)?);
    let mut statement = conn.prepare_cached(
        "SELECT bank_id FROM mass_opening_bank WHERE mass_opening_id = ?1 ORDER BY bank_id",
    )?;
    let banks = collect(statement.query([&id])?, |row| Ok(BankId(row.get(0)?)))?;
    Ok(MassOpeningHead {
        id: parse_id(id)?,
        member_id: MemberId(row.get(1)?),
        member_name: row.get(2)?,
        banks,
        reason: row.get(3)?,
        lockers: usize::try_from(row.get::<_, i64>(7)?).unwrap_or(0),
        started_at: instant(row.get(5)?),
        ended_at: row.get::<_, Option<i64>>(6)?.map(instant),
        state: RunState::from_name(&state).ok_or_else(|| bad("mass_opening", "state", state))?,
    })
}

fn read_line(row: &Row<'_>, running: bool) -> Result<Line, StoreError> {
    let (unopened, opening): (Option<String>, Option<String>) = (row.get(1)?, row.get(2)?);
    let outcome: Option<String> = row.get(3)?;
    let outcome = outcome
        .map(|name| Outcome::from_name(&name).ok_or_else(|| bad("opening", "outcome", name)))
        .transpose()?;
    let state = match (&opening, outcome, unopened) {
        // Also one whose opening is forgotten.
        (_, Some(outcome), _) => LineState::Ended(outcome),
        (Some(_), None, _) => LineState::Opening,
        (None, _, Some(name)) if name == CANCELLED => LineState::Cancelled,
        (None, _, Some(name)) => {
            let known = SkipReason::ALL.into_iter().find(|reason| reason.name() == name);
            LineState::Skipped(known.ok_or_else(|| bad("mass_opening_locker", "unopened", name))?)
        }
        (None, _, None) if running => LineState::Waiting,
        (None, _, None) => LineState::NotReached,
    };
    let parse = |id: String| id.parse().map_err(|_| bad("opening", "id", id));
    Ok(Line { locker_id: LockerId(row.get(0)?), state, opening: opening.map(parse).transpose()? })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::domain::id::OpeningId;
    use crate::domain::opening::{OpenedAs, Opening};
    use crate::store::Constraint;
    use crate::store::open::memory_with_people;
    use crate::store::openings;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(ms).expect("in range")
    }

    fn order(lockers: &[i64]) -> MassOpening {
        let line =
            |id: &i64| Line { locker_id: LockerId(*id), state: LineState::Waiting, opening: None };
        let head = MassOpeningHead {
            id: MassOpeningId(Uuid::now_v7()),
            member_id: MemberId(1),
            member_name: "가".to_owned(),
            banks: vec![BankId(1)],
            reason: "소방 훈련".to_owned(),
            lockers: lockers.len(),
            started_at: at(5),
            ended_at: None,
            state: RunState::Running,
        };
        MassOpening { head, lines: lockers.iter().map(line).collect() }
    }

    fn opening(order: &MassOpening, locker: i64, outcome: Option<Outcome>) -> Opening {
        let (id, locker) = (OpeningId(Uuid::now_v7()), LockerId(locker));
        let opening = Opening::requested(id, locker, MemberId(1), OpenedAs::Staff, at(6));
        Opening { mass_opening: Some(order.head.id), outcome, ..opening }
    }

    #[test]
    fn a_bank_has_one_that_runs_and_the_next_after_it() {
        let conn = memory_with_people();
        let mut first = order(&[101, 102]);
        insert(&conn, &first).expect("stored");
        assert_eq!(find(&conn, first.head.id).expect("readable"), Some(first.clone()));
        conn.execute_batch("SAVEPOINT job").expect("settable");
        let refused = insert(&conn, &order(&[102])).expect_err("one runs");
        conn.execute_batch("ROLLBACK TO job; RELEASE job").expect("undone as the writer does it");
        let wanted = Constraint::Unique("mass_opening_bank.bank_id".to_owned());
        assert!(matches!(&refused, StoreError::Conflict(it) if *it == wanted), "{refused}");
        first.end(false, at(9));
        assert!(update_ended(&conn, &first).expect("stored"));
        assert!(!update_ended(&conn, &first).expect("known"), "the first end stands");
        assert!(list_running(&conn).expect("readable").is_empty());
        insert(&conn, &order(&[102])).expect("the bank is free again");
    }

    #[test]
    fn a_locker_is_where_its_own_opening_is() {
        let conn = memory_with_people();
        let mut stored = order(&[101, 102]);
        insert(&conn, &stored).expect("stored");
        let begun = opening(&stored, 101, None);
        openings::upsert(&conn, &begun).expect("stored");
        assert_eq!(openings::find(&conn, begun.id).expect("readable"), Some(begun.clone()));
        let states = |id| -> Vec<LineState> {
            let found = find(&conn, id).expect("readable").expect("there");
            found.lines.iter().map(|line| line.state).collect()
        };
        assert_eq!(states(stored.head.id), [LineState::Opening, LineState::Waiting]);
        for outcome in Outcome::ALL {
            conn.execute("UPDATE opening SET outcome = ?1", [outcome.name()]).expect("known");
            assert_eq!(states(stored.head.id)[0], LineState::Ended(outcome));
        }
        // A second opening of the same locker by the same order is none.
        let again = opening(&stored, 101, None);
        assert!(matches!(openings::upsert(&conn, &again), Err(StoreError::Conflict(_))));
        stored.end(false, at(9));
        update_ended(&conn, &stored).expect("stored");
        assert_eq!(states(stored.head.id)[1], LineState::NotReached);
    }

    #[test]
    fn every_end_and_every_reason_can_be_stored() {
        let conn = memory_with_people();
        for state in RunState::ALL {
            for skipped in SkipReason::ALL {
                let mut stored = order(&[101, 102]);
                stored.lines[0].state = LineState::Skipped(skipped);
                stored.lines[1].state = LineState::Cancelled;
                insert(&conn, &stored).expect("stored");
                stored.head.state = state;
                stored.head.ended_at = (state != RunState::Running).then(|| at(9));
                if state == RunState::Running {
                    stored.end(true, at(9));
                }
                update_ended(&conn, &stored).expect("the CHECKs know the names");
                assert_eq!(find(&conn, stored.head.id).expect("readable"), Some(stored));
            }
        }
    }

    #[test]
    fn the_list_is_newest_first_in_pages_and_of_ones_own_banks() {
        let conn = memory_with_people();
        let mut ids = Vec::new();
        for _ in 0..3 {
            let mut stored = order(&[101]);
            insert(&conn, &stored).expect("stored");
            stored.end(true, at(9));
            update_ended(&conn, &stored).expect("stored");
            ids.insert(0, stored.head.id);
        }
        let listed = |banks: Option<&[BankId]>, before, limit| -> Vec<MassOpeningId> {
            let list = list(&conn, banks, before, limit).expect("readable");
            list.into_iter().map(|head| head.id).collect()
        };
        assert_eq!(listed(None, None, 2), ids[..2]);
        assert_eq!(listed(None, Some(ids[1]), 2), ids[2..]);
        assert_eq!(listed(Some(&[BankId(9), BankId(1)]), None, 9), ids);
        assert_eq!(listed(Some(&[BankId(9)]), None, 9), []);
    }
}
