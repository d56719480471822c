//! Forgetting what is old enough, in slices; what it says of locks and orders is kept in numbers.
//!
//! Called by `service/retention.rs`, which knows how long things are kept. Nothing here touches a
//! rental, or the newest opening of a locker that is rented.

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::outbox;
use super::state::collect;
use crate::domain::id::AlarmId;

/// How long a run's own record is kept: two years, in milliseconds.
pub const RECORD_KEPT_MS: i64 = 730 * 24 * 60 * 60 * 1000;

/// A row of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruned {
    /// When the run began, unix milliseconds.
    pub at_ms: i64,
    /// What kind of row.
    pub what: String,
    /// How many.
    pub rows: u32,
}

/// Openings that may go: decided ones, but not the newest of a locker that is held or rented.
const OPENINGS_DUE: &str = "SELECT id FROM opening
    WHERE requested_ms < ?1 AND outcome IS NOT NULL
      AND NOT (
        EXISTS (SELECT 1 FROM rental INDEXED BY rental_live_locker
                WHERE rental.locker_id = opening.locker_id AND ended_ms IS NULL)
        AND requested_ms = (SELECT max(other.requested_ms) FROM opening AS other
                            WHERE other.locker_id = opening.locker_id))
    ORDER BY requested_ms LIMIT ?2";

/// Adds openings that go (a JSON list of their ids) to the figures of their locks.
const TALLY: &str = "INSERT INTO opening_tally (locker_id, day_ms, sent, retried, jammed,
        unanswered, acknowledged, acknowledged_sum_ms, acknowledged_max_ms, opened, opened_sum_ms)
    SELECT locker_id, requested_ms / 86400000 * 86400000, count(sent_ms), count(retried_ms),
      count(*) FILTER (WHERE outcome = 'door_did_not_open'),
      count(*) FILTER (WHERE outcome = 'no_answer'),
      count(acknowledged_ms - sent_ms), coalesce(sum(acknowledged_ms - sent_ms), 0),
      max(acknowledged_ms - sent_ms),
      count(opened_ms - sent_ms) FILTER (WHERE retried_ms IS NULL),
      coalesce(sum(opened_ms - sent_ms) FILTER (WHERE retried_ms IS NULL), 0)
    FROM opening WHERE id IN (SELECT value FROM json_each(?1)) GROUP BY 1, 2
    ON CONFLICT (locker_id, day_ms) DO UPDATE SET
      sent = sent + excluded.sent, retried = retried + excluded.retried,
      jammed = jammed + excluded.jammed, unanswered = unanswered + excluded.unanswered,
      acknowledged = acknowledged + excluded.acknowledged,
      acknowledged_sum_ms = acknowledged_sum_ms + excluded.acknowledged_sum_ms,
      acknowledged_max_ms = max(coalesce(acknowledged_max_ms, excluded.acknowledged_max_ms),
                                coalesce(excluded.acknowledged_max_ms, acknowledged_max_ms)),
      opened = opened + excluded.opened, opened_sum_ms = opened_sum_ms + excluded.opened_sum_ms";

/// Lines of mass openings keep how their openings ended.
const KEEP_OUTCOMES: &str = "UPDATE mass_opening_locker SET outcome = (
      SELECT outcome FROM opening
      WHERE opening.mass_opening_id = mass_opening_locker.mass_opening_id
        AND opening.locker_id = mass_opening_locker.locker_id)
    WHERE (mass_opening_id, locker_id) IN (
      SELECT mass_opening_id, locker_id FROM opening
      WHERE mass_opening_id IS NOT NULL AND id IN (SELECT value FROM json_each(?1)))";

/// Forgets at most `most` openings of before `before_ms`; says how many.
pub fn delete_openings(
    conn: &Connection,
    before_ms: i64,
    most: usize,
) -> Result<usize, StoreError> {
    let mut statement = conn.prepare_cached(OPENINGS_DUE)?;
    let rows = statement.query(params![before_ms, limit(most)])?;
    let ids: Vec<String> = collect(rows, |row| Ok(row.get(0)?))?;
    if ids.is_empty() {
        return Ok(0);
    }
    let list = serde_json::json!(ids).to_string();
    for sql in [TALLY, KEEP_OUTCOMES] {
        conn.prepare_cached(sql)?.execute([&list])?;
    }
    Ok(conn
        .prepare_cached("DELETE FROM opening WHERE id IN (SELECT value FROM json_each(?1))")?
        .execute([&list])?)
}

