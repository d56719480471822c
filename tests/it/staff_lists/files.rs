//! Every list of staff as a CSV file: what it has is what the list shows under the same question, Excel
//! reads it as Korean, nothing in it can be taken for a formula, and who took it along is written down.

use lockerd::domain::options::Options;
use serde_json::Value;

use super::{add_openings, filters, house, pages};
use crate::support::http::Client;
use crate::support::inside::Inside;

/// A name that a spreadsheet would carry out.
const EVIL: &str = "=HYPERLINK(\"http://x\",\"김\")";

/// The same as a cell.
const GUARDED: &str = "\"'=HYPERLINK(\"\"http://x\"\",\"\"김\"\")\"";

/// The lines of a file behind its first one, which must be this.
#[track_caller]
pub(super) fn lines(who: &Client, path: &str, head: &str) -> Vec<String> {
    let reply = who.get(&format!("/api/v1/{path}")).expect(200);
    let kind = reply.header("content-type");
    assert_eq!(kind, Some("text/csv; charset=utf-8"), "{path}");
    let name = reply.header("content-disposition").unwrap_or_default();
    assert!(
        name.starts_with("attachment; filename=") && name.ends_with(".csv\""),
        "{path}: {name}"
    );
    let text = String::from_utf8(reply.body).expect("UTF-8");
    let rest =
        text.strip_prefix('\u{feff}').unwrap_or_else(|| panic!("{path} has no mark: {text}"));
    assert!(rest.starts_with(head), "{path}: {rest}");
    assert!(rest.ends_with("\r\n") && !rest.replace("\r\n", "").contains('\n'), "{path}: {rest}");
    rest.trim_end().split("\r\n").skip(1).map(str::to_owned).collect()
}

#[test]
fn the_file_of_rentals_has_what_the_list_has() {
    let site = house();
    let admin = site.account("ADMIN");
    let first = |line: &String| line.split(',').next().and_then(|id| id.parse().ok());
    let mut questions: Vec<String> =
        filters(&site).into_iter().map(|(question, _)| question).collect();
    questions.push("state=live&sort=locker".to_owned());
    for question in &questions {
        let file = lines(&admin, &format!("rentals/export?{question}"), "rental_id,bank_id,");
        let file: Vec<i64> = file.iter().filter_map(first).collect();
        assert_eq!(file, pages(&admin, question, 100), "{question}");
    }
    let count = "SELECT count(*) FROM audit WHERE action = 'rental.export'";
    assert_eq!(site.number(count), i64::try_from(questions.len()).expect("few"));
    // Whoever left is not named any more, and times are the site's.
    let late = lines(&admin, "rentals/export?late=true", "rental_id,");
    let wanted = "4,1,2,2024000003,김가가라,,active,2026-08-01,2026-08-20,1970-01-01 09:00:00,\
                  1970-01-01 09:00:00,1970-01-01 09:00:00,,,,0,";
    assert_eq!(late, [wanted]);
}

/// A house in which every list has something, and every name is a formula.
pub(super) fn busy() -> Inside {
    let site = house();
    site.offer(1, Options { waiting_list: true, offer_minutes: 60, ..Options::default() });
    add_openings(&site);
    site.sql()
        .execute("UPDATE member SET name = ?1 WHERE role = 'student'", [EVIL])
        .expect("stored");
    site.sql()
        .execute_batch(
            r#"-- Begins tomorrow in the locker of somebody late.
             INSERT INTO rental (bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
                                 confirmed_ms)
             SELECT 1, 2, id, 'active', '2026-08-25', '2026-08-27', 1, 1
             FROM member WHERE student_id = '2024000006';
             INSERT INTO waiting (bank_id, term_id, member_id, since_ms)
             SELECT 1, 1, id, 1787533200000 FROM member WHERE student_id = '2024000000';
             INSERT INTO overdue_case (id, rental_id, bank_id, locker_id, member_id, ended_on, state,
               detected_ms, closed_ms, late_days)
             SELECT 1, 1, 1, 1, id, '2026-06-30', 'returned', 1, 2, 3
             FROM member WHERE student_id = '2024000000';
             INSERT INTO penalty (member_id, case_id, first_on, last_on, made_ms, waived_ms, waived_by,
               waived_reason)
             SELECT member_id, 1, '2026-07-01', '2026-08-30', 1, 2, member_id, '@잘못'
             FROM overdue_case;
             INSERT INTO alarm (kind, severity, subject, locker_id, bank_id, raised_ms, last_seen_ms,
               count, acknowledged_ms, acknowledged_by, acknowledge_note, evidence)
             SELECT 'left_open', 'warning', 'locker:1', 1, 1, 1, 1, 1, 2, min(id), '-문 닫음',
                    '{"seen":"stands_open","open_since":"2026-08-24T00:00:00Z","limit_ms":1}'
             FROM member;
             INSERT INTO outbox (kind, member_id, payload, message_id, created_ms, dead_ms, last_error)
             SELECT 'rental_ended', min(id), '{}', 'x', 1, 2, '=연결 실패' FROM member;"#,
        )
        .expect("stored");
    let site = site.again();
    let body = r#"{"in_service":false,"reason":"+경첩"}"#;
    let headers = ["Content-Type: application/json"];
    let path = "/api/v1/lockers/4/service";
    site.account("STAFF01").call("PUT", path, &headers, body).expect(200);
    site
}

