//! Opening hours and closing days over the API: enforced at opening for renters, shown in the calendar.
//!
//! The lockers here have no locks, so whoever may open is told `not_wired`.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};

const JSON: &str = "Content-Type: application/json";

/// A site whose clock stands at ten in the morning of Monday, 24 August 2026, in Seoul.
fn site() -> (Inside, Client) {
    let inside = Inside::start([101, 102], 2, open_now);
    inside.add("ADMIN", Role::Admin, &[]);
    let admin = inside.account("ADMIN");
    (inside, admin)
}

fn put(admin: &Client, hours: &Value, closings: &Value) {
    let policy = json!({
        "hold_seconds": 60, "open_from": "anywhere", "hours": hours, "closings": closings,
    });
    let path = "/api/v1/banks/1/policy";
    admin.call("PUT", path, &[JSON], &policy.to_string()).expect(200);
}

fn calendar(who: &Client, question: &str) -> Value {
    who.get(&format!("/api/v1/banks/1/calendar{question}")).expect(200).json()
}

#[test]
fn renters_open_within_the_hours_and_staff_at_any_time() {
    let (inside, admin) = site();
    inside.add("STAFF01", Role::Staff, &[1]);
    inside.add("STAFF02", Role::Staff, &[]);
    let (renter, staff) = (inside.student(0), inside.account("STAFF01"));
    renter.rent(101);
    renter.locker(101, "open").refused(409, "not_wired");
    put(&admin, &json!({ "mon": ["10:30-12:00"], "tue": ["09:00-22:00"] }), &json!([]));

    let refused = renter.locker(101, "open").refused(403, "bank_closed");
    assert_eq!(refused["opens_at"], "2026-08-24T01:30:00Z");
    assert_eq!(refused["server_time"], "2026-08-24T01:00:00Z");
    assert!(
        refused["detail"].as_str().is_some_and(|it| it.contains("2026-08-24 10:30")),
        "{refused}"
    );
    staff.locker(101, "open").refused(409, "not_wired");
    admin.locker(101, "open").refused(409, "not_wired");
    inside.account("STAFF02").locker(101, "open").refused(404, "not_your_locker");
    // Who rents none is told that, not the hours.
    inside.student(1).locker(101, "open").refused(404, "not_your_locker");

    inside.pass(30 * 60 * 1_000 - 1);
    renter.locker(101, "open").refused(403, "bank_closed");
    inside.pass(1);
    renter.locker(101, "open").refused(409, "not_wired");
    inside.pass(90 * 60 * 1_000 - 1);
    let renter = inside.student(0);
    renter.locker(101, "open").refused(409, "not_wired");
    inside.pass(1);
    let refused = renter.locker(101, "open").refused(403, "bank_closed");
    assert_eq!(refused["opens_at"], "2026-08-25T00:00:00Z", "tomorrow");
    // Every refused attempt is on record.
    let sql = "SELECT count(*) FROM audit WHERE action = 'opening.refused' AND detail LIKE '%bank_closed%'";
    crate::support::until("the refusals are written down", || {
        let count: i64 = inside.sql().query_row(sql, [], |row| row.get(0)).expect("readable");
        (count == 3).then_some(())
    });
}

#[test]
fn hours_by_a_clock_that_nobody_vouches_for_keep_nobody_from_their_things() {
    let (inside, admin) = site();
    let renter = inside.student(0);
    renter.rent(101);
    put(&admin, &json!({ "sun": ["09:00-10:00"] }), &json!([]));
    renter.locker(101, "open").refused(403, "bank_closed");
    inside.clock.distrust();
    renter.locker(101, "open").refused(409, "not_wired");
    inside.clock.trust();
    renter.locker(101, "open").refused(403, "bank_closed");
}

#[test]
fn a_staff_member_who_rents_there_opens_as_staff_when_it_is_closed() {
    let (inside, admin) = site();
    inside.add("STAFF01", Role::Staff, &[1]);
    let staff = inside.account("STAFF01");
    staff.rent(102);
    put(&admin, &json!({ "sun": ["09:00-10:00"] }), &json!([]));
    staff.locker(102, "open").refused(409, "not_wired");
}

