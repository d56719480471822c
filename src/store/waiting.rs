//! The lines before banks in the database.
//!
//! That nobody waits twice for one term is a unique index; the order is that of the numbers, which
//! are given inside the writer. Called by `service/waiting.rs`.

use rusqlite::{Connection, params};

use super::error::StoreError;
use super::state::{collect, instant};
use crate::domain::id::{BankId, MemberId, RentalId, TermId, WaitingId};
use crate::domain::waiting::{Waiter, WaitingEnd};

/// Puts a member at the end of the line before a bank for a term.
pub fn insert(
    conn: &Connection,
    (bank, term): (BankId, TermId),
    member: MemberId,
    now_ms: i64,
) -> Result<WaitingId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO waiting (bank_id, term_id, member_id, since_ms) VALUES (?1, ?2, ?3, ?4)",
    )?
    .execute(params![bank.0, term.0, member.0, now_ms])?;
    Ok(WaitingId(conn.last_insert_rowid()))
}

/// Notes which hold is somebody's offer; `None`: the offer was taken back and they wait again.
pub fn update_offer(
    conn: &Connection,
    id: WaitingId,
    offer: Option<RentalId>,
    now_ms: i64,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "UPDATE waiting SET rental_id = ?2, offered_ms = iif(?2 IS NULL, NULL, ?3)
         WHERE id = ?1 AND ended_ms IS NULL",
    )?
    .execute(params![id.0, offer.map(|it| it.0), now_ms])?;
    Ok(())
}

/// Notes that somebody does not wait any more; false when that was so before.
pub fn update_ended(
    conn: &Connection,
    id: WaitingId,
    reason: WaitingEnd,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE waiting SET ended_ms = ?2, end_reason = ?3 WHERE id = ?1 AND ended_ms IS NULL",
        )?
        .execute(params![id.0, now_ms, reason.name()])?;
    Ok(changed == 1)
}

/// Everybody who waits, in their order.
pub(super) fn list_live(conn: &Connection) -> Result<Vec<Waiter>, StoreError> {
    // Named, because without statistics the planner would rather walk the whole history.
    let mut statement = conn.prepare_cached(
        "SELECT id, bank_id, term_id, member_id, since_ms, rental_id
         FROM waiting INDEXED BY waiting_line WHERE ended_ms IS NULL ORDER BY id",
    )?;
    collect(statement.query([])?, |row| {
        Ok(Waiter {
            id: WaitingId(row.get(0)?),
            bank_id: BankId(row.get(1)?),
            term_id: TermId(row.get(2)?),
            member_id: MemberId(row.get(3)?),
            since: instant(row.get(4)?),
            offer: row.get::<_, Option<i64>>(5)?.map(RentalId),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::Constraint;
    use crate::store::open::memory_with_people;
    use crate::store::rentals::{NewHold, insert_hold};

    #[test]
    fn nobody_waits_twice_for_one_term_and_the_order_is_that_of_joining() {
        let conn = memory_with_people();
        let place = (BankId(1), TermId(1));
        let join = |member, now_ms| insert(&conn, place, MemberId(member), now_ms);
        let first = join(1, 9).expect("stored");
        // A wall clock that was set back changes no order.
        let second = join(2, 5).expect("stored");
        let again = join(1, 10).expect_err("waits already");
        let unique = Constraint::Unique("waiting.member_id, waiting.term_id".to_owned());
        assert!(matches!(again, StoreError::Conflict(known) if known == unique));
        let ids = || -> Vec<_> {
            list_live(&conn).expect("readable").iter().map(|it| (it.id, it.offer)).collect()
        };
        assert_eq!(ids(), [(first, None), (second, None)]);
        let dates = crate::domain::time::DateSpan::new(
            jiff::civil::date(2026, 3, 1),
            jiff::civil::date(2026, 6, 30),
        );
        let hold = NewHold {
            locker_id: crate::domain::id::LockerId(101),
            member_id: MemberId(1),
            term_id: Some(TermId(1)),
            dates: dates.expect("in order"),
        };
        let rental = insert_hold(&conn, &hold, 11).expect("free");
        update_offer(&conn, first, Some(rental), 11).expect("stored");
        assert_eq!(ids(), [(first, Some(rental)), (second, None)]);
        update_offer(&conn, first, None, 12).expect("stored");
        assert_eq!(ids(), [(first, None), (second, None)]);
        assert!(update_ended(&conn, first, WaitingEnd::Left, 13).expect("stored"));
        assert!(!update_ended(&conn, first, WaitingEnd::Left, 13).expect("over before"));
        assert_eq!(ids(), [(second, None)]);
        let third = join(1, 14).expect("at the end");
        assert_eq!(ids(), [(second, None), (third, None)]);
        for (at_ms, reason) in (20..).zip(WaitingEnd::ALL) {
            let id = join(1, at_ms).ok().or_else(|| list_live(&conn).ok()?.last().map(|it| it.id));
            let ended = update_ended(&conn, id.expect("waits"), reason, at_ms);
            assert!(ended.expect("the schema knows it"), "{reason:?}");
        }
    }
}
