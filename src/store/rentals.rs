//! Holds and rentals in the database.
//!
//! Whether a locker or a member is free is not asked before an insert: the indexes and triggers of
//! the schema decide, and what they say comes back as [`Constraint`](super::error::Constraint).

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::state::{collect, date};
use crate::domain::id::{LockerId, MemberId, RentalId, TermId};
use crate::domain::rental::EndReason;
use crate::domain::time::DateSpan;

/// A hold before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewHold {
    /// Which locker.
    pub locker_id: LockerId,
    /// For whom.
    pub member_id: MemberId,
    /// Under which term.
    pub term_id: TermId,
    /// For which days.
    pub dates: DateSpan,
}

/// A live row as stored; a hold's deadline is not stored, it counts in monotonic time.
#[derive(Debug)]
pub(super) struct LiveRow {
    pub(super) id: RentalId,
    pub(super) locker_id: LockerId,
    pub(super) member_id: MemberId,
    pub(super) term_id: TermId,
    pub(super) dates: DateSpan,
    pub(super) confirmed: bool,
}

/// Inserts a hold; a conflict says whether the locker or the member stands in the way.
pub fn insert_hold(conn: &Connection, hold: &NewHold, now_ms: i64) -> Result<RentalId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO rental (locker_id, member_id, term_id, state, starts_on, ends_on, held_ms)
         VALUES (?1, ?2, ?3, 'held', ?4, ?5, ?6)",
    )?
    .execute(params![
        hold.locker_id.0,
        hold.member_id.0,
        hold.term_id.0,
        hold.dates.first().to_string(),
        hold.dates.last().to_string(),
        now_ms
    ])?;
    Ok(RentalId(conn.last_insert_rowid()))
}

/// Makes a stored hold an active rental; false when it is no hold any more.
pub fn update_confirmed(conn: &Connection, id: RentalId, now_ms: i64) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE rental SET state = 'active', confirmed_ms = ?2 WHERE id = ?1 AND state = 'held'",
        )?
        .execute(params![id.0, now_ms])?;
    Ok(changed == 1)
}

/// Ends a live rental; false when it had ended before.
pub fn update_ended(
    conn: &Connection,
    id: RentalId,
    reason: EndReason,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE rental SET state = 'ended', ended_ms = ?2, end_reason = ?3
             WHERE id = ?1 AND ended_ms IS NULL",
        )?
        .execute(params![id.0, now_ms, reason.name()])?;
    Ok(changed == 1)
}

/// Every locker that is held or rented, with by whom.
pub fn list_taken(conn: &Connection) -> Result<Vec<(MemberId, LockerId)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT member_id, locker_id FROM rental INDEXED BY rental_live_locker
         WHERE ended_ms IS NULL ORDER BY locker_id",
    )?;
    collect(statement.query([])?, |row| Ok((MemberId(row.get(0)?), LockerId(row.get(1)?))))
}

/// Every hold and rental that has not ended.
pub(super) fn list_live(conn: &Connection) -> Result<Vec<LiveRow>, StoreError> {
    // Named, because without statistics the planner would rather walk the whole history.
    let mut statement = conn.prepare_cached(
        "SELECT id, locker_id, member_id, term_id, starts_on, ends_on, state = 'active'
         FROM rental INDEXED BY rental_live_locker WHERE ended_ms IS NULL",
    )?;
    collect(statement.query([])?, |row| {
        let first = date(row, 4, "rental", "starts_on")?;
        let last = date(row, 5, "rental", "ends_on")?;
        Ok(LiveRow {
            id: RentalId(row.get(0)?),
            locker_id: LockerId(row.get(1)?),
            member_id: MemberId(row.get(2)?),
            term_id: TermId(row.get(3)?),
            dates: DateSpan::new(first, last).ok_or_else(|| StoreError::Inconsistent {
                table: "rental",
                column: "ends_on",
                value: format!("{first}..{last}"),
            })?,
            confirmed: row.get(6)?,
        })
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;
    use crate::store::error::Constraint;
    use crate::store::open::memory_with_people;

    fn hold(
        conn: &Connection,
        locker: i64,
        member: i64,
        first: Date,
        last: Date,
    ) -> Result<RentalId, StoreError> {
        let dates = DateSpan::new(first, last).expect("in order");
        let hold = NewHold {
            locker_id: LockerId(locker),
            member_id: MemberId(member),
            term_id: TermId(1),
            dates,
        };
        insert_hold(conn, &hold, 5)
    }

    fn conflict(result: Result<RentalId, StoreError>) -> Constraint {
        match result {
            Err(StoreError::Conflict(constraint)) => constraint,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn no_two_live_rentals_overlap_and_an_ended_one_is_no_hindrance() {
        let conn = memory_with_people();
        let march = |day| date(2026, 3, day);
        let first = hold(&conn, 101, 1, march(5), march(10)).expect("free");
        for (from, to) in [(5, 10), (1, 5), (10, 20), (6, 7), (1, 30)] {
            let again = hold(&conn, 101, 2, march(from), march(to));
            assert_eq!(conflict(again), Constraint::RentalLocker, "{from}..{to}");
            let elsewhere = hold(&conn, 102, 1, march(from), march(to));
            assert_eq!(conflict(elsewhere), Constraint::RentalMember, "{from}..{to}");
        }
        hold(&conn, 101, 2, march(11), march(12)).expect("the day after is free");
        assert!(update_confirmed(&conn, first, 6).expect("stored"));
        assert!(!update_confirmed(&conn, first, 6).expect("no hold any more"));
        assert!(update_ended(&conn, first, EndReason::Returned, 7).expect("stored"));
        assert!(!update_ended(&conn, first, EndReason::Returned, 7).expect("over before"));
        hold(&conn, 101, 1, march(5), march(10)).expect("free again");
        assert_eq!(list_live(&conn).expect("readable").len(), 2);
    }

    #[test]
    fn the_indexes_alone_refuse_the_same_dates() {
        let conn = memory_with_people();
        conn.execute_batch("DROP TRIGGER rental_insert_overlap").expect("dropped");
        let (first, last) = (date(2026, 3, 1), date(2026, 6, 30));
        hold(&conn, 101, 1, first, last).expect("free");
        assert_eq!(conflict(hold(&conn, 101, 2, first, last)), Constraint::RentalLocker);
        assert_eq!(conflict(hold(&conn, 102, 1, first, last)), Constraint::RentalMember);
    }

    #[test]
    fn a_missing_locker_is_a_reference_conflict() {
        let result = hold(&memory_with_people(), 999, 1, date(2026, 3, 1), date(2026, 3, 2));
        assert_eq!(conflict(result), Constraint::Reference);
    }

    #[test]
    fn every_end_reason_is_known_to_the_schema() {
        let conn = memory_with_people();
        for (number, reason) in (1_i8..).zip(EndReason::ALL) {
            let day = date(2026, 4, number);
            let id = hold(&conn, 101, 1, day, day).expect("free");
            assert!(update_ended(&conn, id, reason, 9).expect("the CHECK knows it"));
        }
    }
}
