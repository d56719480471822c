//! What staff do with rentals over HTTP, on a clock that the test turns: assign, move, end, another last
//! day; in `beside` what else is touched by it, in `bulk` ending many at a term's end.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::inside::Inside;

mod beside;
mod bulk;

/// A term until the end of August, open now.
fn summer(now: jiff::Timestamp) -> String {
    let hour = jiff::SignedDuration::from_hours(1);
    format!(
        "[[term]]\nname_ko = '여름'\nopens_at = '{}'\ncloses_at = '{}'\n\
         starts_on = '2026-08-01'\nends_on = '2026-08-31'\n",
        now - hour,
        now + hour * 24 * 30
    )
}

/// Lockers 1 to 6 of bank 1, locker 11 of bank 2; STAFF01 looks after bank 1, STAFF02 after bank 2.
fn house() -> Inside {
    let site = Inside::start(1..=6, 5, summer);
    let other = "[[location]]\nname_ko = '도서관'\n[[location.bank]]\nname_ko = '벽'\n\
                 [[location.bank.locker]]\nid = 11\n";
    let other = toml::from_str(other).expect("a site file");
    site.run(site.services.update_site(other, None, None)).expect("taken");
    site.add("STAFF01", Role::Staff, &[1]);
    site.add("STAFF02", Role::Staff, &[2]);
    site.add("ADMIN", Role::Admin, &[]);
    site
}

fn rental_of(site: &Inside, locker: i64) -> i64 {
    site.number(&format!(
        "SELECT max(id) FROM rental WHERE locker_id = {locker} AND ended_ms IS NULL"
    ))
}

/// Has it that the door of a locker was opened in its rental, as after a restart.
fn opened(site: Inside, locker: i64) -> Inside {
    let sql = "UPDATE rental SET opened_ms = held_ms + 1 WHERE locker_id = ?1 AND ended_ms IS NULL";
    assert_eq!(site.sql().execute(sql, [locker]).expect("stored"), 1);
    site.again()
}

fn mails(site: &Inside, kind: &str) -> Vec<Value> {
    let conn = site.sql();
    let mut statement =
        conn.prepare("SELECT payload FROM outbox WHERE kind = ?1 ORDER BY id").expect("good SQL");
    let rows = statement.query_map([kind], |row| row.get::<_, String>(0)).expect("readable");
    rows.map(|text| serde_json::from_str(&text.expect("text")).expect("JSON")).collect()
}

fn audited(site: &Inside, action: &str) -> Value {
    let sql = "SELECT detail FROM audit WHERE action = ?1 ORDER BY id DESC LIMIT 1";
    let text: String = site.sql().query_row(sql, [action], |row| row.get(0)).expect("audited");
    serde_json::from_str(&text).expect("JSON")
}

fn assign(staff: &Client, body: &Value) -> crate::support::http::Reply {
    staff.post_json("/api/v1/rentals", body)
}

