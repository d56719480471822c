//! What is counted against whom: failures and uses that make the next try wait.
//!
//! Rows are counted up inside the writer, so that parallel tries are counted one by one, and they
//! survive a restart. Called by `service/limits.rs`, which knows the rules.

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::error::StoreError;
use crate::domain::id::MemberId;
use crate::domain::limit::{FAILURES_MAX, Hold, LimitKind, Subject, Tally};

/// How long after its last count a row is kept, if nobody is locked by it: 30 days.
pub const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Most rows kept; beyond, the oldest that lock nobody go first.
pub const ROWS_MAX: i64 = 200_000;

/// A limit in force, as staff see it.
#[derive(Debug, Clone)]
pub struct HeldRow {
    /// What is limited; a name of [`LimitKind`].
    pub kind: String,
    /// Whom, as stored.
    pub subject: String,
    /// Whose account it is about, and their student id.
    pub member: Option<(MemberId, String)>,
    /// The counts.
    pub tally: Tally,
}

fn tally(row: &Row<'_>) -> rusqlite::Result<Tally> {
    Ok(Tally {
        since_ms: row.get("since_ms")?,
        last_ms: row.get("last_ms")?,
        count: row.get("count")?,
        until_ms: row.get("until_ms")?,
    })
}

/// What was counted so far.
pub fn find(
    conn: &Connection,
    kind: LimitKind,
    subject: &Subject,
) -> Result<Option<Tally>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT since_ms, last_ms, count, until_ms FROM throttle
             WHERE kind = ?1 AND subject = ?2",
        )?
        .query_row(params![kind.name(), subject.text()], tally)
        .optional()?)
}

/// Whether the next try has to wait. Failures of one member count together towards the lock,
/// whatever was typed; the question is asked in the same way when nobody is known.
pub fn hold(
    conn: &Connection,
    kind: LimitKind,
    subject: &Subject,
    now_ms: i64,
) -> Result<Option<Hold>, StoreError> {
    let failures = failures_of_member(conn, kind, subject)?;
    let own = find(conn, kind, subject)?.and_then(|tally| tally.hold(now_ms));
    Ok(if failures >= i64::from(FAILURES_MAX) { Some(Hold::Locked) } else { own })
}

/// How often a subject's member failed in a row, where that counts together; else 0.
pub fn failures_of_member(
    conn: &Connection,
    kind: LimitKind,
    subject: &Subject,
) -> Result<i64, StoreError> {
    let member = subject.member_id().filter(|_| kind.counts_by_member());
    Ok(conn
        .prepare_cached(
            "SELECT coalesce(sum(count), 0) FROM throttle WHERE member_id = ?1 AND kind = ?2",
        )?
        .query_row(params![member.map_or(-1, |id| id.0), kind.name()], |row| row.get(0))?)
}

/// Stores what was counted.
pub fn upsert(
    conn: &Connection,
    kind: LimitKind,
    subject: &Subject,
    tally: &Tally,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "INSERT INTO throttle (kind, subject, member_id, since_ms, last_ms, count, until_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (kind, subject) DO UPDATE SET member_id = ?3, since_ms = ?4, last_ms = ?5,
           count = ?6, until_ms = ?7",
    )?
    .execute(params![
        kind.name(),
        subject.text(),
        subject.member_id().map(|id| id.0),
        tally.since_ms,
        tally.last_ms,
        tally.count,
        tally.until_ms
    ])?;
    Ok(())
}

/// Forgets what was counted for a subject, and for its member whatever they typed; says how many
/// rows that were.
pub fn delete(conn: &Connection, kind: LimitKind, subject: &Subject) -> Result<usize, StoreError> {
    let own = conn
        .prepare_cached("DELETE FROM throttle WHERE kind = ?1 AND subject = ?2")?
        .execute(params![kind.name(), subject.text()])?;
    match subject.member_id() {
        Some(member) if kind.counts_by_member() => Ok(own + delete_of_member(conn, kind, member)?),
        _ => Ok(own),
    }
}

