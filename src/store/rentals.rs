//! Holds, rentals and returns in the database.
//!
//! Whether a locker or a member is free is not asked before an insert: the indexes and triggers of
//! the schema decide, and what they say comes back as [`Constraint`](super::error::Constraint).

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use super::state::{collect, date};
use crate::domain::id::{BankId, LockerId, MemberId, RentalId, TermId};
use crate::domain::pool::Reservation;
use crate::domain::rental::{EndReason, Rental, RentalState};
use crate::domain::returning::Return;
use crate::domain::time::DateSpan;

pub mod list;

/// A hold before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewHold {
    /// Which locker.
    pub locker_id: LockerId,
    /// For whom.
    pub member_id: MemberId,
    /// Under which term, if any.
    pub term_id: Option<TermId>,
    /// For which days.
    pub dates: DateSpan,
}

/// A rental that takes the place of another one, before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewReplacement {
    /// Locker, member, term and days.
    pub claim: NewHold,
    /// In whose place it comes.
    pub follows: RentalId,
}

/// A reservation before it has a number.
#[derive(Debug, Clone, Copy)]
pub struct NewReservation {
    /// In which bank.
    pub bank_id: BankId,
    /// For whom.
    pub member_id: MemberId,
    /// For which days.
    pub dates: DateSpan,
    /// Whether a compartment at an accessible height is wished for.
    pub accessible: bool,
    /// In whose place it comes, if any; that one must be over by now.
    pub follows: Option<RentalId>,
}

/// Where a live row stands. Deadlines and graces are not stored, they count in monotonic time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LiveState {
    Held,
    Active,
    /// Given back; whether its door was seen closed and its renter said that it is empty, whether it was
    /// late by then, and whether what is inside is still to be taken out.
    Returned {
        closed: bool,
        emptied: bool,
        late: bool,
        untouched: bool,
    },
}

/// A live row as stored.
#[derive(Debug)]
pub(super) struct LiveRow {
    pub(super) id: RentalId,
    pub(super) locker_id: LockerId,
    pub(super) member_id: MemberId,
    pub(super) term_id: Option<TermId>,
    pub(super) dates: DateSpan,
    pub(super) opened: bool,
    pub(super) extensions: u16,
    pub(super) hold_extended: bool,
    pub(super) sealed: bool,
    pub(super) state: LiveState,
}

/// Inserts a hold; a conflict says whether the locker or the member stands in the way.
pub fn insert_hold(conn: &Connection, hold: &NewHold, now_ms: i64) -> Result<RentalId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO rental (bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms)
         VALUES (coalesce((SELECT bank_id FROM locker WHERE id = ?1), 0), ?1, ?2, ?3, 'held', ?4, ?5, ?6)",
    )?
    .execute(params![
        hold.locker_id.0,
        hold.member_id.0,
        hold.term_id.map(|id| id.0),
        hold.dates.first().to_string(),
        hold.dates.last().to_string(),
        now_ms
    ])?;
    Ok(RentalId(conn.last_insert_rowid()))
}

/// Inserts a reservation; a conflict says that the member has another claim on these days.
pub fn insert_reservation(
    conn: &Connection,
    new: &NewReservation,
    now_ms: i64,
) -> Result<RentalId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO rental (bank_id, member_id, state, starts_on, ends_on, held_ms, accessible,
                             follows_id)
         VALUES (?1, ?2, 'reserved', ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        new.bank_id.0,
        new.member_id.0,
        new.dates.first().to_string(),
        new.dates.last().to_string(),
        now_ms,
        new.accessible,
        new.follows.map(|id| id.0)
    ])?;
    Ok(RentalId(conn.last_insert_rowid()))
}

/// Binds a locker to a stored reservation, which is an active rental from now on; false when it waits
/// no more. A conflict says that the locker is taken.
pub fn update_checked_in(
    conn: &Connection,
    id: RentalId,
    locker: LockerId,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE rental SET state = 'active', locker_id = ?2, confirmed_ms = ?3
             WHERE id = ?1 AND state = 'reserved'",
        )?
        .execute(params![id.0, locker.0, now_ms])?;
    Ok(changed == 1)
}

