//! Many rentals ended by one order: tried dry, carried out, repeated, cut off, out of one's banks.

use std::net::Shutdown;

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use super::{audited, house, mails, opened, summer};
use crate::support::http::{Client, Wire};
use crate::support::inside::Inside;
use crate::support::until;

const PATH: &str = "/api/v1/rentals/bulk-end";
const JSON: &str = "Content-Type: application/json";

/// An order's last state, once it is done.
#[track_caller]
fn done(staff: &Client, id: &str) -> Value {
    let path = format!("/api/v1/bulk-ends/{id}");
    until("the order is done", || {
        let told = staff.get(&path).expect(200).json();
        (told["state"] == "done").then_some(told)
    })
}

/// Everything that a change would leave behind.
#[track_caller]
fn traces(site: &Inside) -> Vec<i64> {
    ["rental WHERE ended_ms IS NOT NULL", "bulk_end", "outbox", "audit", "idempotency"]
        .map(|what| site.number(&format!("SELECT count(*) FROM {what}")))
        .to_vec()
}

#[test]
fn many_rentals_end_by_one_order_tried_dry_first() {
    let site = house();
    for n in 0..4 {
        site.student(n).rent(i64::try_from(n).expect("small") + 1);
    }
    site.student(4).locker(5, "hold").expect(201);
    let site = opened(site, 4);
    let staff = site.account("STAFF01");
    let order = |body: &Value| staff.post_json("/api/v1/rentals/bulk-end", body);
    let wanted = json!({ "bank_id": 1, "term_id": 1, "reason": "학기 끝" });
    let dry = json!({ "bank_id": 1, "term_id": 1, "reason": "학기 끝", "dry_run": true });
    let seen = order(&dry).expect(200).json();
    assert_eq!((&seen["found"], &seen["to_be_emptied"]), (&json!(4), &json!(1)), "{seen}");
    let lockers: Vec<i64> = seen["rentals"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["locker_id"].as_i64().expect("a number"))
        .collect();
    assert_eq!(lockers, [1, 2, 3, 4]);
    assert_eq!(site.number("SELECT count(*) FROM rental WHERE state = 'active'"), 4, "only looked");

    let both = json!({ "bank_id": 1, "location_id": 1, "term_id": 1, "reason": "x" });
    order(&both).refused(422, "invalid");
    let none = json!({ "bank_id": 1, "reason": "x" });
    order(&none).refused(422, "invalid");
    let soon = json!({ "bank_id": 1, "ended_before": "2026-08-25", "reason": "x" });
    order(&soon).refused(422, "invalid");
    let other = json!({ "bank_id": 2, "term_id": 1, "reason": "x" });
    order(&other).refused(403, "forbidden");
    let unknown = json!({ "bank_id": 1, "term_id": 99, "reason": "x" });
    order(&unknown).refused(404, "term_not_found");
    // None has ended yet.
    let ended = json!({ "location_id": 1, "ended_before": "2026-08-24", "reason": "x" });
    assert_eq!(order(&ended).expect(202).json()["found"], 0);

    let headers = ["Content-Type: application/json", "Idempotency-Key: end"];
    let path = "/api/v1/rentals/bulk-end";
    let begun = staff.call("POST", path, &headers, &wanted.to_string()).expect(202).json();
    assert_eq!(begun["found"], 4, "{begun}");
    let path = format!("/api/v1/bulk-ends/{}", begun["bulk_end_id"].as_str().expect("a name"));
    let done = until("the order is done", || {
        let told = staff.get(&path).expect(200).json();
        (told["state"] == "done").then_some(told)
    });
    assert_eq!((&done["ended"], &done["returned"]), (&json!(3), &json!(1)), "{done}");
    let again = staff.call("POST", "/api/v1/rentals/bulk-end", &headers, &wanted.to_string());
    assert_eq!(again.expect(202).json(), begun, "the same order");
    assert_eq!(order(&wanted).expect(202).json()["found"], 0, "nothing more");
    assert_eq!(
        site.history(),
        [
            "1 2024000000 ended ended_by_staff",
            "2 2024000001 ended ended_by_staff",
            "3 2024000002 ended ended_by_staff",
            "4 2024000003 returned -",
            "5 2024000004 held -",
        ]
    );
    assert_eq!(mails(&site, "rental_ended").len(), 4);
    site.account("STAFF02").get(&path).refused(404, "bulk_end_not_found");
    site.account("ADMIN").get(&path).expect(200);
    let listed = staff.get("/api/v1/bulk-ends").expect(200).json();
    assert_eq!(listed["bulk_ends"].as_array().expect("rows").len(), 3, "{listed}");
    site.demand_clean();
}