/// Forgets at most `most` alarms with their steps: those that somebody acknowledged and that were over
/// before `before_ms`, and those that nobody did and were over before `unseen_before_ms`; says which.
pub fn delete_alarms(
    conn: &Connection,
    (before_ms, unseen_before_ms): (i64, i64),
    most: usize,
) -> Result<Vec<AlarmId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM alarm
         WHERE cleared_ms < ?1 AND (acknowledged_ms IS NOT NULL OR cleared_ms < ?2)
         ORDER BY cleared_ms LIMIT ?3",
    )?;
    let rows = statement.query(params![before_ms, unseen_before_ms, limit(most)])?;
    let ids = collect(rows, |row| Ok(AlarmId(row.get(0)?)))?;
    for id in &ids {
        conn.prepare_cached("DELETE FROM alarm_step WHERE alarm_id = ?1")?.execute([id.0])?;
        conn.prepare_cached("DELETE FROM alarm WHERE id = ?1")?.execute([id.0])?;
    }
    Ok(ids)
}

/// Overdue cases that may go: closed ones whose penalty is over, that of a rental that has ended.
const OVERDUE_DUE: &str = "SELECT overdue_case.id FROM overdue_case INDEXED BY overdue_case_closed
      CROSS JOIN rental ON rental.id = rental_id AND ended_ms IS NOT NULL
    WHERE overdue_case.closed_ms < ?1 AND NOT EXISTS (
      SELECT 1 FROM penalty WHERE case_id = overdue_case.id AND waived_ms IS NULL
        AND last_on >= date(?1 / 1000, 'unixepoch'))
    ORDER BY overdue_case.closed_ms LIMIT ?2";

/// Reminders that may go: those of a rental that had ended by then. The day on which one was sent is the
/// site's, which may be a day ahead; none is sent behind the end.
const REMINDERS_DUE: &str = "DELETE FROM reminder WHERE (rental_id, ends_on, kind, sent_on) IN (
    SELECT rental_id, reminder.ends_on, kind, sent_on
    FROM reminder INDEXED BY reminder_sent CROSS JOIN rental ON rental.id = rental_id
    WHERE sent_on <= date(?1 / 1000, 'unixepoch', '+1 day') AND ended_ms < ?1
    ORDER BY sent_on LIMIT ?2)";

/// Notes on lockers that may go.
const NOTES_DUE: &str = "DELETE FROM locker_note WHERE id IN (
    SELECT id FROM locker_note WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)";

/// Words about a locker's service that may go: not the last ones, which say why it is as it is.
const REASONS_DUE: &str = "UPDATE locker_service SET reason = '' WHERE id IN (
    SELECT id FROM locker_service INDEXED BY locker_service_told
    WHERE reason <> '' AND at_ms < ?1 AND EXISTS (
      SELECT 1 FROM locker_service AS later
      WHERE later.locker_id = locker_service.locker_id AND later.id > locker_service.id)
    ORDER BY at_ms LIMIT ?2)";

/// Forgets at most `most` notes that staff wrote about lockers before `before_ms`, and as many of the words
/// with which lockers were taken out of service or put back by then, that it was done stays; says how
/// many of both, at most `most`.
pub fn delete_notes(conn: &Connection, before_ms: i64, most: usize) -> Result<usize, StoreError> {
    let notes = delete(conn, NOTES_DUE, before_ms, most)?;
    Ok(notes + delete(conn, REASONS_DUE, before_ms, most - notes)?)
}

/// Forgets at most `most` overdue cases that were closed before `before_ms`, with their penalties, and
/// as many reminders of rentals that had ended by then; says how many of both, at most `most`.
pub fn delete_overdue(conn: &Connection, before_ms: i64, most: usize) -> Result<usize, StoreError> {
    let mut statement = conn.prepare_cached(OVERDUE_DUE)?;
    let rows = statement.query(params![before_ms, limit(most)])?;
    let ids: Vec<i64> = collect(rows, |row| Ok(row.get(0)?))?;
    for id in &ids {
        for sql in [
            "DELETE FROM penalty WHERE case_id = ?1",
            "DELETE FROM overdue_item WHERE case_id = ?1",
            "DELETE FROM overdue_step WHERE case_id = ?1",
            "DELETE FROM overdue_case WHERE id = ?1",
        ] {
            conn.prepare_cached(sql)?.execute([id])?;
        }
    }
    let reminders = delete(conn, REMINDERS_DUE, before_ms, most - ids.len())?;
    Ok(ids.len() + reminders)
}

/// Forgets at most `most` log-ins that ended, or could not be used any more, before `before_ms`.
pub fn delete_sessions(
    conn: &Connection,
    before_ms: i64,
    most: usize,
) -> Result<usize, StoreError> {
    delete(
        conn,
        "DELETE FROM session WHERE id IN (
           SELECT id FROM session WHERE ended_ms < ?1
           UNION ALL SELECT id FROM session WHERE ended_ms IS NULL AND expires_ms < ?1 LIMIT ?2)",
        before_ms,
        most,
    )
}