/// When each locker of a bank was last freed by somebody who had it without a term, as in pool mode;
/// those that never were are not listed.
pub fn list_freed(conn: &Connection, bank: BankId) -> Result<Vec<(LockerId, i64)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, freed_ms FROM (
           SELECT id, (SELECT max(ended_ms) FROM rental INDEXED BY rental_freed
                       WHERE locker_id = locker.id AND term_id IS NULL
                         AND ended_ms IS NOT NULL) AS freed_ms
           FROM locker WHERE bank_id = ?1 AND retired_ms IS NULL)
         WHERE freed_ms IS NOT NULL",
    )?;
    collect(statement.query([bank.0])?, |row| Ok((LockerId(row.get(0)?), row.get(1)?)))
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

/// Notes that a stored hold was extended; false when it is no hold any more or was extended before.
pub fn update_hold_extended(conn: &Connection, id: RentalId) -> Result<bool, StoreError> {
    let sql = "UPDATE rental SET hold_extended = 1
               WHERE id = ?1 AND state = 'held' AND hold_extended = 0";
    Ok(conn.prepare_cached(sql)?.execute([id.0])? == 1)
}

/// Gives an active rental the last day and the count of extensions that it has in `extended`; a
/// conflict says whether the locker or the member stands in the way.
pub fn update_extended(conn: &Connection, extended: &Rental) -> Result<bool, StoreError> {
    let changed = conn
        .prepare_cached(
            "UPDATE rental SET ends_on = ?2, extensions = ?3 WHERE id = ?1 AND state = 'active'",
        )?
        .execute(params![extended.id.0, extended.dates.last().to_string(), extended.extensions])?;
    Ok(changed == 1)
}

/// Inserts an active rental in the place of another one, which must be over or returned by now; a
/// conflict says whether the locker or the member stands in the way.
pub fn insert_replacement(
    conn: &Connection,
    new: &NewReplacement,
    now_ms: i64,
) -> Result<RentalId, StoreError> {
    let claim = &new.claim;
    insert_active(conn, claim, Some(new.follows), now_ms)
}

/// Inserts an active rental, perhaps in the place of another one whose extensions it takes over; a
/// conflict says whether the locker or the member stands in the way.
pub fn insert_active(
    conn: &Connection,
    claim: &NewHold,
    follows: Option<RentalId>,
    now_ms: i64,
) -> Result<RentalId, StoreError> {
    conn.prepare_cached(
        "INSERT INTO rental (bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms,
                             confirmed_ms, follows_id, extensions)
         VALUES (coalesce((SELECT bank_id FROM locker WHERE id = ?1), 0), ?1, ?2, ?3, 'active', ?4, ?5, ?6, ?6, ?7,
                 coalesce((SELECT extensions FROM rental WHERE id = ?7), 0))",
    )?
    .execute(params![
        claim.locker_id.0,
        claim.member_id.0,
        claim.term_id.map(|id| id.0),
        claim.dates.first().to_string(),
        claim.dates.last().to_string(),
        now_ms,
        follows.map(|id| id.0)
    ])?;
    Ok(RentalId(conn.last_insert_rowid()))
}

/// Gives an active rental another last day and takes its seal off; a conflict says whether the locker
/// or the member stands in the way.
pub fn update_last_day(conn: &Connection, id: RentalId, last: Date) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE rental SET ends_on = ?2, sealed_ms = NULL WHERE id = ?1")?
        .execute(params![id.0, last.to_string()])?;
    Ok(())
}