#[test]
fn an_order_that_was_cut_off_goes_on_after_a_restart() {
    let site = house();
    for n in 0..3 {
        site.student(n).rent(i64::try_from(n).expect("small") + 1);
    }
    // As it is stored when the program ends before its first slice; the newest rental is not meant.
    site.sql()
        .execute(
            "INSERT INTO bulk_end (id, member_id, bank_id, term_id, reason, newest_rental_id, found,
                                   started_ms)
             VALUES ('01900000-0000-7000-8000-000000000000',
                     (SELECT id FROM member WHERE student_id = 'STAFF01'), 1, 1, '학기 끝',
                     (SELECT max(id) - 1 FROM rental), 2, 1)",
            [],
        )
        .expect("stored");
    let site = site.again();
    assert_eq!(site.run(site.services.carry_on_bulk_ends()).expect("it works"), 2);
    assert_eq!(site.run(site.services.carry_on_bulk_ends()).expect("it works"), 0);
    assert_eq!(
        site.history(),
        [
            "1 2024000000 ended ended_by_staff",
            "2 2024000001 ended ended_by_staff",
            "3 2024000002 active -",
        ]
    );
    let staff = site.account("STAFF01");
    let path = "/api/v1/bulk-ends/01900000-0000-7000-8000-000000000000";
    let told = staff.get(path).expect(200).json();
    assert_eq!((&told["state"], &told["ended"]), (&json!("done"), &json!(2)), "{told}");
    assert_eq!(audited(&site, "rental.bulk_end_done")["ended"], 2);
    site.demand_clean();
}

#[test]
fn a_dry_run_leaves_no_trace_and_is_for_those_who_may_do_it() {
    let site = house();
    site.student(0).rent(1);
    let (staff, other) = (site.account("STAFF01"), site.account("STAFF02"));
    let body = json!({ "bank_id": 1, "term_id": 1, "reason": "학기 끝", "dry_run": true });
    let student = site.student(0);
    let before = traces(&site);
    let headers = [JSON, "Idempotency-Key: dry"];
    for _ in 0..2 {
        let seen = staff.call("POST", PATH, &headers, &body.to_string()).expect(200).json();
        let row = json!({
            "rental_id": 1, "locker_id": 1, "bank_id": 1, "ends_on": "2026-08-31", "opened": false,
            "renter": { "member_id": site.number("SELECT member_id FROM rental"),
                        "student_id": "2024****00", "name": "학생 0" },
        });
        assert_eq!(seen["found"], 1, "{seen}");
        let mut shown = seen["rentals"][0].clone();
        shown["renter"]["name"] = "학생 0".into();
        assert_eq!(shown, row);
    }
    student.post_json(PATH, &body).refused(403, "forbidden");
    other.post_json(PATH, &body).refused(403, "forbidden");
    assert_eq!(traces(&site), before);
    // What was only looked at under a key may be done under it.
    let real = json!({ "bank_id": 1, "term_id": 1, "reason": "학기 끝" });
    let begun = staff.call("POST", PATH, &headers, &real.to_string()).expect(202).json();
    assert_eq!(done(&staff, begun["bulk_end_id"].as_str().expect("a name"))["ended"], 1);
    site.demand_clean();
}

