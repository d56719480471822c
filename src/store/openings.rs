//! Openings: the intent before the bus is told, and what was seen afterwards.

use rusqlite::{Connection, Row, params};

use super::error::StoreError;
use super::state::{collect, instant};
use crate::domain::id::{BankId, LockerId, MassOpeningId, MemberId, OpeningId};
use crate::domain::lock_service::LockFigures;
use crate::domain::opening::{OpenedAs, Opening, Outcome, Phase, PhaseAt};

const COLUMNS: &str = "SELECT id, locker_id, member_id, opened_as, requested_ms, sent_ms,
    acknowledged_ms, retried_ms, opened_ms, closed_ms, outcome, mass_opening_id, returns FROM opening";

/// Stores an opening as it stands: a new one, or what more was seen of a known one.
pub fn upsert(conn: &Connection, opening: &Opening) -> Result<(), StoreError> {
    let at = |phase| opening.at(phase).map(jiff::Timestamp::as_millisecond);
    conn.prepare_cached(
        "INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, sent_ms,
                              acknowledged_ms, retried_ms, opened_ms, closed_ms, outcome,
                              mass_opening_id, returns)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
         ON CONFLICT (id) DO UPDATE SET
           sent_ms = coalesce(sent_ms, excluded.sent_ms),
           acknowledged_ms = coalesce(acknowledged_ms, excluded.acknowledged_ms),
           retried_ms = coalesce(retried_ms, excluded.retried_ms),
           opened_ms = coalesce(opened_ms, excluded.opened_ms),
           closed_ms = coalesce(closed_ms, excluded.closed_ms),
           outcome = coalesce(outcome, excluded.outcome)",
    )?
    .execute(params![
        opening.id.to_string(),
        opening.locker_id.0,
        opening.member_id.0,
        opening.opened_as.name(),
        at(Phase::Requested),
        at(Phase::Sent),
        at(Phase::Acknowledged),
        at(Phase::SentAgain),
        at(Phase::Opened),
        at(Phase::Closed),
        opening.outcome.map(Outcome::name),
        opening.mass_opening.map(|id| id.to_string()),
        opening.returns
    ])?;
    Ok(())
}

/// Decides an opening that nobody decided; one that was in the meantime stays as it is.
pub fn update_settled(conn: &Connection, opening: &Opening) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE opening SET opened_ms = coalesce(opened_ms, ?2), outcome = ?3
             WHERE id = ?1 AND outcome IS NULL",
        )?
        .execute(params![
            opening.id.to_string(),
            opening.at(Phase::Opened).map(jiff::Timestamp::as_millisecond),
            opening.outcome.map(Outcome::name)
        ])?;
    Ok(changed == 1)
}

/// Finds an opening.
pub fn find(conn: &Connection, id: OpeningId) -> Result<Option<Opening>, StoreError> {
    let sql = format!("{COLUMNS} WHERE id = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([id.to_string()])?;
    rows.next()?.map(read).transpose()
}

/// Openings whose outcome nobody knows: the program ended in between.
pub fn list_unsettled(conn: &Connection) -> Result<Vec<Opening>, StoreError> {
    let sql = format!("{COLUMNS} WHERE outcome IS NULL ORDER BY requested_ms");
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([])?, read)
}

/// Whether an opening of a locker has no outcome yet.
pub fn has_unsettled(conn: &Connection, locker: LockerId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM opening INDEXED BY opening_unsettled
               WHERE outcome IS NULL AND locker_id = ?1";
    Ok(conn.prepare_cached(sql)?.exists([locker.0])?)
}