/// Forgets what was counted for a member.
pub fn delete_of_member(
    conn: &Connection,
    kind: LimitKind,
    member: MemberId,
) -> Result<usize, StoreError> {
    Ok(conn
        .prepare_cached("DELETE FROM throttle WHERE member_id = ?1 AND kind = ?2")?
        .execute(params![member.0, kind.name()])?)
}

/// Finds a row by its names, as staff ask for it.
pub fn find_held(
    conn: &Connection,
    kind: &str,
    subject: &str,
) -> Result<Option<HeldRow>, StoreError> {
    Ok(conn
        .prepare_cached(
            "SELECT kind, subject, member_id, student_id, since_ms, last_ms, count, until_ms
             FROM throttle LEFT JOIN member ON member.id = member_id
             WHERE kind = ?1 AND subject = ?2",
        )?
        .query_row([kind, subject], held_row)
        .optional()?)
}

/// Forgets a row that staff release, with what else its member failed at.
pub fn delete_held(conn: &Connection, kind: LimitKind, row: &HeldRow) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM throttle WHERE kind = ?1 AND subject = ?2")?
        .execute([kind.name(), &row.subject])?;
    if let Some((member, _)) = row.member.as_ref().filter(|_| kind.counts_by_member()) {
        delete_of_member(conn, kind, *member)?;
    }
    Ok(())
}