#[test]
fn an_order_goes_on_without_whoever_gave_it() {
    const MANY: usize = 40;
    let last = i64::try_from(MANY).expect("small");
    let site = Inside::start(1..=last, MANY, summer);
    site.add("STAFF01", Role::Staff, &[1]);
    // More than two slices.
    site.sql()
        .execute_batch(
            "INSERT INTO rental (bank_id, locker_id, member_id, term_id, state, starts_on, ends_on,
                                 held_ms, confirmed_ms)
             SELECT 1, row_number() OVER (ORDER BY id), id, 1, 'active', '2026-08-01', '2026-08-31', 1, 1
             FROM member WHERE role = 'student'",
        )
        .expect("stored");
    let site = site.again();
    let staff = site.account("STAFF01");
    let body = json!({ "bank_id": 1, "term_id": 1, "reason": "학기 끝" }).to_string();
    let request = staff.request("POST", PATH, &[JSON, "Idempotency-Key: gone"], &body);
    let mut wire = Wire::connect(staff.address);
    wire.send(&request).expect("sent");
    let order = until("the order is there", || {
        let listed = staff.get("/api/v1/bulk-ends").expect(200).json();
        listed["bulk_ends"][0]["bulk_end_id"].as_str().map(str::to_owned)
    });
    // The order is stored; whoever gave it never reads the answer.
    wire.0.shutdown(Shutdown::Both).expect("gone");
    drop(wire);
    let told = done(&staff, &order);
    assert_eq!((&told["found"], &told["ended"]), (&json!(MANY), &json!(MANY)), "{told}");
    assert_eq!(
        site.number("SELECT count(*) FROM rental WHERE end_reason = 'ended_by_staff'"),
        last
    );
    assert_eq!(mails(&site, "rental_ended").len(), MANY);
    // Whoever asks again with the key is told of the same order, also after a restart.
    let site = site.again();
    let again = site.account("STAFF01").call("POST", PATH, &[JSON, "Idempotency-Key: gone"], &body);
    assert_eq!(again.expect(202).json(), json!({ "bulk_end_id": order, "found": MANY }));
    assert_eq!(site.number("SELECT count(*) FROM bulk_end"), 1);
    assert_eq!(mails(&site, "rental_ended").len(), MANY, "nobody is told twice");
    site.demand_clean();
}

#[test]
fn what_ended_before_a_day_is_ended_at_a_whole_location_by_those_who_look_after_it() {
    let site = house();
    site.sql()
        .execute_batch(
            "INSERT INTO bank (id, location_id, name_ko, name_en, mode, hold_seconds)
               VALUES (7, 1, '둘째', 'Second', 'choose', 60);
             INSERT INTO locker (id, bank_id) VALUES (71, 7);
             INSERT INTO rental (bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
                                 confirmed_ms, opened_ms)
             SELECT locker.bank_id, locker.id, member.id, 'active', '2026-08-01',
                    iif(locker.id = 2, '2026-08-23', '2026-08-22'), 1, 1, 1
             FROM locker JOIN member ON student_id = '202400000' || CASE locker.id
                    WHEN 1 THEN 0 WHEN 2 THEN 1 WHEN 71 THEN 2 WHEN 11 THEN 3 END
             ORDER BY locker.id",
        )
        .expect("stored");
    let site = site.again();
    let body = |before: &str| json!({ "location_id": 1, "ended_before": before, "reason": "정리" });
    let staff = site.account("STAFF01");
    staff.post_json(PATH, &body("2026-08-23")).refused(403, "forbidden");
    let unknown = json!({ "location_id": 9, "ended_before": "2026-08-23", "reason": "정리" });
    let admin = site.account("ADMIN");
    admin.post_json(PATH, &unknown).refused(404, "location_not_found");
    let begun = admin.post_json(PATH, &body("2026-08-23")).expect(202).json();
    let told = done(&admin, begun["bulk_end_id"].as_str().expect("a name"));
    assert_eq!((&told["location_id"], &told["bank_id"]), (&json!(1), &Value::Null), "{told}");
    assert_eq!((&told["ended"], &told["returned"]), (&json!(0), &json!(2)), "{told}");
    // One day later ended the second; that of another location is not meant at all.
    assert_eq!(
        site.history(),
        [
            "1 2024000000 returned -",
            "2 2024000001 active -",
            "11 2024000003 active -",
            "71 2024000002 returned -",
        ]
    );
    // Who looks after one of the banks does not see it.
    let path = format!("/api/v1/bulk-ends/{}", begun["bulk_end_id"].as_str().expect("a name"));
    staff.get(&path).refused(404, "bulk_end_not_found");
    assert_eq!(staff.get("/api/v1/bulk-ends").expect(200).json()["bulk_ends"], json!([]));
    site.demand_clean();
}
