//! How often something happened on a day, where no row tells of each time; and what was forgotten
//! because it was old enough. Shown in the daily mail.

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, params};

use super::error::StoreError;
use super::state::collect;

/// Log-ins that were refused because something did not match.
pub const LOG_IN_REFUSED: &str = "log_in_refused";

/// Counts one more on a day.
pub fn add(conn: &Connection, day: Date, what: &str) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO day_count (day_on, what, count) VALUES (?1, ?2, 1)
         ON CONFLICT (day_on, what) DO UPDATE SET count = count + 1",
    )?
    .execute(params![day.to_string(), what])?;
    Ok(())
}

/// How often it happened on a day.
pub fn find(conn: &Connection, day: Date, what: &str) -> Result<i64, StoreError> {
    let sql = "SELECT count FROM day_count WHERE day_on = ?1 AND what = ?2";
    let row = params![day.to_string(), what];
    let found = conn.prepare_cached(sql)?.query_row(row, |row| row.get(0)).optional()?;
    Ok(found.unwrap_or(0))
}

/// Forgets the counts of days before this one; says how many rows.
pub fn delete_before(conn: &Connection, day: Date) -> Result<usize, StoreError> {
    let sql = "DELETE FROM day_count WHERE day_on < ?1";
    Ok(conn.prepare_cached(sql)?.execute([day.to_string()])?)
}

/// What was forgotten between two times (unix milliseconds, the second not included): what, and how
/// many rows.
pub fn list_pruned(
    conn: &Connection,
    from_ms: i64,
    to_ms: i64,
) -> Result<Vec<(String, i64)>, StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT what, sum(rows) FROM pruning WHERE at_ms >= ?1 AND at_ms < ?2
         GROUP BY what ORDER BY what",
    )?;
    collect(statement.query([from_ms, to_ms])?, |row| Ok((row.get(0)?, row.get(1)?)))
}

/// How many openings were asked for between two times, and how many of them did not open a door.
pub fn openings(conn: &Connection, from_ms: i64, to_ms: i64) -> Result<(i64, i64), StoreError> {
    let mut statement = conn.prepare_cached(
        "SELECT count(*), coalesce(sum(outcome NOT IN ('opened', 'already_open', 'unseen')), 0)
         FROM opening WHERE requested_ms >= ?1 AND requested_ms < ?2",
    )?;
    Ok(statement.query_row([from_ms, to_ms], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

/// How many alarms wait for somebody to take note.
pub fn alarms_waiting(conn: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT count(*) FROM alarm WHERE acknowledged_ms IS NULL AND cleared_ms IS NULL";
    Ok(conn.query_row(sql, [], |row| row.get(0))?)
}

/// Notes that the daily mail of a day was written; false when it was already.
pub fn insert_daily_mail(conn: &Connection, day: Date, now_ms: i64) -> Result<bool, StoreError> {
    let sql = "INSERT INTO daily_mail (day_on, written_ms) VALUES (?1, ?2)
               ON CONFLICT (day_on) DO NOTHING";
    Ok(conn.prepare_cached(sql)?.execute(params![day.to_string(), now_ms])? == 1)
}

/// Whether the daily mail of a day was written.
pub fn has_daily_mail(conn: &Connection, day: Date) -> Result<bool, StoreError> {
    let sql = "SELECT count(*) FROM daily_mail WHERE day_on = ?1";
    Ok(conn.query_row(sql, [day.to_string()], |row| row.get::<_, i64>(0))? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::memory_with_people;

    #[test]
    fn days_count_apart_and_are_forgotten() {
        let conn = memory_with_people();
        let (first, second) = (jiff::civil::date(2026, 3, 1), jiff::civil::date(2026, 3, 2));
        for day in [first, second, second] {
            add(&conn, day, LOG_IN_REFUSED).expect("counted");
        }
        assert_eq!(find(&conn, second, LOG_IN_REFUSED).expect("readable"), 2);
        assert_eq!(find(&conn, second, "other").expect("readable"), 0);
        assert_eq!(delete_before(&conn, second).expect("deleted"), 1);
        assert_eq!(find(&conn, first, LOG_IN_REFUSED).expect("readable"), 0);
        assert_eq!(find(&conn, second, LOG_IN_REFUSED).expect("readable"), 2);
    }

    #[test]
    fn openings_of_a_day_and_a_daily_mail_once() {
        let conn = memory_with_people();
        for (at_ms, outcome) in [(9, "opened"), (10, "opened"), (11, "refused"), (20, "refused")] {
            let id = format!("{at_ms:036}");
            conn.execute(
                "INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, outcome)
                 VALUES (?1, 101, 1, 'renter', ?2, ?3)",
                params![id, at_ms, outcome],
            )
            .expect("stored");
        }
        assert_eq!(openings(&conn, 10, 20).expect("readable"), (2, 1));
        let day = jiff::civil::date(2026, 3, 2);
        assert!(insert_daily_mail(&conn, day, 5).expect("stored"));
        assert!(!insert_daily_mail(&conn, day, 6).expect("stored"));
        assert!(has_daily_mail(&conn, day).expect("readable"));
        let next = day.tomorrow().expect("there");
        assert!(!has_daily_mail(&conn, next).expect("readable"));
    }
}