#[test]
fn staff_give_a_locker_to_somebody_without_a_window() {
    let site = house();
    let staff = site.account("STAFF01");
    let body = json!({
        "locker_id": 2, "student_id": "2024000001", "starts_on": "2026-08-25",
        "ends_on": "2026-10-05", "reason": "깁스",
    });
    let call = |body: &Value| {
        let headers = ["Content-Type: application/json", "Idempotency-Key: once"];
        staff.call("POST", "/api/v1/rentals", &headers, &body.to_string())
    };
    let granted = call(&body).expect(201).json();
    assert_eq!(granted["locker_id"], 2, "{granted}");
    assert_eq!(
        (&granted["starts_on"], &granted["ends_on"]),
        (&json!("2026-08-25"), &json!("2026-10-05"))
    );
    assert_eq!(call(&body).expect(201).json(), granted, "the same answer");
    assert_eq!(site.history(), ["2 2024000001 active -"]);
    let told = mails(&site, "rental_assigned");
    assert_eq!((told.len(), &told[0]["reason"]), (1, &json!("깁스")));
    assert_eq!(audited(&site, "rental.assign")["reason"], "깁스");
    let student = site.student(1);
    assert_eq!(student.mine()["locker_id"], 2);
    // It begins tomorrow: until then it cannot be opened.
    student.locker(2, "open").refused(403, "outside_dates");

    // By a term, from its first day on, which is past.
    let by_term =
        json!({ "locker_id": 3, "student_id": "2024000002", "term_id": 1, "reason": "x" });
    assert_eq!(assign(&staff, &by_term).expect(201).json()["starts_on"], "2026-08-01");

    let with = |change: Value| {
        let mut body = json!({ "locker_id": 4, "student_id": "2024000003", "ends_on": "2026-09-30", "reason": "x" });
        for (name, value) in change.as_object().expect("an object") {
            body[name] = value.clone();
        }
        assign(&staff, &body)
    };
    for (change, status, code) in [
        (json!({ "reason": " " }), 422, "invalid"),
        (json!({ "ends_on": "2026-08-23" }), 422, "invalid"),
        (json!({ "starts_on": "2026-08-23" }), 422, "invalid"),
        (json!({ "starts_on": "2026-10-01" }), 422, "invalid"),
        (json!({ "ends_on": "2027-10-01" }), 422, "invalid"),
        (json!({ "term_id": 1 }), 422, "invalid"),
        (json!({ "member_id": 1 }), 422, "invalid"),
        (json!({ "student_id": "2024777777" }), 404, "member_not_found"),
        (json!({ "locker_id": 99 }), 404, "locker_not_found"),
        (json!({ "locker_id": 11 }), 403, "forbidden"),
        (json!({ "locker_id": 2 }), 409, "locker_taken"),
        (json!({ "student_id": "2024000002" }), 409, "already_renting"),
    ] {
        let reply = with(change.clone());
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{change}");
    }
    // Somebody's live hold counts, a dead one does not, also the member's own elsewhere.
    site.student(3).locker(4, "hold").expect(201);
    with(json!({ "student_id": "2024000004" })).refused(409, "locker_taken");
    site.pass(61_000);
    with(json!({ "locker_id": 5 })).expect(201);
    site.student(0).post_json("/api/v1/rentals", &body).refused(403, "forbidden");
    site.account("STAFF02").post_json("/api/v1/rentals", &body).refused(403, "forbidden");

    let leaving = "UPDATE member SET leaving_ms = 1 WHERE student_id = '2024000004'";
    site.sql().execute(leaving, []).expect("stored");
    with(json!({ "student_id": "2024000004", "locker_id": 6 })).refused(403, "leaving");
    site.demand_clean();
}

#[test]
fn a_move_keeps_the_days_and_what_was_opened_waits_until_it_was_emptied() {
    let site = house();
    site.student(0).rent(1);
    site.student(1).rent(2);
    let (first, second) = (rental_of(&site, 1), rental_of(&site, 2));
    let site = opened(site, 2);
    let staff = site.account("STAFF01");
    let go = |id: i64, locker: i64| {
        let body = json!({ "locker_id": locker, "reason": "경첩 수리" });
        staff.post_json(&format!("/api/v1/rentals/{id}/move"), &body)
    };
    go(first, 1).refused(422, "invalid");
    go(first, 2).refused(409, "locker_taken");
    go(first, 11).refused(403, "forbidden");
    go(999, 3).refused(404, "rental_not_found");
    let other = site.account("STAFF02");
    let body = json!({ "locker_id": 11, "reason": "x" });
    let path = format!("/api/v1/rentals/{first}/move");
    other.post_json(&path, &body).refused(404, "rental_not_found");

    let moved = go(first, 3).expect(200).json();
    assert_eq!((&moved["to_be_emptied"], &moved["former_locker_id"]), (&json!(false), &json!(1)));
    assert_eq!(moved["ends_on"], "2026-08-31", "{moved}");
    go(first, 4).refused(409, "rental_over");
    let moved = go(second, 4).expect(200).json();
    assert_eq!(moved["to_be_emptied"], true, "{moved}");
    go(second, 5).refused(409, "rental_over");
    assert_eq!(
        site.history(),
        [
            "1 2024000000 ended replaced",
            "2 2024000001 returned -",
            "3 2024000000 active -",
            "4 2024000001 active -",
        ]
    );
    let follows = "SELECT follows_id FROM rental WHERE locker_id = 4";
    assert_eq!(site.number(follows), second);
    assert_eq!(site.student(2).state_of(2), "taken", "its things may still be inside");
    assert_eq!(mails(&site, "rental_moved").len(), 2);
    staff.post_json("/api/v1/lockers/2/free", &json!({ "reason": "비었음" })).expect(200);
    assert_eq!(site.student(2).state_of(2), "free");
    site.demand_clean();
}