/// Limits that hold somebody back at `now_ms`, by kind and subject, behind the given one; at most
/// `limit`.
pub fn list_held(
    conn: &Connection,
    after: Option<(&str, &str)>,
    limit: u32,
    now_ms: i64,
) -> Result<Vec<HeldRow>, StoreError> {
    let (kind, subject) = after.unwrap_or_default();
    let mut statement = conn.prepare_cached(
        "SELECT kind, subject, member_id, student_id, since_ms, last_ms, count, until_ms
         FROM throttle LEFT JOIN member ON member.id = member_id
         WHERE (kind, subject) > (?1, ?2) AND until_ms > ?3 AND (last_ms <= ?3 OR until_ms = ?4)
         ORDER BY kind, subject LIMIT ?5",
    )?;
    let rows =
        statement.query_map(params![kind, subject, now_ms, Tally::LOCKED, limit], held_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn held_row(row: &Row<'_>) -> rusqlite::Result<HeldRow> {
    let member: Option<i64> = row.get("member_id")?;
    let student_id: Option<String> = row.get("student_id")?;
    Ok(HeldRow {
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        member: member.map(MemberId).zip(student_id),
        tally: tally(row)?,
    })
}

/// Forgets at most `most` rows that hold nobody back and are old or too many; says how many.
pub fn delete_old(conn: &Connection, now_ms: i64, most: usize) -> Result<usize, StoreError> {
    let rows: i64 = conn.query_row("SELECT count(*) FROM throttle", [], |row| row.get(0))?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let old = conn
        .prepare_cached(
            "DELETE FROM throttle WHERE (kind, subject) IN (
               SELECT kind, subject FROM throttle WHERE last_ms <= ?1 AND until_ms <> ?2
               ORDER BY last_ms LIMIT ?3)",
        )?
        .execute(params![now_ms - KEPT_MS, Tally::LOCKED, most])?;
    let surplus = (rows - ROWS_MAX - i64::try_from(old).unwrap_or(0)).clamp(0, most);
    let dropped = conn
        .prepare_cached(
            "DELETE FROM throttle WHERE (kind, subject) IN (
               SELECT kind, subject FROM throttle WHERE until_ms <> ?1 ORDER BY last_ms LIMIT ?2)",
        )?
        .execute(params![Tally::LOCKED, surplus])?;
    Ok(old + dropped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::limit::{LimitRules, Rule};
    use crate::store::open::memory_with_people;

    const LOG_IN: LimitKind = LimitKind::LogIn;

    fn fail(conn: &Connection, kind: LimitKind, subject: &Subject, now_ms: i64) {
        let before = find(conn, kind, subject).expect("readable");
        let tally = kind.rule(&LimitRules::default()).count(before, now_ms);
        upsert(conn, kind, subject, &tally).expect("stored");
    }

    #[test]
    fn failures_of_one_member_add_up_whatever_was_typed() {
        let conn = memory_with_people();
        let id = Subject::typed(&[1; 32], Some(MemberId(1)));
        let mail = Subject::typed(&[2; 32], Some(MemberId(1)));
        let (mut now, mut holds) = (0, Vec::new());
        for _ in 0..50 {
            now += 10_000;
            fail(&conn, LOG_IN, &id, now);
            fail(&conn, LOG_IN, &mail, now);
            holds.push(hold(&conn, LOG_IN, &id, now).expect("readable"));
        }
        assert_eq!(holds[0], Some(Hold::For(1_000)));
        assert_eq!((holds[48], holds[49]), (Some(Hold::For(10_000)), Some(Hold::Locked)));
        let stranger = Subject::typed(&[3; 32], None);
        assert_eq!(hold(&conn, LOG_IN, &stranger, now).expect("readable"), None);
        assert_eq!(delete(&conn, LOG_IN, &mail).expect("stored"), 2);
        assert_eq!(hold(&conn, LOG_IN, &id, now).expect("readable"), None);
    }

    #[test]
    fn a_known_device_is_forgiven_alone() {
        let conn = memory_with_people();
        let (one, two) =
            (Subject::device(&[1; 32], MemberId(1)), Subject::device(&[2; 32], MemberId(1)));
        fail(&conn, LimitKind::LogInDevice, &one, 1);
        fail(&conn, LimitKind::LogInDevice, &two, 1);
        assert_eq!(delete(&conn, LimitKind::LogInDevice, &one).expect("stored"), 1);
        assert!(hold(&conn, LimitKind::LogInDevice, &two, 1).expect("readable").is_some());
    }

    #[test]
    fn old_rows_go_and_locks_stay() {
        let conn = memory_with_people();
        let (old, locked) = (Subject::address("10.0.0.1"), Subject::member(MemberId(1)));
        fail(&conn, LimitKind::Address, &old, 1);
        let tally = Tally { since_ms: 1, last_ms: 1, count: 100, until_ms: Tally::LOCKED };
        upsert(&conn, LOG_IN, &locked, &tally).expect("stored");
        assert_eq!(delete_old(&conn, KEPT_MS, 10).expect("stored"), 0);
        assert_eq!(delete_old(&conn, KEPT_MS + 1, 10).expect("stored"), 1);
        let left = list_held(&conn, None, 10, KEPT_MS).expect("readable");
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].member.as_ref().map(|(id, _)| *id), Some(MemberId(1)));
        assert_eq!((left[0].kind.as_str(), left[0].subject.as_str()), ("log_in", "member:1"));
        let after = Some(("log_in", "member:1"));
        assert!(list_held(&conn, after, 10, 2).expect("readable").is_empty());
    }

    #[test]
    fn only_what_holds_somebody_back_is_listed() {
        let conn = memory_with_people();
        let subject = Subject::address("10.0.0.1");
        let rule = Rule::Window { most: 2, window_ms: 100 };
        let one = rule.count(None, 10);
        upsert(&conn, LimitKind::Address, &subject, &one).expect("stored");
        assert!(list_held(&conn, None, 10, 10).expect("readable").is_empty());
        let two = rule.count(Some(one), 20);
        upsert(&conn, LimitKind::Address, &subject, &two).expect("stored");
        assert_eq!(list_held(&conn, None, 10, 50).expect("readable").len(), 1);
        assert!(list_held(&conn, None, 10, 110).expect("readable").is_empty());
    }
}