/// Forgets at most `most` browsers that were last used before `before_ms`.
pub fn delete_devices(conn: &Connection, before_ms: i64, most: usize) -> Result<usize, StoreError> {
    delete(
        conn,
        "DELETE FROM device WHERE id IN (
           SELECT id FROM device WHERE last_ms < ?1 ORDER BY last_ms LIMIT ?2)",
        before_ms,
        most,
    )
}

/// Forgets at most `most` people who waited before a bank and did not any more before `before_ms`.
pub fn delete_waiting(conn: &Connection, before_ms: i64, most: usize) -> Result<usize, StoreError> {
    delete(
        conn,
        "DELETE FROM waiting WHERE id IN (
           SELECT id FROM waiting WHERE ended_ms < ?1 ORDER BY ended_ms LIMIT ?2)",
        before_ms,
        most,
    )
}

/// Forgets at most `most` mails that were sent, given up or dropped before `before_ms`.
pub fn delete_mails(conn: &Connection, before_ms: i64, most: usize) -> Result<usize, StoreError> {
    outbox::delete_old(conn, before_ms, most)
}

/// Forgets the record of runs before `before_ms`.
pub fn delete_record(conn: &Connection, before_ms: i64, most: usize) -> Result<usize, StoreError> {
    delete(
        conn,
        "DELETE FROM pruning WHERE (at_ms, what) IN (
           SELECT at_ms, what FROM pruning WHERE at_ms < ?1 ORDER BY at_ms LIMIT ?2)",
        before_ms,
        most,
    )
}

fn delete(conn: &Connection, sql: &str, before_ms: i64, most: usize) -> Result<usize, StoreError> {
    Ok(conn.prepare_cached(sql)?.execute(params![before_ms, limit(most)])?)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// Adds to the record what a run forgot.
pub fn insert_record(
    conn: &Connection,
    run_ms: i64,
    what: &str,
    rows: usize,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO pruning (at_ms, what, rows) VALUES (?1, ?2, ?3)
         ON CONFLICT (at_ms, what) DO UPDATE SET rows = rows + excluded.rows",
    )?
    .execute(params![run_ms, what, limit(rows)])?;
    Ok(())
}