#[test]
fn a_closing_day_closes_and_claims_go_on() {
    let (inside, admin) = site();
    let closing = json!([{ "first_on": "2026-08-24", "last_on": "2026-08-25",
        "name": { "ko": "개교기념일", "en": "Foundation day" } }]);
    put(&admin, &Value::Null, &closing);
    let renter = inside.student(0);
    renter.rent(101);
    let refused = renter.locker(101, "open").refused(403, "bank_closed");
    assert_eq!(refused["opens_at"], "2026-08-25T15:00:00Z", "midnight in Seoul");
    // Two days pass.
    inside.pass(38 * 3_600 * 1_000);
    inside.student(0).locker(101, "open").refused(409, "not_wired");
}

#[test]
fn the_calendar_shows_hours_and_closing_days() {
    let (inside, admin) = site();
    let closing = json!([{ "first_on": "2026-08-26", "last_on": "2026-08-26",
        "name": { "ko": "점검", "en": "Maintenance" } }]);
    let hours = json!({ "mon": ["13:00-15:00", "09:00-12:00"], "tue": ["18:00-02:00"], "wed": ["09:00-10:00"] });
    put(&admin, &hours, &closing);
    let student = inside.student(0);
    let shown = calendar(&student, "?from=2026-08-24&to=2026-08-27");
    assert_eq!((&shown["open_now"], &shown["opens_at"]), (&json!(true), &Value::Null));
    assert_eq!((&shown["time_zone"], &shown["bank_id"]), (&json!("Asia/Seoul"), &json!(1)));
    let days = shown["days"].as_array().expect("days");
    let dates: Vec<&Value> = days.iter().map(|day| &day["date"]).collect();
    assert_eq!(dates, ["2026-08-24", "2026-08-25", "2026-08-26", "2026-08-27"]);
    let hours: Vec<&Value> =
        days[0]["spans"].as_array().expect("spans").iter().map(|it| &it["hours"]).collect();
    assert_eq!(hours, ["09:00-12:00", "13:00-15:00"], "in order");
    let night = json!({ "hours": "18:00-02:00", "opens_at": "2026-08-25T09:00:00Z",
        "closes_at": "2026-08-25T17:00:00Z" });
    assert_eq!(days[1]["spans"], json!([night]));
    let closed = json!({ "date": "2026-08-26", "open": false,
        "closing": { "ko": "점검", "en": "Maintenance" }, "spans": [] });
    assert_eq!(days[2], closed);
    assert_eq!((&days[3]["open"], &days[3]["closing"]), (&json!(false), &Value::Null));

    assert_eq!(calendar(&student, "")["days"].as_array().map(Vec::len), Some(31));
    assert_eq!(calendar(&student, "?to=2026-11-23")["days"].as_array().map(Vec::len), Some(92));
    for wrong in [
        "?to=2026-11-24",
        "?to=2026-08-23",
        "?from=x",
        "?from=2026-02-30",
        "?from=9999-12-31&to=2026-01-01",
    ] {
        student.get(&format!("/api/v1/banks/1/calendar{wrong}")).refused(422, "invalid");
    }
    student.get("/api/v1/banks/9/calendar").refused(404, "bank_not_found");
    inside.pass(3 * 3_600 * 1_000 - 1_000);
    let (admin, student) = (inside.account("ADMIN"), inside.student(0));
    put(&admin, &json!({ "tue": ["18:00-02:00"] }), &json!([]));
    let shown = calendar(&student, "");
    assert_eq!(
        (&shown["open_now"], &shown["opens_at"]),
        (&json!(false), &json!("2026-08-25T09:00:00Z"))
    );
}

#[test]
fn hours_hold_after_a_restart() {
    let (inside, admin) = site();
    let hours = json!({ "mon": ["22:00-24:00"], "sun": ["00:00-24:00"] });
    let closing =
        json!([{ "first_on": "2026-12-24", "last_on": "2026-12-31", "name": { "ko": "휴관" } }]);
    put(&admin, &hours, &closing);
    let policy = admin.get("/api/v1/banks/1/policy").expect(200).json();
    assert_eq!(policy["hours"], hours);
    assert_eq!(policy["closings"][0]["name"], json!({ "ko": "휴관", "en": "휴관" }));
    // What the database has is what a start would read.
    let path = inside.services.store.dir().database();
    let site = lockerd::store::check::site(&path).expect("readable");
    let bank = site.banks.values().next().expect("a bank");
    let published = inside.services.store.snapshot();
    assert_eq!(Some(bank), published.site.banks.get(&bank.id));
    // And so does the saved state, for a start on a broken database.
    inside.run(inside.services.save_state()).expect("saved");
    let saved = lockerd::store::fallback::load(&inside.services.store.dir().snapshot());
    assert_eq!(saved.expect("readable").site.banks.get(&bank.id), Some(bank));
}
