//! Everything that is kept about one member, for themselves: whole rows without secrets, as JSON.
//!
//! A column `x_ms` is given as the time `x_at` (RFC 3339). Each section has at most [`ROWS_MAX`] rows,
//! the newest. Called by `service/members/own_data.rs`.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use serde_json::{Map, Value};

use super::error::StoreError;
use super::state::{collect, instant};
use crate::domain::id::MemberId;

/// Most rows of one section.
pub const ROWS_MAX: i64 = 5_000;

/// What is kept where; ?1 is the member, ?2 the most rows.
const SECTIONS: &[(&str, &str)] = &[
    (
        "sessions",
        "SELECT method, strong, issued_ms, last_used_ms, expires_ms, user_agent, address, ended_ms,
                end_reason
         FROM session WHERE member_id = ?1 ORDER BY id DESC LIMIT ?2",
    ),
    (
        "rentals",
        "SELECT bank_id, locker_id, accessible, state, starts_on, ends_on, held_ms, confirmed_ms, opened_ms,
                returned_ms, closed_ms, emptied_ms, shortage_told_ms, ended_ms, end_reason
         FROM rental WHERE member_id = ?1 ORDER BY id DESC LIMIT ?2",
    ),
    (
        "waiting",
        "SELECT bank_id, term_id, since_ms, offered_ms, ended_ms, end_reason FROM waiting
         WHERE member_id = ?1 ORDER BY id DESC LIMIT ?2",
    ),
    (
        "openings",
        "SELECT id AS operation_id, locker_id, opened_as, requested_ms, opened_ms, closed_ms,
                outcome
         FROM opening WHERE member_id = ?1 ORDER BY requested_ms DESC LIMIT ?2",
    ),
    (
        "alarms",
        "SELECT id AS alarm_id, kind, locker_id, raised_ms, cleared_ms,
                iif(claimed_by = ?1, claimed_ms, NULL) AS it_was_me_ms,
                iif(acknowledged_by = ?1, acknowledged_ms, NULL) AS acknowledged_by_me_ms
         FROM alarm WHERE id IN (
           SELECT id FROM alarm WHERE claimed_by = ?1
           UNION SELECT id FROM alarm WHERE acknowledged_by = ?1
           UNION SELECT alarm.id FROM rental JOIN alarm ON alarm.locker_id = rental.locker_id
             WHERE rental.member_id = ?1 AND rental.confirmed_ms <= alarm.raised_ms
               AND (rental.ended_ms IS NULL OR rental.ended_ms > alarm.raised_ms))
         ORDER BY id DESC LIMIT ?2",
    ),
    (
        "locker_notes",
        "SELECT locker_id, at_ms AS written_ms, text FROM locker_note WHERE member_id = ?1
         ORDER BY id DESC LIMIT ?2",
    ),
    (
        "locker_service",
        "SELECT locker_id, at_ms AS done_ms, in_service, reason FROM locker_service
         WHERE member_id = ?1 ORDER BY id DESC LIMIT ?2",
    ),
    (
        "overdue",
        "SELECT id AS case_id, locker_id, ended_on, state, detected_ms, sealed_ms, collected_ms,
                storage, handed_back_ms, handed_to, closed_ms, late_days
         FROM overdue_case WHERE member_id = ?1 ORDER BY id DESC LIMIT ?2",
    ),
    (
        "overdue_items",
        "SELECT case_id, description, photo
         FROM overdue_item JOIN overdue_case ON overdue_case.id = case_id
         WHERE member_id = ?1 ORDER BY case_id DESC, position LIMIT ?2",
    ),
    (
        "penalties",
        "SELECT id AS penalty_id, case_id, first_on, last_on, made_ms, waived_ms, waived_reason
         FROM penalty WHERE member_id = ?1 ORDER BY id DESC LIMIT ?2",
    ),
    (
        "mails",
        "SELECT kind, created_ms, sent_ms FROM outbox WHERE member_id = ?1 ORDER BY id DESC LIMIT ?2",
    ),
    (
        "limits",
        "SELECT kind, count, since_ms, last_ms FROM throttle WHERE member_id = ?1
         ORDER BY last_ms DESC LIMIT ?2",
    ),
    (
        "audit",
        // The bounds are those of the index.
        "SELECT at_ms AS done_ms, action, subject, actor_id IS ?1 AS by_me FROM audit
         WHERE id IN (
           SELECT id FROM audit WHERE actor_id = ?1
           UNION SELECT id FROM audit WHERE subject = 'member:' || ?1
             AND subject >= 'member:' AND subject < 'member;')
         ORDER BY id DESC LIMIT ?2",
    ),
];