/// How many rows the list shows under the same question.
#[track_caller]
fn listed(who: &Client, path: &str, name: &str) -> usize {
    let list = who.get(&format!("/api/v1/{path}")).expect(200).json();
    list[name].as_array().map_or_else(|| panic!("no {name}: {list}"), Vec::len)
}

#[test]
fn every_list_of_staff_is_a_file_with_the_same_rows() {
    let site = busy();
    let staff = site.account("STAFF01");
    let sure = |path: &str, name: &str, head: &str, rows: usize| {
        let (list, question) = path.split_once('?').unwrap_or((path, ""));
        let question = if question.is_empty() { String::new() } else { format!("?{question}") };
        let file = lines(&staff, &format!("{list}/export{question}"), head);
        assert_eq!(file.len(), rows, "{path}: {file:?}");
        if !name.is_empty() {
            assert_eq!(listed(&staff, path, name), rows, "the list of {path}");
        }
    };
    for (path, name, head, rows) in [
        ("openings", "openings", "operation_id,", 4),
        ("openings?outcome=opened&locker_id=2", "openings", "operation_id,", 1),
        ("alarms?state=all", "alarms", "alarm_id,", 1),
        ("alarms?kind=jammed", "alarms", "alarm_id,", 0),
        ("returns?bank_id=1", "returns", "rental_id,", 1),
        ("shortages", "shortages", "rental_id,", 1),
        ("shortages?on=2026-08-29", "shortages", "rental_id,", 0),
        ("penalties", "penalties", "penalty_id,", 1),
        ("penalties?q=2024000001", "penalties", "penalty_id,", 0),
        ("penalties?live=true", "penalties", "penalty_id,", 0),
        ("waiting?bank_id=1", "waiting", "waiting_id,", 1),
        ("mails?state=dead", "mails", "mail_id,", 1),
        ("mails?state=sent", "mails", "mail_id,", 0),
        ("locks?bank_id=1", "locks", "locker_id,", 2),
        ("locks?due=true", "locks", "locker_id,", 0),
        ("overdue?state=closed", "cases", "case_id,", 1),
        ("overdue?state=open", "cases", "case_id,", 0),
        ("banks/1/lockers", "lockers", "locker_id,", 5),
        ("members?role=student", "members", "student_id,", 7),
    ] {
        sure(path, name, head, rows);
    }
    for wrong in [
        "alarms/export?state=odd",
        "mails/export?state=odd",
        "penalties/export?live=x",
        "waiting/export?bank_id=x",
        "locks/export?days=0",
        "returns/export?bank_id=x",
    ] {
        staff.get(&format!("/api/v1/{wrong}")).refused(422, "invalid");
    }
    assert_eq!(
        site.number("SELECT count(*) FROM audit WHERE action LIKE '%.export'"),
        19,
        "who took what along"
    );
    let other = site.account("STAFF02");
    for path in ["openings", "alarms", "returns", "shortages", "penalties", "waiting", "overdue"] {
        assert_eq!(lines(&other, &format!("{path}/export"), "").len(), 0, "{path} of their banks");
    }
    other.get("/api/v1/banks/1/lockers/export").refused(403, "forbidden");
}

#[test]
fn no_cell_is_a_formula_and_korean_stays_korean() {
    let site = busy();
    let staff = site.account("STAFF01");
    let file = |path: &str| lines(&staff, path, "").join("\n");
    for path in [
        "rentals/export?state=live",
        "openings/export",
        "returns/export",
        "shortages/export",
        "penalties/export",
        "waiting/export",
        "overdue/export",
        "members/export",
    ] {
        let text = file(path);
        assert!(text.contains(GUARDED), "{path}: {text}");
        assert!(!text.replace(GUARDED, "").contains("=HYPERLINK"), "{path}: {text}");
    }
    for (path, cell) in [
        ("penalties/export", "\"'@잘못\""),
        ("alarms/export", "\"'-문 닫음\""),
        ("mails/export", "\"'=연결 실패\""),
        ("banks/1/lockers/export", "\"'+경첩\""),
    ] {
        let text = file(path);
        assert!(text.contains(cell), "{path}: {text}");
    }
    // Of an address no more than the list shows, and nothing of what a mail says.
    site.sql()
        .execute(
            "UPDATE outbox SET address = 'gildong@korea.ac.kr', payload = '{\"x\":\"비밀\"}'",
            [],
        )
        .expect("stored");
    let text = file("mails/export");
    assert!(text.contains("gi***@korea.ac.kr") && !text.contains("gildong"), "{text}");
    assert!(!text.contains("비밀"), "{text}");
    let said: Vec<Value> = {
        let conn = site.sql();
        let sql = "SELECT detail FROM audit WHERE action LIKE '%.export'";
        let mut statement = conn.prepare(sql).expect("good SQL");
        let rows = statement.query_map([], |row| row.get::<_, String>(0)).expect("readable");
        rows.map(|text| serde_json::from_str(&text.expect("text")).expect("JSON")).collect()
    };
    assert!(said.len() > 10 && said.iter().all(|it| it["rows"].is_u64()), "{said:?}");
}
