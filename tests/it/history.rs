//! Rentals on pages and as a file, and the histories of a locker and of a member, over HTTP.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};

fn house() -> Inside {
    let site = Inside::start(1..=3, 3, open_now);
    site.add("STAFF01", Role::Staff, &[1]);
    site.add("STAFF02", Role::Staff, &[]);
    site.student(0).rent(1);
    site.pass(1_000);
    site.student(1).rent(2);
    site.pass(1_000);
    site.student(0).give_back(1);
    site
}

fn rows(who: &Client, question: &str) -> Vec<Value> {
    let list = who.get(&format!("/api/v1/rentals{question}")).expect(200).json();
    list["rentals"].as_array().expect("rows").clone()
}

#[test]
fn rentals_are_listed_filtered_in_an_order_and_on_pages() {
    let site = house();
    let staff = site.account("STAFF01");
    let lockers = |question: &str| -> Vec<i64> {
        let rows = rows(&staff, question);
        rows.iter().map(|row| row["locker_id"].as_i64().expect("a number")).collect()
    };
    assert_eq!(lockers(""), [2, 1]);
    assert_eq!(lockers("?state=live"), [2]);
    assert_eq!(lockers("?state=ended"), [1]);
    assert_eq!(lockers("?q=2024000000"), [1]);
    assert_eq!(lockers("?locker_id=1&sort=ends_on"), [1]);
    assert_eq!(lockers("?from=2091-01-01"), [] as [i64; 0]);
    assert_eq!(lockers("?to=2020-01-01&term_id=1&bank_id=1"), [2, 1]);
    assert_eq!(lockers("?late=true"), [] as [i64; 0]);
    assert_eq!(lockers("?state=live&sort=locker&limit=1"), [2]);
    let row = &rows(&staff, "?state=ended")[0];
    assert_eq!(row["renter"]["student_id"], "2024000000", "{row}");
    assert_eq!(row["end_reason"], "returned", "{row}");

    let first = staff.get("/api/v1/rentals?limit=1").expect(200).json();
    let cursor = first["next_cursor"].as_str().expect("there is more");
    assert_eq!(lockers(&format!("?limit=1&cursor={cursor}")), [1]);
    for wrong in [
        "?state=odd",
        "?sort=odd",
        "?sort=locker",
        "?limit=0",
        "?from=soon",
        "?cursor=odd",
        "?late=maybe",
        "?bank_id=1&location_id=1",
    ] {
        staff.get(&format!("/api/v1/rentals{wrong}")).refused(422, "invalid");
    }
    staff.get("/api/v1/rentals?odd=1").refused(400, "bad_request");
    assert_eq!(rows(&site.account("STAFF02"), ""), [] as [Value; 0], "not their bank");
    staff.get("/api/v1/rentals?bank_id=9").refused(403, "forbidden");
    site.student(0).get("/api/v1/rentals").refused(403, "forbidden");
}

#[test]
fn a_file_of_rentals_opens_in_excel_and_is_written_down() {
    let site = house();
    let evil = "UPDATE member SET name = '=HYPERLINK(\"x\")' WHERE student_id = '2024000001'";
    site.sql().execute(evil, []).expect("stored");
    let staff = site.account("STAFF01");
    let file = staff.get("/api/v1/rentals/export?state=live").expect(200);
    assert!(file.header("content-type").is_some_and(|it| it.starts_with("text/csv")));
    let text = file.text();
    assert!(text.starts_with("\u{feff}rental_id,bank_id,"), "{text}");
    let lines: Vec<&str> = text.trim_end().split("\r\n").collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(lines[1].contains(",2024000001,\"'=HYPERLINK(\"\"x\"\")\","), "{}", lines[1]);
    assert!(lines[1].contains(",2026-08-24 10:00:01,"), "the site's time: {}", lines[1]);
    assert_eq!(site.number("SELECT count(*) FROM audit WHERE action = 'rental.export'"), 1);
    site.student(0).get("/api/v1/rentals/export").refused(403, "forbidden");
}

#[test]
fn a_locker_has_one_history_of_everything() {
    let site = house();
    let staff = site.account("STAFF01");
    site.pass(1_000);
    staff.post_json("/api/v1/lockers/1/notes", &json!({ "text": "삐걱거림" })).expect(201);
    site.pass(1_000);
    let body = json!({ "in_service": false, "reason": "경첩" }).to_string();
    let headers = ["Content-Type: application/json"];
    staff.call("PUT", "/api/v1/lockers/1/service", &headers, &body).expect(200);
    let told = staff.get("/api/v1/lockers/1/history").expect(200).json();
    let kinds: Vec<&Value> =
        told["entries"].as_array().expect("rows").iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["service", "note", "rental"], "{told}");
    assert_eq!(told["entries"][0]["by"]["name"], "이직원", "{told}");
    assert_eq!(told["entries"][1]["text"], "삐걱거림", "{told}");
    let rental = &told["entries"][2]["rental"];
    assert_eq!((&rental["state"], &rental["end_reason"]), (&json!("ended"), &json!("returned")));
    let first = staff.get("/api/v1/lockers/1/history?limit=2").expect(200).json();
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let path = format!("/api/v1/lockers/1/history?limit=2&cursor={cursor}");
    let rest = staff.get(&path).expect(200).json();
    assert_eq!(
        (rest["entries"].as_array().map(Vec::len), &rest["next_cursor"]),
        (Some(1), &json!(null))
    );
    site.account("STAFF02").get("/api/v1/lockers/1/history").refused(403, "forbidden");
    site.student(0).get("/api/v1/lockers/1/history").refused(403, "forbidden");
    staff.get("/api/v1/lockers/99/history").refused(404, "locker_not_found");
    staff.get("/api/v1/lockers/1/history?cursor=odd").refused(422, "invalid");
}

