//! Making somebody nameless: every personal column is blanked, the row and its history stay, so
//! that rentals and openings can still be counted.

use rusqlite::{Connection, params};

use super::super::error::StoreError;
use crate::domain::id::MemberId;

/// What is removed with a member. Sessions have ended before; here they lose where they came from.
const BLANKED: &[&str] = &[
    "UPDATE session SET user_agent = '', address = '', device_id = NULL WHERE member_id = ?1",
    // A shared computer stays known for the others who use it.
    "DELETE FROM device WHERE id IN (SELECT device_id FROM member_device WHERE member_id = ?1)
       AND NOT EXISTS (SELECT 1 FROM member_device AS other
                       WHERE other.device_id = device.id AND other.member_id <> ?1)",
    "DELETE FROM member_device WHERE member_id = ?1",
    "DELETE FROM totp WHERE member_id = ?1",
    "DELETE FROM recovery_code WHERE member_id = ?1",
    "DELETE FROM presence_use WHERE member_id = ?1",
    "DELETE FROM code WHERE member_id = ?1",
    "DELETE FROM throttle WHERE member_id = ?1",
    "DELETE FROM idempotency WHERE member_id = ?1",
    "DELETE FROM bank_staff WHERE member_id = ?1",
    "DELETE FROM waiting WHERE member_id = ?1 AND ended_ms IS NOT NULL",
    "UPDATE overdue_case SET storage = NULL, handed_to = NULL WHERE member_id = ?1",
    "UPDATE overdue_step SET reason = NULL
     WHERE case_id IN (SELECT id FROM overdue_case WHERE member_id = ?1)",
    "DELETE FROM overdue_item WHERE case_id IN (SELECT id FROM overdue_case WHERE member_id = ?1)",
    "UPDATE penalty SET waived_reason = '' WHERE member_id = ?1 AND waived_ms IS NOT NULL",
    // What was not sent cannot be sent any more; what was, stays as a date.
    "DELETE FROM outbox WHERE member_id = ?1 AND sent_ms IS NULL",
    "UPDATE outbox SET address = NULL, payload = '{}', sealed = NULL, last_error = NULL
     WHERE member_id = ?1",
];

/// Mails to the address itself: sign-ups that somebody tried with it.
const MAILS_TO_ADDRESS: &str = "DELETE FROM outbox WHERE member_id IS NULL
    AND address = (SELECT email FROM member WHERE id = ?1)";

/// Blanks everything personal of a member. The student id becomes a mark that nobody can have.
pub fn anonymise(conn: &Connection, id: MemberId, now_ms: i64) -> Result<(), StoreError> {
    for sql in [&MAILS_TO_ADDRESS].into_iter().chain(BLANKED) {
        conn.prepare_cached(sql)?.execute([id.0])?;
    }
    conn.prepare_cached(
        "UPDATE member SET student_id = 'left-' || id, name = '', phone = NULL, email = NULL,
           department = NULL, language = 'ko', password_hash = NULL, email_verified_ms = NULL,
           password_changed_ms = NULL, last_login_ms = NULL, consent_version = NULL,
           consent_ms = NULL, on_roster = 0, leaving_ms = NULL, disabled_ms = NULL,
           disabled_reason = NULL, left_ms = coalesce(left_ms, ?2), anonymised_ms = ?2
         WHERE id = ?1",
    )?
    .execute(params![id.0, now_ms])?;
    Ok(())
}

/// At most `most` people who left, or are leaving with nothing rented or kept for them, since before
/// `before_ms` and who are not nameless yet.
pub fn list_due(
    conn: &Connection,
    before_ms: i64,
    most: usize,
) -> Result<Vec<MemberId>, StoreError> {
    super::ids(
        conn,
        "SELECT id FROM member WHERE left_ms < ?1 AND anonymised_ms IS NULL
         UNION ALL
         SELECT id FROM member WHERE leaving_ms < ?1 AND left_ms IS NULL AND role = 'student'
           AND NOT EXISTS (SELECT 1 FROM rental INDEXED BY rental_of_member
                           WHERE member_id = member.id AND ended_ms IS NULL AND state <> 'reserved')
           AND NOT EXISTS (SELECT 1 FROM overdue_case INDEXED BY overdue_case_member
                           WHERE member_id = member.id AND state = 'collected')
         LIMIT ?2",
        params![before_ms, i64::try_from(most).unwrap_or(i64::MAX)],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::{memory_with_people, whole_tables};

    #[test]
    fn who_is_leaving_is_not_due_before_their_locker_is_empty() {
        let conn = memory_with_people();
        conn.execute_batch(
            "UPDATE member SET leaving_ms = 5;
             INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on,
                 held_ms, confirmed_ms)
               VALUES (1, 1, 101, 1, 1, 'active', '2026-03-01', '2026-03-09', 1, 1);",
        )
        .expect("consistent");
        let due = |before_ms| list_due(&conn, before_ms, 9).expect("readable");
        assert_eq!(due(5), []);
        assert_eq!(due(6), [MemberId(2)]);
        // Whoever cannot be forgotten yet must not stand before those who can, hour after hour.
        conn.execute_batch("UPDATE rental SET state = 'returned', returned_ms = 6").expect("whole");
        assert_eq!(due(6), [MemberId(2)]);
        conn.execute_batch(
            "UPDATE rental SET state = 'ended', ended_ms = 7, end_reason = 'returned'",
        )
        .expect("whole");
        assert_eq!(due(6), [MemberId(1), MemberId(2)]);
    }

    #[test]
    fn nobody_is_made_nameless_by_going_through_whole_tables() {
        let conn = memory_with_people();
        for sql in [&MAILS_TO_ADDRESS].into_iter().chain(BLANKED) {
            let whole = whole_tables(&conn, sql);
            assert!(whole.is_empty(), "{sql}: {whole:?}");
        }
    }
}