/// The last openings that were asked for, newest first.
pub fn list_newest(conn: &Connection, count: u32) -> Result<Vec<Opening>, StoreError> {
    let sql = format!("{COLUMNS} ORDER BY id DESC LIMIT ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    collect(statement.query([count])?, read)
}

/// Which openings are listed; what is `None` does not matter.
#[derive(Debug, Clone)]
pub struct OpeningFilter {
    /// Of lockers of these banks.
    pub banks: Option<Vec<BankId>>,
    /// Of one locker.
    pub locker: Option<LockerId>,
    /// With one outcome.
    pub outcome: Option<Outcome>,
    /// By one right.
    pub opened_as: Option<OpenedAs>,
    /// Asked for by one member.
    pub member: Option<MemberId>,
    /// Of one order to open many.
    pub mass_opening: Option<MassOpeningId>,
    /// Asked for at this time (unix milliseconds) or later.
    pub from_ms: i64,
    /// Asked for before this time.
    pub to_ms: i64,
}

/// An opening with whose locker it was and who asked.
#[derive(Debug, Clone)]
pub struct ListedOpening {
    /// What was seen.
    pub opening: Opening,
    /// The bank of its locker.
    pub bank_id: BankId,
    /// Who asked: student id and name; `None` when they have left since.
    pub member: Option<(String, String)>,
}

/// Openings, newest first, older than the one asked for at a time (unix milliseconds) under a name.
pub fn list(
    conn: &Connection,
    filter: &OpeningFilter,
    before: Option<&(i64, String)>,
    limit: usize,
) -> Result<Vec<ListedOpening>, StoreError> {
    let banks = filter.banks.as_ref().map(|banks| {
        let ids: Vec<String> = banks.iter().map(ToString::to_string).collect();
        format!("[{}]", ids.join(","))
    });
    let (at_ms, id) = before.map_or((i64::MAX, ""), |(at_ms, id)| (*at_ms, id.as_str()));
    let sql = list_sql(filter.locker.is_some());
    let mut statement = conn.prepare_cached(&sql)?;
    let rows = statement.query(params![
        filter.from_ms,
        // What was on the pages before is not gone through again.
        filter.to_ms.min(at_ms.saturating_add(1)),
        banks,
        filter.locker.map(|id| id.0),
        filter.outcome.map(Outcome::name),
        at_ms,
        id,
        i64::try_from(limit).unwrap_or(i64::MAX),
        filter.opened_as.map(OpenedAs::name),
        filter.member.map(|id| id.0),
        filter.mass_opening.map(|id| id.to_string())
    ])?;
    collect(rows, |row| {
        let (student_id, name): (Option<String>, Option<String>) = (row.get(14)?, row.get(15)?);
        Ok(ListedOpening {
            opening: read(row)?,
            bank_id: BankId(row.get(13)?),
            member: student_id.zip(name),
        })
    })
}

/// A page of openings; found by the index of one locker, or by that of the time.
fn list_sql(of_locker: bool) -> String {
    let (index, condition) = if of_locker {
        ("opening_locker", "opening.locker_id = ?4")
    } else {
        ("opening_requested", "?4 IS NULL")
    };
    format!(
        "SELECT opening.id, opening.locker_id, opening.member_id, opened_as, requested_ms, sent_ms,
                acknowledged_ms, retried_ms, opened_ms, closed_ms, outcome, mass_opening_id,
                returns, locker.bank_id, iif(member.left_ms IS NULL, student_id, NULL),
                iif(member.left_ms IS NULL, name, NULL)
         FROM opening INDEXED BY {index} JOIN locker ON locker.id = opening.locker_id
         JOIN member ON member.id = opening.member_id
         WHERE requested_ms >= ?1 AND requested_ms < ?2 AND {condition}
           AND (?3 IS NULL OR bank_id IN (SELECT value FROM json_each(?3)))
           AND (?5 IS NULL OR outcome = ?5) AND (?9 IS NULL OR opened_as = ?9)
           AND (?10 IS NULL OR opening.member_id = ?10)
           AND (?11 IS NULL OR mass_opening_id = ?11) AND (requested_ms, opening.id) < (?6, ?7)
         ORDER BY requested_ms DESC, opening.id DESC LIMIT ?8"
    )
}

/// What was counted of every lock that was opened since `since_ms`, in the order of the lockers. Of
/// openings that are forgotten whole days (UTC) count, those that begin since then.
pub fn lock_figures(conn: &Connection, since_ms: i64) -> Result<Vec<LockFigures>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT locker_id, sum(sent), sum(retried), sum(jammed), sum(unanswered),
                sum(acknowledged_sum_ms) / nullif(sum(acknowledged), 0), max(acknowledged_max_ms),
                sum(opened_sum_ms) / nullif(sum(opened), 0)
         FROM (
           SELECT locker_id, sent, retried, jammed, unanswered, acknowledged, acknowledged_sum_ms,
                  acknowledged_max_ms, opened, opened_sum_ms
           FROM opening_tally WHERE day_ms >= ?1
           UNION ALL
           SELECT locker_id, count(sent_ms), count(retried_ms),
                  count(*) FILTER (WHERE outcome = 'door_did_not_open'),
                  count(*) FILTER (WHERE outcome = 'no_answer'),
                  count(acknowledged_ms - sent_ms), coalesce(sum(acknowledged_ms - sent_ms), 0),
                  max(acknowledged_ms - sent_ms),
                  count(opened_ms - sent_ms) FILTER (WHERE retried_ms IS NULL),
                  coalesce(sum(opened_ms - sent_ms) FILTER (WHERE retried_ms IS NULL), 0)
           FROM opening WHERE requested_ms >= ?1 GROUP BY locker_id)
         GROUP BY locker_id ORDER BY locker_id",
    )?;
    collect(statement.query([since_ms])?, |row| {
        Ok(LockFigures {
            locker_id: LockerId(row.get(0)?),
            openings: row.get(1)?,
            retries: row.get(2)?,
            jams: row.get(3)?,
            unanswered: row.get(4)?,
            acknowledged_mean_ms: row.get(5)?,
            acknowledged_max_ms: row.get(6)?,
            opened_mean_ms: row.get(7)?,
        })
    })
}