#[test]
fn an_ended_rental_frees_its_locker_only_when_nothing_can_be_inside() {
    let site = house();
    site.student(0).locker(1, "hold").expect(201);
    site.student(1).rent(2);
    site.student(2).rent(3);
    let ids = [1, 2, 3].map(|locker| rental_of(&site, locker));
    // A reservation of some locker of the bank.
    site.sql()
        .execute(
            "INSERT INTO rental (id, bank_id, member_id, state, starts_on, ends_on, held_ms)
             VALUES (900, 1, (SELECT id FROM member WHERE student_id = '2024000003'), 'reserved',
                     '2026-09-01', '2026-09-02', 1)",
            [],
        )
        .expect("stored");
    let site = opened(site, 3);
    let staff = site.account("STAFF01");
    let end = |id: i64| {
        staff.post_json(&format!("/api/v1/rentals/{id}/end"), &json!({ "reason": "규정 위반" }))
    };
    let path = format!("/api/v1/rentals/{}/end", ids[1]);
    let reason = json!({ "reason": "x" });
    site.account("STAFF02").post_json(&path, &reason).refused(404, "rental_not_found");
    site.student(1).post_json(&path, &reason).refused(403, "forbidden");
    staff.post_json(&path, &json!({ "reason": "" })).refused(422, "invalid");

    for id in [ids[0], ids[1], 900] {
        assert_eq!(end(id).expect(200).json()["state"], "ended", "{id}");
        end(id).refused(409, "rental_over");
    }
    let waiting = end(ids[2]).expect(200).json();
    assert_eq!(
        (&waiting["state"], &waiting["waits_for"]),
        (&json!("returned"), &json!("confirmation"))
    );
    assert_eq!(end(ids[2]).expect(200).json(), waiting, "it waits, whoever asks again");
    assert_eq!(site.student(4).state_of(2), "free");
    assert_eq!(site.student(4).state_of(3), "taken");
    // Its renter may still take things out, and says when it is empty.
    let renter = site.student(2);
    renter.post_json("/api/v1/lockers/3/release", &json!({ "emptied": true })).expect(200);
    site.pass(10 * 60_000);
    assert_eq!(site.run(site.services.settle_returns()).expect("it works"), 1);
    end(ids[2]).refused(409, "rental_over");
    let told = mails(&site, "rental_ended");
    let emptied: Vec<&Value> = told.iter().map(|mail| &mail["to_be_emptied"]).collect();
    assert_eq!(emptied, [&json!(false), &json!(false), &json!(false), &json!(true)]);
    assert_eq!(told[2]["locker_id"], Value::Null, "a reservation");
    assert_eq!(site.number("SELECT count(*) FROM rental WHERE end_reason = 'ended_by_staff'"), 3);
    site.demand_clean();
}

#[test]
fn another_last_day_is_guarded_by_whoever_comes_next() {
    let site = house();
    site.student(0).rent(1);
    let id = rental_of(&site, 1);
    let staff = site.account("STAFF01");
    let next = json!({
        "locker_id": 1, "student_id": "2024000001", "starts_on": "2026-09-10",
        "ends_on": "2026-09-20", "reason": "x",
    });
    assign(&staff, &next).expect(201);
    let change = |day: &str| {
        let headers = ["Content-Type: application/json"];
        let body = json!({ "ends_on": day, "reason": "늦은 졸업" }).to_string();
        staff.call("PATCH", &format!("/api/v1/rentals/{id}"), &headers, &body)
    };
    change("2026-09-10").refused(409, "locker_taken");
    change("2026-08-23").refused(422, "invalid");
    change("2027-12-31").refused(422, "invalid");
    change("soon").refused(422, "invalid");
    assert_eq!(change("2026-09-09").expect(200).json()["ends_on"], "2026-09-09");
    assert_eq!(change("2026-09-09").expect(200).json()["ends_on"], "2026-09-09", "as it is");
    assert_eq!(change("2026-08-24").expect(200).json()["ends_on"], "2026-08-24", "earlier");
    let told = mails(&site, "rental_changed");
    let former: Vec<&Value> = told.iter().map(|mail| &mail["former_ends_on"]).collect();
    assert_eq!(former, [&json!("2026-08-31"), &json!("2026-09-09")]);
    // Past its last day it is late; another last day makes it good again, a sealed one too.
    site.clock.advance(std::time::Duration::from_hours(48));
    site.sql().execute("UPDATE rental SET sealed_ms = 1 WHERE id = ?1", [id]).expect("stored");
    let site = site.again();
    let staff = site.account("STAFF01");
    let late = staff.get("/api/v1/rentals?late=true").expect(200).json();
    assert_eq!(late["rentals"][0]["rental_id"], id, "{late}");
    let body = json!({ "ends_on": "2026-08-30", "reason": "x" }).to_string();
    let headers = ["Content-Type: application/json"];
    staff.call("PATCH", &format!("/api/v1/rentals/{id}"), &headers, &body).expect(200);
    let late = staff.get("/api/v1/rentals?late=true").expect(200).json();
    assert_eq!(late["rentals"], json!([]));
    let sealed = "SELECT count(*) FROM rental WHERE sealed_ms IS NOT NULL";
    assert_eq!(site.number(sealed), 0);
    site.demand_clean();
}