#[test]
fn members_see_their_own_history_and_staff_everybodys() {
    let site = house();
    let id = site.number("SELECT id FROM member WHERE student_id = '2024000000'");
    site.sql()
        .execute_batch(&format!(
            "INSERT INTO overdue_case (rental_id, bank_id, locker_id, member_id, ended_on, state,
               detected_ms, closed_ms, late_days)
             VALUES (1, 1, 1, {id}, '2026-08-20', 'returned', 1787900000000, 1787900000001, 3);
             INSERT INTO penalty (member_id, case_id, first_on, last_on, made_ms)
             VALUES ({id}, 1, '2026-08-24', '2026-08-30', 1787900000002);"
        ))
        .expect("stored");
    let mine = site.student(0).get("/api/v1/me/history").expect(200).json();
    let staff = site.account("STAFF02");
    let told = staff.get(&format!("/api/v1/members/{id}/history")).expect(200).json();
    assert_eq!(mine, told);
    let kinds: Vec<&Value> =
        told["entries"].as_array().expect("rows").iter().map(|entry| &entry["kind"]).collect();
    assert_eq!(kinds, ["penalty", "overdue_case", "rental"], "{told}");
    assert_eq!(told["entries"][1]["case"]["late_days"], 3, "{told}");
    let other = site.student(1).get("/api/v1/me/history?limit=5").expect(200).json();
    assert_eq!(other["entries"].as_array().map(Vec::len), Some(1), "{other}");
    staff.get("/api/v1/members/999/history").refused(404, "member_not_found");
    site.student(1).get(&format!("/api/v1/members/{id}/history")).refused(403, "forbidden");
}

#[test]
fn every_list_of_staff_is_a_file_as_well() {
    let site = house();
    for (number, locker, outcome) in [(1, 1, "opened"), (2, 2, "no_answer"), (3, 2, "opened")] {
        site.sql()
            .execute(
                "INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, outcome)
                 VALUES (?1, ?2, 1, 'renter', ?3, ?4)",
                rusqlite::params![
                    format!("01900000-0000-7000-8000-{number:012}"),
                    locker,
                    site.clock.now().as_millisecond() + number,
                    outcome
                ],
            )
            .expect("stored");
    }
    site.sql()
        .execute_batch(
            "UPDATE rental SET state = 'returned', returned_ms = 1787533300000
               WHERE locker_id = 2 AND ended_ms IS NULL;",
        )
        .expect("stored");
    let site = site.again();
    let staff = site.account("STAFF01");
    for (path, head, lines) in [
        ("openings/export", "operation_id,", 3),
        ("openings/export?outcome=opened&locker_id=2", "operation_id,", 1),
        ("returns/export?bank_id=1", "rental_id,", 1),
        ("shortages/export", "rental_id,", 0),
        ("banks/1/lockers/export", "locker_id,", 3),
    ] {
        let text = staff.get(&format!("/api/v1/{path}")).expect(200).text();
        assert!(text.starts_with(&format!("\u{feff}{head}")), "{path}: {text}");
        assert_eq!(text.trim_end().split("\r\n").count(), lines + 1, "{path}: {text}");
    }
    assert_eq!(site.number("SELECT count(*) FROM audit WHERE action LIKE '%.export'"), 5);
    let page = staff.get("/api/v1/openings?limit=2").expect(200).json();
    let lockers: Vec<&Value> =
        page["openings"].as_array().expect("rows").iter().map(|row| &row["locker_id"]).collect();
    assert_eq!(lockers, [2, 2], "{page}");
    let cursor = page["next_cursor"].as_str().expect("there is more");
    let rest = staff.get(&format!("/api/v1/openings?limit=2&cursor={cursor}")).expect(200).json();
    assert_eq!(
        (&rest["openings"][0]["locker_id"], &rest["next_cursor"]),
        (&json!(1), &json!(null))
    );
    staff.get("/api/v1/openings?outcome=odd").refused(422, "invalid");
    let none = site.account("STAFF02").get("/api/v1/openings").expect(200).json();
    assert_eq!(none["openings"], json!([]), "not their bank");
    site.student(0).get("/api/v1/openings").refused(403, "forbidden");
    site.account("STAFF02").get("/api/v1/banks/1/lockers/export").refused(403, "forbidden");
}