fn read(row: &Row<'_>) -> Result<Opening, StoreError> {
    let bad = |column, value: String| StoreError::Inconsistent { table: "opening", column, value };
    let (id, opened_as): (String, String) = (row.get(0)?, row.get(3)?);
    let (outcome, mass_opening): (Option<String>, Option<String>) = (row.get(10)?, row.get(11)?);
    let mut phases = Vec::with_capacity(6);
    let columns = [
        (Phase::Requested, 4),
        (Phase::Sent, 5),
        (Phase::Acknowledged, 6),
        (Phase::SentAgain, 7),
        (Phase::Opened, 8),
        (Phase::Closed, 9),
    ];
    for (phase, column) in columns {
        if let Some(ms) = row.get::<_, Option<i64>>(column)? {
            phases.push(PhaseAt { phase, at: instant(ms) });
        }
    }
    Ok(Opening {
        id: id.parse().map_err(|_| bad("id", id.clone()))?,
        locker_id: LockerId(row.get(1)?),
        member_id: MemberId(row.get(2)?),
        opened_as: match opened_as.as_str() {
            "renter" => OpenedAs::Renter,
            "staff" => OpenedAs::Staff,
            _ => return Err(bad("opened_as", opened_as)),
        },
        mass_opening: mass_opening
            .map(|id| id.parse().map_err(|_| bad("mass_opening_id", id.clone())))
            .transpose()?,
        returns: row.get(12)?,
        phases,
        outcome: outcome
            .map(|name| Outcome::from_name(&name).ok_or_else(|| bad("outcome", name)))
            .transpose()?,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::store::open::{memory_with_people, plan};

    #[test]
    fn what_was_seen_is_added_and_the_first_outcome_stands() {
        let conn = memory_with_people();
        let at = |ms| Timestamp::from_millisecond(ms).expect("in range");
        for outcome in Outcome::ALL {
            let id = OpeningId(Uuid::now_v7());
            let mut opening =
                Opening::requested(id, LockerId(101), MemberId(1), OpenedAs::Renter, at(1));
            upsert(&conn, &opening).expect("stored");
            assert_eq!(list_unsettled(&conn).expect("readable"), [opening.clone()]);
            opening.see(Phase::Sent, at(2));
            opening.see(Phase::SentAgain, at(3));
            opening.end(outcome);
            upsert(&conn, &opening).expect("the CHECK knows the outcome");
            let other = Opening { outcome: Some(Outcome::Refused), ..opening.clone() };
            upsert(&conn, &other).expect("stored");
            assert_eq!(find(&conn, id).expect("readable"), Some(opening));
            assert!(list_unsettled(&conn).expect("readable").is_empty());
        }
    }

    #[test]
    fn pages_are_found_by_time_or_locker_and_never_by_a_walk_through_all() {
        let conn = memory_with_people();
        for (of_locker, step) in [
            (false, "opening_requested (requested_ms>? AND requested_ms<?)"),
            (true, "opening_locker (locker_id=? AND requested_ms>? AND requested_ms<?)"),
        ] {
            let plan = plan(&conn, &list_sql(of_locker));
            assert!(plan.iter().any(|it| it.contains(step)), "{plan:?}");
            let walks = |it: &&String| it.starts_with("SCAN") && !it.contains("json_each");
            assert_eq!(plan.iter().find(walks), None, "{plan:?}");
            assert!(!plan.iter().any(|it| it.contains("TEMP B-TREE")), "{plan:?}");
        }
    }

    #[test]
    fn locks_are_counted_from_a_moment_on() {
        let conn = memory_with_people();
        let at = |ms| Timestamp::from_millisecond(ms).expect("in range");
        let store = |start: i64, steps: &[(Phase, i64)], outcome| {
            let id = OpeningId(Uuid::now_v7());
            let (locker, member) = (LockerId(101), MemberId(1));
            let mut opening = Opening::requested(id, locker, member, OpenedAs::Renter, at(start));
            for (phase, after) in steps {
                opening.see(*phase, at(start + after));
            }
            opening.end(outcome);
            upsert(&conn, &opening).expect("stored");
        };
        let (sent, acknowledged) = ((Phase::Sent, 10), (Phase::Acknowledged, 40));
        store(1_000, &[sent, acknowledged, (Phase::Opened, 210)], Outcome::Opened);
        store(
            2_000,
            &[sent, (Phase::Acknowledged, 60), (Phase::SentAgain, 2_500)],
            Outcome::DoorDidNotOpen,
        );
        store(3_000, &[sent], Outcome::NoAnswer);
        store(4_000, &[], Outcome::Unreachable);
        store(10, &[sent], Outcome::NoAnswer);
        let figures = lock_figures(&conn, 1_000).expect("readable");
        assert_eq!(
            figures,
            [LockFigures {
                locker_id: LockerId(101),
                openings: 3,
                retries: 1,
                jams: 1,
                unanswered: 1,
                acknowledged_mean_ms: Some(40),
                acknowledged_max_ms: Some(50),
                opened_mean_ms: Some(200),
            }]
        );
        assert!(lock_figures(&conn, 5_000).expect("readable").is_empty());
    }
}
