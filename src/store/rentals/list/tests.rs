//! Pages of rentals: every filter, every order, to the end, and by an index.

use super::*;
use crate::store::open::{memory_with_people, plan};

/// Ten rentals that are over, of lockers 101 and 102 in turns, and two that are live.
fn history() -> Connection {
    let conn = memory_with_people();
    conn.execute_batch(
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
         INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on,
           held_ms, confirmed_ms, ended_ms, end_reason)
         SELECT i + 1, 1, 101 + i % 2, 1 + i % 2, 1, 'ended', printf('2026-01-%02d', i + 1),
           printf('2026-01-%02d', i + 1), i, i, i + 1, 'returned' FROM n;
         INSERT INTO rental (id, bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
           confirmed_ms)
         VALUES (11, 1, 101, 1, 'active', '2026-03-01', '2026-03-09', 20, 21),
                (12, 1, 102, 2, 'active', '2026-03-01', '2026-03-05', 22, 23);",
    )
    .expect("stored");
    conn
}

fn all(conn: &Connection, filter: &RentalFilter, limit: usize) -> Vec<i64> {
    let (mut ids, mut after) = (Vec::new(), None);
    for _ in 0..40 {
        let found = list(conn, filter, after.take(), limit).expect("readable");
        assert!(found.rows.len() <= limit);
        ids.extend(found.rows.iter().map(|row| row.id.0));
        match found.reached {
            Some(end) => after = Some(end),
            None => return ids,
        }
    }
    panic!("the pages do not end");
}

#[test]
fn pages_of_any_size_give_everything_once_in_every_order() {
    let conn = history();
    let live = RentalFilter { live: true, ..RentalFilter::default() };
    let of_locker = RentalFilter { locker: Some(LockerId(101)), ..RentalFilter::default() };
    for limit in [1, 2, 3, 20] {
        assert_eq!(all(&conn, &RentalFilter::default(), limit), (1..=12).rev().collect::<Vec<_>>());
        assert_eq!(all(&conn, &live, limit), [12, 11]);
        let by = |order| RentalFilter { order, ..live.clone() };
        assert_eq!(all(&conn, &by(RentalOrder::EndsOn), limit), [12, 11]);
        assert_eq!(all(&conn, &by(RentalOrder::Locker), limit), [11, 12]);
        assert_eq!(all(&conn, &of_locker, limit), [11, 9, 7, 5, 3, 1]);
        let by_day = RentalFilter { order: RentalOrder::EndsOn, ..of_locker.clone() };
        assert_eq!(all(&conn, &by_day, limit), [1, 3, 5, 7, 9, 11]);
    }
}

#[test]
fn each_filter_finds_its_own() {
    let conn = history();
    let day = |text: &str| Some(text.parse().expect("a day"));
    let none = RentalFilter::default;
    for (filter, found) in [
        (RentalFilter { state: Some(StoredState::Active), ..none() }, vec![12, 11]),
        (RentalFilter { late_on: day("2026-03-06"), ..none() }, vec![12]),
        (RentalFilter { late_on: day("2026-03-05"), ..none() }, vec![]),
        (RentalFilter { member: Some(MemberId(2)), live: true, ..none() }, vec![12]),
        (RentalFilter { banks: Some(vec![BankId(1)]), live: true, ..none() }, vec![12, 11]),
        (RentalFilter { banks: Some(Vec::new()), ..none() }, vec![]),
        (RentalFilter { term: Some(TermId(1)), from: day("2026-01-09"), ..none() }, vec![10, 9]),
        (RentalFilter { to: day("2026-01-01"), ..none() }, vec![1]),
        (RentalFilter { text: Some("%".to_owned()), ..none() }, vec![]),
    ] {
        assert_eq!(all(&conn, &filter, 4), found, "{filter:?}");
    }
    let name: String = conn
        .query_row("SELECT student_id FROM member WHERE id = 2", [], |row| row.get(0))
        .expect("there");
    let of_text = RentalFilter { text: Some(name), live: true, ..none() };
    assert_eq!(all(&conn, &of_text, 4), [12]);
}

#[test]
fn only_the_history_as_a_whole_is_walked() {
    // With a million rows behind it, each of these still looks at few.
    let conn = history();
    for (filter, index) in [
        (RentalFilter { live: true, ..RentalFilter::default() }, "rental_live_ends"),
        (
            RentalFilter { locker: Some(LockerId(101)), ..RentalFilter::default() },
            "rental_of_locker (locker_id=?)",
        ),
        (
            RentalFilter { member: Some(MemberId(1)), ..RentalFilter::default() },
            "rental_of_member (member_id=?)",
        ),
    ] {
        let plan = plan(&conn, &few_sql(&filter, "", "DESC"));
        assert!(plan.iter().any(|step| step.contains(index)), "{plan:?}");
    }
    // The history itself is walked by number, so far and no further.
    let plan = plan(&conn, &walk_sql());
    assert!(plan.iter().any(|it| it.contains("PRIMARY KEY (rowid<?)")), "{plan:?}");
    assert!(!plan.iter().any(|it| it.starts_with("SCAN rental ")), "{plan:?}");
}