/// The bank of a rental, also of one that is over; `None` when there never was one.
pub fn find_bank(conn: &Connection, id: RentalId) -> Result<Option<BankId>, StoreError> {
    let found = conn
        .prepare_cached("SELECT bank_id FROM rental WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(found.map(BankId))
}

/// Stores what is known of an active or returned rental: whether it was given back, opened, seen
/// closed, said to be empty. What was stored before keeps its time.
pub fn update_known(conn: &Connection, rental: &Rental, now_ms: i64) -> Result<(), StoreError> {
    let returned = match rental.state {
        RentalState::Returned(it) => Some(it),
        _ => None,
    };
    let has = |what: fn(&Return) -> bool| returned.as_ref().is_some_and(what);
    conn.prepare_cached(
        "UPDATE rental SET
           state = CASE WHEN ?3 THEN 'returned' ELSE state END,
           opened_ms = CASE WHEN ?2 THEN coalesce(opened_ms, ?6) END,
           returned_ms = CASE WHEN ?3 THEN coalesce(returned_ms, ?6) END,
           closed_ms = CASE WHEN ?4 THEN coalesce(closed_ms, ?6) END,
           emptied_ms = CASE WHEN ?5 THEN coalesce(emptied_ms, ?6) END,
           returned_late = ?7, untouched = ?8
         WHERE id = ?1 AND state IN ('active', 'returned')",
    )?
    .execute(params![
        rental.id.0,
        rental.opened,
        returned.is_some(),
        has(|it| it.closed.is_some()),
        has(|it| it.emptied.is_some()),
        now_ms,
        has(|it| it.late),
        has(|it| it.untouched)
    ])?;
    Ok(())
}

/// Notes that a reservation was not served although somebody may have come; it can be checked in until its
/// last day.
pub fn update_unserved(conn: &Connection, id: RentalId, now_ms: i64) -> Result<(), StoreError> {
    let sql = "UPDATE rental SET unserved_ms = coalesce(unserved_ms, ?2)
               WHERE id = ?1 AND state = 'reserved'";
    conn.prepare_cached(sql)?.execute(params![id.0, now_ms])?;
    Ok(())
}

/// Notes that a rental's overdue case was sealed at `sealed_ms`, or that the seal was lifted.
pub fn update_sealed(
    conn: &Connection,
    id: RentalId,
    sealed_ms: Option<i64>,
) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE rental SET sealed_ms = ?2 WHERE id = ?1")?
        .execute(params![id.0, sealed_ms])?;
    Ok(())
}

/// Live rentals whose renter was told that the locker is not to be had.
pub fn list_shortages_told(conn: &Connection) -> Result<Vec<RentalId>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id FROM rental INDEXED BY rental_shortage_told
         WHERE shortage_told_ms IS NOT NULL AND ended_ms IS NULL",
    )?;
    collect(statement.query([])?, |row| Ok(RentalId(row.get(0)?)))
}

/// Notes that the renter was told that the locker is not to be had, or that it is again.
pub fn update_shortage_told(
    conn: &Connection,
    id: RentalId,
    told_ms: Option<i64>,
) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE rental SET shortage_told_ms = ?2 WHERE id = ?1")?
        .execute(params![id.0, told_ms])?;
    Ok(())
}

/// When a rental was given back, unix milliseconds; `None` for one that was not.
pub fn returned_ms(conn: &Connection, id: RentalId) -> Result<Option<i64>, StoreError> {
    let found = conn
        .prepare_cached("SELECT returned_ms FROM rental WHERE id = ?1")?
        .query_row([id.0], |row| row.get(0))
        .optional()?;
    Ok(found.flatten())
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
         WHERE ended_ms IS NULL AND locker_id IS NOT NULL ORDER BY locker_id",
    )?;
    collect(statement.query([])?, |row| Ok((MemberId(row.get(0)?), LockerId(row.get(1)?))))
}

/// Every hold and rental that has not ended.
pub(super) fn list_live(conn: &Connection) -> Result<Vec<LiveRow>, StoreError> {
    // Named, because without statistics the planner would rather walk the whole history.
    let mut statement = conn.prepare_cached(
        "SELECT id, locker_id, member_id, term_id, starts_on, ends_on, opened_ms IS NOT NULL, state,
                closed_ms IS NOT NULL, emptied_ms IS NOT NULL, extensions, hold_extended,
                sealed_ms IS NOT NULL, returned_late, untouched
         FROM rental INDEXED BY rental_live_locker
         WHERE ended_ms IS NULL AND locker_id IS NOT NULL",
    )?;
    collect(statement.query([])?, |row| {
        Ok(LiveRow {
            id: RentalId(row.get(0)?),
            locker_id: LockerId(row.get(1)?),
            member_id: MemberId(row.get(2)?),
            term_id: row.get::<_, Option<i64>>(3)?.map(TermId),
            dates: span(row, 4)?,
            opened: row.get(6)?,
            extensions: row.get(10)?,
            hold_extended: row.get(11)?,
            sealed: row.get(12)?,
            state: match row.get::<_, String>(7)?.as_str() {
                "held" => LiveState::Held,
                "active" => LiveState::Active,
                _ => LiveState::Returned {
                    closed: row.get(8)?,
                    emptied: row.get(9)?,
                    late: row.get(13)?,
                    untouched: row.get(14)?,
                },
            },
        })
    })
}

