//! The histories of a locker and of a member, over HTTP.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

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