/// The newest rows of the record.
pub fn list_record(conn: &Connection, most: usize) -> Result<Vec<Pruned>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT at_ms, what, rows FROM pruning ORDER BY at_ms DESC, what LIMIT ?1",
    )?;
    collect(statement.query([limit(most)])?, |row| {
        Ok(Pruned { at_ms: row.get(0)?, what: row.get(1)?, rows: row.get(2)? })
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::domain::id::{LockerId, MemberId, OpeningId};
    use crate::domain::opening::{OpenedAs, Opening, Outcome, Phase};
    use crate::store::open::{memory_with_people, whole_tables};
    use crate::store::openings;

    const DAY_MS: i64 = 86_400_000;

    fn store(conn: &Connection, locker: i64, start_ms: i64, outcome: Outcome) {
        let at = |ms| Timestamp::from_millisecond(ms).expect("in range");
        let id = OpeningId(Uuid::now_v7());
        let (locker, member) = (LockerId(locker), MemberId(1));
        let mut opening = Opening::requested(id, locker, member, OpenedAs::Renter, at(start_ms));
        opening.see(Phase::Sent, at(start_ms + 10));
        opening.see(Phase::Acknowledged, at(start_ms + 10 + start_ms % 97));
        if outcome == Outcome::DoorDidNotOpen {
            opening.see(Phase::SentAgain, at(start_ms + 900));
        } else {
            opening.see(Phase::Opened, at(start_ms + 200 + start_ms % 31));
        }
        opening.end(outcome);
        openings::upsert(conn, &opening).expect("stored");
    }

    #[test]
    fn figures_of_locks_are_the_same_before_and_after_openings_are_forgotten() {
        let conn = memory_with_people();
        for number in 0..60 {
            let outcome = if number % 7 == 0 { Outcome::DoorDidNotOpen } else { Outcome::Opened };
            store(&conn, 101 + number % 2, DAY_MS + number * DAY_MS / 10, outcome);
        }
        let figures = || openings::lock_figures(&conn, DAY_MS).expect("readable");
        let before = figures();
        assert_eq!(before.len(), 2);
        for (slice, left) in [(25, 35), (25, 16), (25, 16)] {
            delete_openings(&conn, DAY_MS + 44 * DAY_MS / 10, slice).expect("stored");
            let kept: i64 = conn
                .query_row("SELECT count(*) FROM opening", [], |row| row.get(0))
                .expect("readable");
            assert_eq!((kept, figures()), (left, before.clone()));
        }
        // What lies before the days that are asked for does not count.
        let later = openings::lock_figures(&conn, 6 * DAY_MS).expect("readable");
        assert_eq!(later.iter().map(|it| it.openings).sum::<u32>(), 10);
    }

    #[test]
    fn the_last_opening_of_a_rented_locker_stays_until_it_is_returned() {
        let conn = memory_with_people();
        for at_ms in [100, 200] {
            store(&conn, 101, at_ms, Outcome::Opened);
        }
        conn.execute_batch(
            "INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on,
                 held_ms, confirmed_ms)
               VALUES (1, 1, 101, 1, 1, 'active', '2026-03-01', '2026-06-30', 5, 6)",
        )
        .expect("consistent");
        assert_eq!(delete_openings(&conn, DAY_MS, 9).expect("stored"), 1);
        assert_eq!(delete_openings(&conn, DAY_MS, 9).expect("stored"), 0);
        conn.execute_batch(
            "UPDATE rental SET state = 'ended', ended_ms = 7, end_reason = 'returned'",
        )
        .expect("consistent");
        assert_eq!(delete_openings(&conn, DAY_MS, 9).expect("stored"), 1);
    }

    #[test]
    fn nothing_is_looked_for_by_going_through_a_whole_table() {
        let conn = memory_with_people();
        for sql in [OVERDUE_DUE, REMINDERS_DUE, NOTES_DUE, REASONS_DUE] {
            assert_eq!(whole_tables(&conn, sql), Vec::<String>::new(), "{sql}");
        }
        assert!(!whole_tables(&conn, "SELECT 1 FROM reminder WHERE kind = 'late'").is_empty());
    }

    #[test]
    fn reminders_go_when_their_rental_has_been_over_long_enough() {
        let conn = memory_with_people();
        conn.execute_batch(
            "INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on,
                 held_ms, confirmed_ms, ended_ms, end_reason)
               VALUES (1, 1, 101, 1, 1, 'ended', '1970-01-01', '1970-01-03', 5, 6, 172800000, 'returned'),
                      (2, 1, 102, 2, 1, 'active', '1970-01-01', '1970-01-03', 5, 6, NULL, NULL);
             INSERT INTO reminder (rental_id, kind, sent_on, ends_on)
               VALUES (1, 'before', '1970-01-02', '1970-01-03'),
                      (1, 'last_day', '1970-01-04', '1970-01-03'),
                      (2, 'before', '1970-01-02', '1970-01-03');",
        )
        .expect("consistent");
        assert_eq!(delete_overdue(&conn, 2 * DAY_MS, 9).expect("stored"), 0, "it ended just then");
        assert_eq!(delete_overdue(&conn, 2 * DAY_MS + 1, 1).expect("stored"), 1);
        assert_eq!(delete_overdue(&conn, 2 * DAY_MS + 1, 9).expect("stored"), 1, "a zone ahead");
        assert_eq!(delete_overdue(&conn, 99 * DAY_MS, 9).expect("stored"), 0, "it goes on");
    }

    #[test]
    fn old_words_about_lockers_go_and_the_last_ones_stay() {
        let conn = memory_with_people();
        conn.execute_batch(
            "INSERT INTO locker_note (locker_id, at_ms, member_id, text)
               VALUES (101, 5, 2, 'old'), (101, 15, 2, 'new');
             INSERT INTO locker_service (locker_id, at_ms, in_service, reason) VALUES
               (101, 5, 0, 'rust'), (101, 6, 1, 'painted'), (102, 5, 0, 'hinge'), (102, 15, 1, 'x');",
        )
        .expect("consistent");
        assert_eq!(delete_notes(&conn, 10, 2).expect("stored"), 2);
        assert_eq!(delete_notes(&conn, 10, 9).expect("stored"), 1);
        assert_eq!(delete_notes(&conn, 10, 9).expect("stored"), 0);
        let left: String = conn
            .query_row(
                "SELECT (SELECT group_concat(text) FROM locker_note) || ' '
                   || group_concat(in_service || reason) FROM locker_service",
                [],
                |row| row.get(0),
            )
            .expect("readable");
        assert_eq!(left, "new 0,1painted,0,1x");
    }

    #[test]
    fn a_run_is_recorded_once_for_each_kind() {
        let conn = memory_with_people();
        for rows in [3, 4] {
            insert_record(&conn, 10, "openings", rows).expect("stored");
        }
        insert_record(&conn, 11, "mails", 1).expect("stored");
        let row = |at_ms, what: &str, rows| Pruned { at_ms, what: what.to_owned(), rows };
        let record = list_record(&conn, 9).expect("readable");
        assert_eq!(record, [row(11, "mails", 1), row(10, "openings", 7)]);
        assert_eq!(delete_record(&conn, 11, 9).expect("stored"), 1);
    }
}