/// Every reservation that waits for its day.
pub(super) fn list_reserved(conn: &Connection) -> Result<Vec<Reservation>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT id, bank_id, member_id, starts_on, ends_on, accessible, unserved_ms IS NOT NULL
         FROM rental INDEXED BY rental_reserved WHERE state = 'reserved'",
    )?;
    collect(statement.query([])?, |row| {
        Ok(Reservation {
            id: RentalId(row.get(0)?),
            bank_id: BankId(row.get(1)?),
            member_id: MemberId(row.get(2)?),
            dates: span(row, 3)?,
            accessible: row.get(5)?,
            unserved: row.get(6)?,
        })
    })
}

/// The days of a rental, from a column and the one after it.
fn span(row: &Row<'_>, first: usize) -> Result<DateSpan, StoreError> {
    let (first, last) =
        (date(row, first, "rental", "starts_on")?, date(row, first + 1, "rental", "ends_on")?);
    DateSpan::new(first, last).ok_or_else(|| StoreError::Inconsistent {
        table: "rental",
        column: "ends_on",
        value: format!("{first}..{last}"),
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::channel::DoorState;
    use crate::domain::returning::{DoorSight, Sight, emptied, looked, moved};
    use crate::domain::time::Monotonic;
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
            term_id: Some(TermId(1)),
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

    /// A returned one, in time and by its renter.
    fn returned(closed: bool, emptied: bool) -> LiveState {
        LiveState::Returned { closed, emptied, late: false, untouched: false }
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

    fn live(conn: &Connection, id: RentalId) -> LiveRow {
        let rows = list_live(conn).expect("readable");
        rows.into_iter().find(|row| row.id == id).expect("live")
    }

    #[test]
    fn a_returned_rental_keeps_its_locker_and_lets_its_member_go() {
        let conn = memory_with_people();
        let march = |day| date(2026, 3, day);
        let id = hold(&conn, 101, 1, march(5), march(10)).expect("free");
        assert!(update_confirmed(&conn, id, 6).expect("stored"));
        let row = live(&conn, id);
        assert_eq!((row.state, row.opened), (LiveState::Active, false));
        let mut rental = Rental {
            id,
            locker_id: row.locker_id,
            member_id: row.member_id,
            term_id: row.term_id,
            dates: row.dates,
            opened: true,
            extensions: 0,
            hold_extended: false,
            sealed: false,
            state: RentalState::Active,
        };
        update_known(&conn, &rental, 7).expect("stored");
        let row = live(&conn, id);
        assert_eq!((row.state, row.opened), (LiveState::Active, true));
        rental = rental.release(MemberId(1), Monotonic(8), None).expect("active");
        update_known(&conn, &rental, 8).expect("stored");
        assert_eq!(live(&conn, id).state, returned(false, false));
        let seen = DoorSight { state: DoorState::Closed, read_at: None };
        let sight = Sight { under_way: false, door: Some(seen) };
        rental = emptied(looked(rental, &sight, Monotonic(9)), Monotonic(9));
        update_known(&conn, &rental, 9).expect("stored");
        assert_eq!(live(&conn, id).state, returned(true, true));
        assert_eq!(returned_ms(&conn, id).expect("readable"), Some(8), "the first time stands");
        rental = moved(rental, Monotonic(10));
        update_known(&conn, &rental, 10).expect("stored");
        assert_eq!(live(&conn, id).state, returned(false, false));

        let taken = hold(&conn, 101, 2, march(10), march(12));
        assert_eq!(conflict(taken), Constraint::RentalLocker);
        let next = hold(&conn, 102, 1, march(5), march(10)).expect("the member may have another");
        let third = hold(&conn, 101, 1, march(1), march(30));
        assert_eq!(conflict(third), Constraint::RentalMember, "but no third");
        // A returned one cannot become active again beside it.
        let again = "UPDATE rental SET state = 'active', returned_ms = NULL, closed_ms = NULL,
                       emptied_ms = NULL WHERE id = ?1";
        let error = StoreError::from(conn.execute(again, [id.0]).expect_err("guarded"));
        assert!(matches!(error, StoreError::Conflict(Constraint::RentalMember)), "{error:?}");
        assert!(update_ended(&conn, next, EndReason::HoldReleased, 11).expect("stored"));
        assert!(update_ended(&conn, id, EndReason::Returned, 11).expect("stored"));
        hold(&conn, 101, 2, march(10), march(12)).expect("free");
    }

    #[test]
    fn a_replacement_is_active_at_once_and_guarded_like_every_claim() {
        let conn = memory_with_people();
        let march = |day| date(2026, 3, day);
        let old = hold(&conn, 101, 1, march(5), march(10)).expect("free");
        let dates = DateSpan::new(march(5), march(10)).expect("in order");
        let claim = NewHold {
            locker_id: LockerId(102),
            member_id: MemberId(1),
            term_id: Some(TermId(1)),
            dates,
        };
        let new = NewReplacement { claim, follows: old };
        assert_eq!(conflict(insert_replacement(&conn, &new, 6)), Constraint::RentalMember);
        update_ended(&conn, old, EndReason::Replaced, 6).expect("stored");
        let id = insert_replacement(&conn, &new, 6).expect("the old one is over");
        assert_eq!(live(&conn, id).state, LiveState::Active);

        assert_eq!(list_shortages_told(&conn).expect("readable"), []);
        update_shortage_told(&conn, id, Some(7)).expect("stored");
        assert_eq!(list_shortages_told(&conn).expect("readable"), [id]);
        update_shortage_told(&conn, id, None).expect("stored");
        assert_eq!(list_shortages_told(&conn).expect("readable"), []);
    }

    #[test]
    fn a_reservation_is_bound_once_and_only_to_a_free_locker() {
        let conn = memory_with_people();
        let march = |day| date(2026, 3, day);
        let dates = |first, last| DateSpan::new(march(first), march(last)).expect("in order");
        let new = |member, dates| NewReservation {
            bank_id: BankId(1),
            member_id: MemberId(member),
            dates,
            accessible: true,
            follows: None,
        };
        let first = insert_reservation(&conn, &new(1, dates(5, 9)), 5).expect("free");
        let same = insert_reservation(&conn, &new(1, dates(9, 12)), 5);
        assert_eq!(conflict(same), Constraint::RentalMember);
        assert_eq!(conflict(hold(&conn, 101, 1, march(7), march(7))), Constraint::RentalMember);
        let kept = list_reserved(&conn).expect("readable");
        assert_eq!(kept.len(), 1);
        assert_eq!((kept[0].id, kept[0].dates, kept[0].accessible), (first, dates(5, 9), true));
        let second = insert_reservation(&conn, &new(2, dates(5, 9)), 5).expect("another member");
        assert!(update_checked_in(&conn, first, LockerId(101), 6).expect("free"));
        assert!(!update_checked_in(&conn, first, LockerId(102), 6).expect("bound before"));
        let taken = update_checked_in(&conn, second, LockerId(101), 6).map(|_| second);
        assert_eq!(conflict(taken), Constraint::RentalLocker);
        assert_eq!(live(&conn, first).state, LiveState::Active);

        assert_eq!(list_freed(&conn, BankId(1)).expect("readable"), []);
        assert!(update_ended(&conn, first, EndReason::Returned, 8).expect("stored"));
        assert!(update_checked_in(&conn, second, LockerId(101), 9).expect("free again"));
        assert!(update_ended(&conn, second, EndReason::Returned, 11).expect("stored"));
        // Whoever had it by a term is not counted.
        let by_term = hold(&conn, 102, 1, march(1), march(2)).expect("free");
        assert!(update_ended(&conn, by_term, EndReason::Returned, 12).expect("stored"));
        assert_eq!(list_freed(&conn, BankId(1)).expect("readable"), [(LockerId(101), 11)]);
        assert_eq!(list_reserved(&conn).expect("readable"), []);
    }

    #[test]
    fn the_guards_look_in_their_own_indexes() {
        // The history has a million rows one day: a guard that walked it would be a slow claim.
        let conn = memory_with_people();
        for (column, index, more) in [
            ("member_id", "rental_live_member", "AND returned_ms IS NULL"),
            ("locker_id", "rental_live_locker", ""),
        ] {
            let sql = format!(
                "EXPLAIN QUERY PLAN SELECT 1 FROM rental WHERE {column} = 1 AND ended_ms IS NULL
                 {more} AND ends_on >= '2026-03-01' AND starts_on <= '2026-03-02'"
            );
            let plan: String = conn.query_row(&sql, [], |row| row.get(3)).expect("a plan");
            assert!(plan.contains(index) && plan.contains("ends_on>?"), "{plan}");
        }
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