/// Every section with its rows.
pub fn sections(conn: &Connection, id: MemberId) -> Result<Map<String, Value>, StoreError> {
    let mut sections = Map::new();
    for (name, sql) in SECTIONS {
        let mut statement = conn.prepare_cached(sql)?;
        let names: Vec<String> = statement.column_names().into_iter().map(str::to_owned).collect();
        let rows = collect(statement.query([id.0, ROWS_MAX])?, |row| object(row, &names))?;
        sections.insert((*name).to_owned(), Value::Array(rows));
    }
    Ok(sections)
}

fn object(row: &Row<'_>, names: &[String]) -> Result<Value, StoreError> {
    let mut fields = Map::new();
    for (index, name) in names.iter().enumerate() {
        let value = match row.get_ref(index)? {
            ValueRef::Integer(ms) if name.ends_with("_ms") => instant(ms).to_string().into(),
            ValueRef::Integer(flag)
                if matches!(name.as_str(), "strong" | "by_me" | "in_service" | "accessible") =>
            {
                (flag == 1).into()
            }
            ValueRef::Integer(number) => number.into(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned().into(),
            ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => Value::Null,
        };
        let name =
            name.strip_suffix("_ms").map_or_else(|| name.clone(), |stem| format!("{stem}_at"));
        fields.insert(name, value);
    }
    Ok(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::open::{memory_with_people, whole_tables};

    #[test]
    fn no_section_goes_through_a_whole_table() {
        let conn = memory_with_people();
        for (name, sql) in SECTIONS {
            let whole = whole_tables(&conn, sql);
            assert!(whole.is_empty(), "{name}: {whole:?}");
        }
        assert!(!whole_tables(&conn, "SELECT 1 FROM member WHERE name > ?1").is_empty());
    }

    #[test]
    fn each_section_is_of_this_member_alone_and_knows_its_times() {
        let conn = memory_with_people();
        conn.execute_batch(
            "INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on,
                 held_ms, confirmed_ms)
               VALUES (1, 1, 101, 1, 1, 'active', '2026-03-01', '2026-06-30', 5, 6);
             INSERT INTO alarm (id, kind, severity, subject, locker_id, bank_id, raised_ms,
                 last_seen_ms, count, evidence)
               VALUES (1, 'forced_open', 'critical', 'locker:101', 101, 1, 7, 7, 1, '{}'),
                      (2, 'forced_open', 'critical', 'locker:102', 102, 1, 7, 7, 1, '{}');
             INSERT INTO outbox (kind, member_id, payload, message_id, created_ms, sent_ms)
               VALUES ('x', 1, '{}', 'a', 1, 2), ('x', 2, '{}', 'b', 1, 2);
             INSERT INTO locker_note (locker_id, at_ms, member_id, text) VALUES (101, 5, 2, 'rusty');
             INSERT INTO locker_service (locker_id, at_ms, in_service, reason, member_id)
               VALUES (101, 5, 0, 'rust', 2), (101, 6, 1, 'painted', 2), (101, 7, 0, 'again', NULL);",
        )
        .expect("consistent");
        let count = |id: i64, section: &str| {
            let sections = sections(&conn, MemberId(id)).expect("readable");
            assert_eq!(sections.len(), SECTIONS.len());
            sections[section].as_array().map_or(0, Vec::len)
        };
        for (section, first, second) in [
            ("rentals", 1, 0),
            ("alarms", 1, 0),
            ("mails", 1, 1),
            ("sessions", 0, 0),
            ("locker_notes", 0, 1),
            ("locker_service", 0, 2),
        ] {
            assert_eq!((count(1, section), count(2, section)), (first, second), "{section}");
        }
        let rental = &sections(&conn, MemberId(1)).expect("readable")["rentals"][0];
        assert_eq!(rental["held_at"], "1970-01-01T00:00:00.005Z");
        assert_eq!(rental["ended_at"], Value::Null);
        let service = &sections(&conn, MemberId(2)).expect("readable")["locker_service"][0];
        assert_eq!((&service["in_service"], &service["reason"]), (&true.into(), &"painted".into()));
    }
}
