//! Pool mode over the API: days are reserved, the calendar knows which are full, and a locker is bound
//! at check-in. On a clock that the test turns; no locker has a lock, so whoever may open is told
//! `not_wired`.

use lockerd::domain::id::LockerId;
use lockerd::domain::member::Role;
use lockerd::service::members::Actor;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply};
use crate::support::inside::{Inside, open_now};
use crate::support::live::{Socket, items};
use crate::support::people::{Kiosk, enrol};
use crate::support::site::{student_id, student_name};

const JSON: &str = "Content-Type: application/json";

/// Bank 1 in choose mode (lockers 1 and 2), banks 2 (11 to 13) and 3 (21) in pool mode, all at one
/// location. The clock stands at ten in the morning of Monday, 24 August 2026, in Seoul.
struct Hall {
    site: Inside,
}

fn pool(days_max: u16, check_in_days: Option<u16>, reservations_max: u16) -> Value {
    json!({
        "days_max": days_max, "advance_days": 10, "check_in_days": check_in_days,
        "reservations_max": reservations_max,
    })
}

fn policy(pool: &Value) -> Value {
    // The usual reminder comes a week before the end: too early for so short reservations.
    let overdue = json!({
        "reminder_days": [1], "remind_on_last_day": true, "remind_while_late": true,
        "late_opening": "until_sealed", "seal_after_days": null, "penalty_factor": 0,
        "penalty_max_days": 30,
    });
    json!({
        "hold_seconds": 60, "open_from": "anywhere", "closings": [], "pool": pool,
        "overdue": overdue,
    })
}

impl Hall {
    #[track_caller]
    fn open(students: usize, settings: &Value) -> Self {
        let site = Inside::start([1, 2], students, open_now);
        site.add("ADMIN", Role::Admin, &[]);
        let hall = Self { site };
        let admin = hall.admin();
        for (name, lockers) in [("예약", 11..=13), ("예약 2", 21..=21)] {
            let bank = json!({
                "location_id": 1, "name": { "ko": name }, "mode": "pool",
                "policy": policy(settings),
            });
            let made = admin.post_json("/api/v1/banks", &bank).expect(201).json();
            let path = format!("/api/v1/banks/{}/lockers", made["bank_id"]);
            let range = json!({ "from": lockers.start(), "to": lockers.end() });
            admin.post_json(&path, &range).expect(201);
        }
        hall.site.add("STAFF02", Role::Staff, &[2]);
        hall
    }

    #[track_caller]
    fn admin(&self) -> Client {
        self.site.account("ADMIN")
    }

    /// Turns the clock to a time in Seoul.
    fn at(&self, time: &str) {
        self.site.pass(60_000);
        self.site.clock.jump_to(format!("2026-{time}:00+09:00").parse().expect("a time"));
    }

    /// The n-th student, logged in now.
    #[track_caller]
    fn student(&self, n: usize) -> Client {
        self.site.student(n)
    }

    /// Has the n-th student reserve days of a bank; the reservation's number.
    #[track_caller]
    fn reserve(&self, n: usize, bank: i64, days: (&str, &str)) -> i64 {
        let made = reserve(&self.student(n), bank, days).expect(201).json();
        made["reservation_id"].as_i64().expect("a number")
    }

    /// Has the n-th student check a reservation in; the locker.
    #[track_caller]
    fn check_in(&self, n: usize, id: i64) -> i64 {
        let done = check_in(&self.student(n), id).expect(200).json();
        done["locker_id"].as_i64().expect("a number")
    }

    /// How many more reservations some days of a bank can bear.
    #[track_caller]
    fn left(&self, bank: i64, days: (&str, &str)) -> Vec<i64> {
        let path = format!("/api/v1/banks/{bank}/calendar?from=2026-{}&to=2026-{}", days.0, days.1);
        let shown = self.student(0).get(&path).expect(200).json();
        let days = shown["days"].as_array().expect("days");
        days.iter()
            .map(|day| {
                let left = day["left"].as_i64().expect("a number");
                assert_eq!(day["full"], left == 0, "{day}");
                left
            })
            .collect()
    }

    /// The payloads of mails of a kind, oldest first.
    fn mails(&self, kind: &str) -> Vec<Value> {
        let conn = self.site.sql();
        let sql = "SELECT payload FROM outbox WHERE kind = ?1 ORDER BY id";
        let mut statement = conn.prepare(sql).expect("good SQL");
        let rows = statement.query_map([kind], |row| row.get::<_, String>(0)).expect("readable");
        rows.map(|text| serde_json::from_str(&text.expect("text")).expect("JSON")).collect()
    }

    fn service(&self, locker: i64, in_service: bool) {
        let put = self.site.services.put_service(
            Actor::CommandLine,
            LockerId(locker),
            in_service,
            "경첩",
            None,
        );
        self.site.run(put).expect("done");
    }

    fn no_shows(&self) -> usize {
        self.site.run(self.site.services.release_no_shows()).expect("it works")
    }

    fn tell(&self) -> usize {
        self.site.run(self.site.services.tell_shortages()).expect("it works")
    }
}

fn reserve(who: &Client, bank: i64, days: (&str, &str)) -> Reply {
    let body =
        json!({ "starts_on": format!("2026-{}", days.0), "ends_on": format!("2026-{}", days.1) });
    who.post_json(&format!("/api/v1/banks/{bank}/reservations"), &body)
}

fn check_in(who: &Client, id: i64) -> Reply {
    who.post(&format!("/api/v1/reservations/{id}/check-in"))
}

fn cancel(who: &Client, id: i64) -> Reply {
    who.call("DELETE", &format!("/api/v1/reservations/{id}"), &[], "")
}

fn replace(who: &Client, id: i64, bank: i64) -> Reply {
    let body = json!({ "bank_id": bank });
    who.post_json(&format!("/api/v1/reservations/{id}/replace"), &body)
}

#[track_caller]
fn mine(who: &Client) -> Value {
    who.get("/api/v1/reservations/me").expect(200).json()
}

#[test]
fn days_are_reserved_until_one_is_full_and_a_cancelled_one_is_free_again() {
    let hall = Hall::open(4, &pool(5, Some(1), 1));
    assert_eq!(hall.left(2, ("08-24", "08-28")), [3, 3, 3, 3, 3]);
    let made = reserve(&hall.student(0), 2, ("08-25", "08-27")).expect(201).json();
    assert_eq!((&made["bank_id"], &made["starts_on"]), (&json!(2), &json!("2026-08-25")));
    assert_eq!(
        (&made["ends_on"], &made["check_in_until"]),
        (&json!("2026-08-27"), &json!("2026-08-25"))
    );
    let first = made["reservation_id"].as_i64().expect("a number");
    hall.reserve(1, 2, ("08-26", "08-26"));
    hall.reserve(2, 2, ("08-26", "08-28"));
    assert_eq!(hall.left(2, ("08-24", "08-29")), [3, 2, 0, 1, 2, 3]);
    let other = hall.student(3);
    let refused = reserve(&other, 2, ("08-25", "08-27")).refused(409, "day_full");
    assert_eq!(refused["full_days"], json!(["2026-08-26"]));
    cancel(&other, first).refused(404, "reservation_not_found");
    cancel(&hall.student(0), first).expect(204);
    cancel(&hall.student(0), first).refused(404, "reservation_not_found");
    assert_eq!(hall.left(2, ("08-24", "08-29")), [3, 3, 1, 2, 2, 3]);
    reserve(&other, 2, ("08-25", "08-27")).expect(201);
    assert_eq!(hall.site.history()[0], "- 2024000000 ended cancelled");
    let told = hall.mails("reserved");
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(told[0]["bank"]["ko"], "예약", "{told:?}");
    let audited = "SELECT count(*) FROM audit WHERE action LIKE 'reservation.%'";
    assert_eq!(hall.site.number(audited), 5);
    // What the program knows after a restart is what the database has.
    let hall = Hall { site: hall.site.again() };
    assert_eq!(hall.left(2, ("08-24", "08-29")), [3, 2, 0, 1, 2, 3]);
    hall.site.demand_clean();
}

#[test]
fn the_calendar_shows_a_month_and_costs_nothing_while_nothing_changes() {
    let hall = Hall::open(2, &pool(5, Some(2), 1));
    let student = hall.student(0);
    let path = "/api/v1/banks/2/calendar?month=2026-08";
    let shown = student.get(path).expect(200);
    let tag = shown.header("etag").expect("a tag").to_owned();
    let shown = shown.json();
    let days = shown["days"].as_array().expect("days");
    assert_eq!((days.len(), &days[0]["date"]), (31, &json!("2026-08-01")));
    assert_eq!((&days[22]["left"], &days[22]["full"]), (&Value::Null, &Value::Null), "is over");
    assert_eq!((&days[23]["left"], &days[23]["full"]), (&json!(3), &json!(false)));
    let taken = json!({
        "first_start_on": "2026-08-25", "last_start_on": "2026-09-03", "days_max": 5,
        "check_in_days": 2, "reservations_max": 1,
    });
    assert_eq!(shown["reservations"], taken);
    let known = format!("If-None-Match: {tag}");
    assert_eq!(student.call("GET", path, &[&known], "").status, 304);
    assert_eq!(student.call("GET", &path.replace("08", "09"), &[&known], "").status, 200);
    hall.reserve(1, 2, ("08-25", "08-25"));
    assert_eq!(student.call("GET", path, &[&known], "").status, 200);
    // Nothing of this stands in a bank in choose mode.
    let plain = student.get("/api/v1/banks/1/calendar?month=2026-08").expect(200).json();
    assert_eq!((&plain["reservations"], &plain["days"][23]["left"]), (&Value::Null, &Value::Null));
    for wrong in ["month=2026-13", "month=soon", "month=2026-08&from=2026-08-01"] {
        let path = format!("/api/v1/banks/2/calendar?{wrong}");
        student.get(&path).refused(422, "invalid");
    }
    hall.at("08-25T00:00");
    let student = hall.student(0);
    assert_eq!(student.call("GET", path, &[&known], "").status, 200, "another day");
}

#[test]
fn dates_that_a_bank_does_not_take_are_refused_with_the_reason() {
    let hall = Hall::open(1, &pool(3, None, 1));
    let closing = json!([{ "first_on": "2026-08-29", "last_on": "2026-08-29",
        "name": { "ko": "점검" } }]);
    let mut settings = policy(&pool(3, None, 1));
    settings["closings"] = closing;
    let put = ["mon", "tue", "wed", "thu", "fri", "sat"].map(|day| (day, json!(["09:00-22:00"])));
    settings["hours"] = put.into_iter().map(|(day, spans)| (day.to_owned(), spans)).collect();
    let path = "/api/v1/banks/2/policy";
    hall.admin().call("PUT", path, &[JSON], &settings.to_string()).expect(200);
    let student = hall.student(0);
    for (days, reason) in [
        (("08-24", "08-25"), "too_early"),
        (("08-20", "08-25"), "too_early"),
        (("09-04", "09-04"), "too_far"),
        (("08-25", "08-28"), "too_long"),
        (("08-29", "08-31"), "closed"),
        (("08-28", "08-29"), "closed"),
        // A Sunday without hours.
        (("08-28", "08-30"), "closed"),
    ] {
        let refused = reserve(&student, 2, days).refused(422, "dates_refused");
        assert_eq!(refused["reason"], reason, "{days:?}: {refused}");
        assert_eq!(refused["first_start_on"], "2026-08-25", "{refused}");
        assert_eq!(refused["last_start_on"], "2026-09-03", "{refused}");
    }
    for (first, last) in [("2026-08-26", "2026-08-25"), ("2026-02-30", "2026-03-01"), ("x", "y")] {
        let body = json!({ "starts_on": first, "ends_on": last });
        student.post_json("/api/v1/banks/2/reservations", &body).refused(422, "invalid");
    }
    // A closed day may lie between.
    reserve(&student, 2, ("08-28", "08-31")).refused(422, "dates_refused");
    hall.at("08-27T10:00");
    reserve(&hall.student(0), 3, ("08-28", "08-30")).expect(201);
}

#[test]
fn a_member_claims_a_day_once_whatever_the_mode() {
    let hall = Hall::open(3, &pool(5, None, 2));
    let student = hall.student(0);
    student.locker(11, "hold").refused(409, "wrong_mode");
    student.post("/api/v1/banks/2/hold").refused(409, "wrong_mode");
    let refused = reserve(&student, 1, ("08-25", "08-26")).refused(409, "wrong_mode");
    assert_eq!(refused["mode"], "choose");
    reserve(&student, 9, ("08-25", "08-26")).refused(404, "bank_not_found");

    let first = hall.reserve(0, 2, ("08-25", "08-26"));
    for bank in [2, 3] {
        let refused = reserve(&student, bank, ("08-26", "08-27")).refused(409, "already_reserved");
        assert_eq!(refused["reservation_id"], first, "{refused}");
    }
    // The term's dates cover it.
    student.locker(1, "hold").refused(409, "already_reserved");
    let keyed = student.post_keyed("/api/v1/lockers/1/hold", "a-key");
    keyed.refused(409, "already_reserved");
    hall.reserve(0, 2, ("08-27", "08-27"));
    let refused = reserve(&student, 2, ("08-28", "08-28")).refused(409, "too_many_reservations");
    assert_eq!(refused["reservations_max"], 2);
    hall.reserve(0, 3, ("08-28", "08-28"));

    let other = hall.student(1);
    other.locker(1, "hold").expect(201);
    reserve(&other, 2, ("08-25", "08-25")).refused(409, "already_holding");
    // The hold is dead, though nothing has written that down.
    hall.site.pass(60_000);
    reserve(&other, 2, ("08-25", "08-25")).expect(201);
    let third = hall.student(2);
    third.rent(1);
    reserve(&third, 2, ("08-25", "08-25")).refused(409, "already_renting");
    hall.site.demand_clean();
}

#[test]
fn a_repeat_with_the_same_key_changes_nothing() {
    let hall = Hall::open(1, &pool(5, None, 2));
    let student = hall.student(0);
    let headers = [JSON, "Idempotency-Key: one"];
    let body = r#"{"starts_on":"2026-08-25","ends_on":"2026-08-25"}"#;
    let path = "/api/v1/banks/2/reservations";
    let made = student.call("POST", path, &headers, body).expect(201).json();
    let again = student.call("POST", path, &headers, body).expect(201);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json(), made);
    let other = body.replace("08-25", "08-26");
    student.call("POST", path, &headers, &other).refused(422, "key_reused");
    hall.at("08-25T09:00");
    let (student, id) = (hall.student(0), made["reservation_id"].as_i64().expect("a number"));
    let path = format!("/api/v1/reservations/{id}/check-in");
    let done = student.post_keyed(&path, "two").expect(200).json();
    assert_eq!(student.post_keyed(&path, "two").expect(200).json(), done);
    assert_eq!(hall.site.history(), ["11 2024000000 active -"]);
}

#[test]
fn a_reservation_becomes_a_rental_at_check_in_and_its_return_frees_the_days_left() {
    let hall = Hall::open(2, &pool(5, None, 1));
    let id = hall.reserve(0, 2, ("08-25", "08-28"));
    let student = hall.student(0);
    let shown = mine(&student);
    assert_eq!(shown["status"], "reserved");
    let row = json!({
        "reservation_id": id, "bank_id": 2, "bank": { "ko": "예약", "en": "예약" },
        "starts_on": "2026-08-25", "ends_on": "2026-08-28", "status": "reserved",
        "locker_id": null, "accessible": false, "check_in_until": "2026-08-28", "short": false,
        "offered_bank_id": null,
    });
    assert_eq!(shown["reservations"], json!([row]));
    assert_eq!(student.get("/api/v1/lockers/me").expect(200).json()["reservations"], 1);
    assert_eq!(mine(&hall.student(1)), json!({ "status": "idle", "reservations": [] }));
    let refused = check_in(&student, id).refused(403, "outside_dates");
    assert_eq!(refused["starts_on"], "2026-08-25", "{refused}");
    check_in(&hall.student(1), id).refused(404, "reservation_not_found");

    hall.at("08-26T09:00");
    let student = hall.student(0);
    let sums = student.get("/api/v1/lockers/summary").expect(200).json();
    let bank = &sums["locations"][0]["banks"][1];
    assert_eq!((&bank["mode"], &bank["reserved_today"]), (&json!("pool"), &json!(1)), "{bank}");
    assert_eq!(hall.check_in(0, id), 11);
    check_in(&student, id).refused(409, "checked_in");
    cancel(&student, id).refused(409, "checked_in");
    replace(&student, id, 3).refused(409, "checked_in");
    let shown = mine(&student);
    assert_eq!(
        (&shown["status"], &shown["reservations"][0]["locker_id"]),
        (&json!("using"), &json!(11))
    );
    assert_eq!(student.mine()["locker_id"], 11);
    student.locker(11, "open").refused(409, "not_wired");
    assert_eq!(hall.left(2, ("08-26", "08-29")), [2, 2, 2, 3]);
    let told = hall.mails("rental_confirmed");
    let name = |name: &str| json!({ "ko": name, "en": name });
    let wanted = json!({
        "locker_id": 11, "bank": name("예약"), "location": name("정보관"),
        "starts_on": "2026-08-25", "ends_on": "2026-08-28",
    });
    assert_eq!(told, [wanted]);

    student.give_back(11);
    assert_eq!(hall.left(2, ("08-26", "08-29")), [3, 3, 3, 3]);
    assert_eq!(mine(&student)["status"], "idle");
    assert_eq!(hall.site.history(), ["11 2024000000 ended returned"]);
    reserve(&student, 2, ("08-27", "08-28")).expect(201);
    hall.site.demand_clean();
}

#[test]
fn the_longest_empty_locker_comes_first_and_an_accessible_one_on_wish() {
    let hall = Hall::open(5, &pool(5, None, 1));
    hall.admin().call("PATCH", "/api/v1/lockers/11", &[JSON], r#"{"accessible":true}"#).expect(200);
    // One after the other uses a locker for a day: each time the one that stood empty longest.
    let mut order = Vec::new();
    for (n, day) in [(0, "08-25"), (1, "08-26"), (0, "08-27"), (1, "08-28"), (0, "08-29")] {
        let id = hall.reserve(n, 2, (day, day));
        hall.at(&format!("{day}T09:00"));
        order.push(hall.check_in(n, id));
        hall.student(n).give_back(*order.last().expect("one"));
    }
    assert_eq!(order, [11, 12, 13, 11, 12]);
    // 13 is next, but 11 is what the wish is for; who has no wish leaves it while others have one.
    let wish = json!({ "starts_on": "2026-08-30", "ends_on": "2026-08-30", "accessible": true });
    let path = "/api/v1/banks/2/reservations";
    let wished = hall.student(2).post_json(path, &wish).expect(201).json();
    let wished = wished["reservation_id"].as_i64().expect("a number");
    let (third, fourth) =
        (hall.reserve(3, 2, ("08-30", "08-30")), hall.reserve(4, 2, ("08-30", "08-30")));
    hall.at("08-30T09:00");
    assert_eq!(hall.check_in(3, third), 13);
    assert_eq!(hall.check_in(4, fourth), 12);
    assert_eq!(hall.check_in(2, wished), 11);
    hall.site.demand_clean();
}

#[test]
fn whoever_does_not_come_loses_the_reservation_and_its_days_are_free() {
    let hall = Hall::open(3, &pool(5, Some(2), 1));
    let (lost, late, kept) = (
        hall.reserve(0, 2, ("08-25", "08-28")),
        hall.reserve(1, 2, ("08-26", "08-28")),
        hall.reserve(2, 2, ("08-26", "08-28")),
    );
    hall.at("08-26T23:59");
    assert_eq!(hall.no_shows(), 0);
    hall.check_in(2, kept);
    assert_eq!(hall.left(2, ("08-27", "08-28")), [0, 0]);
    hall.at("08-27T00:00");
    // Before the job has come, the check-in knows.
    let refused = check_in(&hall.student(0), lost).refused(403, "outside_dates");
    assert_eq!(refused["check_in_until"], "2026-08-26", "{refused}");
    assert_eq!(hall.no_shows(), 1);
    assert_eq!(hall.no_shows(), 0);
    assert_eq!(hall.left(2, ("08-27", "08-28")), [1, 1]);
    check_in(&hall.student(0), lost).refused(404, "reservation_not_found");
    let told = hall.mails("no_show");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0]["starts_on"], "2026-08-25");
    hall.check_in(1, late);
    assert_eq!(hall.site.history()[0], "- 2024000000 ended no_show");
    let job =
        "SELECT count(*) FROM audit WHERE action = 'reservation.no_show' AND actor_id IS NULL";
    assert_eq!(hall.site.number(job), 1);
    hall.site.demand_clean();
}

#[test]
fn what_breaks_is_told_to_who_reserved_last_and_another_bank_takes_them() {
    let hall = Hall::open(4, &pool(5, None, 1));
    let ids: Vec<i64> = (0..3).map(|n| hall.reserve(n, 2, ("08-25", "08-27"))).collect();
    hall.service(12, false);
    assert_eq!(hall.left(2, ("08-24", "08-28")), [2, 0, 0, 0, 2]);
    assert_eq!(hall.tell(), 1);
    assert_eq!(hall.tell(), 0, "once");
    let told = hall.mails("reservation_shortage");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["bank"]["ko"], &told[0]["offered"]["ko"]),
        (&json!("예약"), &json!("예약 2"))
    );
    let staff = hall.site.account("STAFF02");
    let list = staff.get("/api/v1/shortages").expect(200).json();
    let row = &list["shortages"][0];
    assert_eq!(list["shortages"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!((&row["rental_id"], &row["reason"]), (&json!(ids[2]), &json!("too_few")));
    assert_eq!((&row["locker_id"], &row["alternative_banks"]), (&Value::Null, &json!([3])));
    assert_eq!((&row["told"], &row["renter"]["student_id"]), (&json!(true), &json!("2024****02")));
    let shown = mine(&hall.student(2));
    let row = &shown["reservations"][0];
    assert_eq!((&row["short"], &row["offered_bank_id"]), (&json!(true), &json!(3)), "{row}");
    assert_eq!(mine(&hall.student(1))["reservations"][0]["short"], false);

    // On the day, what is free is kept for those who reserved before.
    hall.at("08-25T09:00");
    let refused = check_in(&hall.student(2), ids[2]).refused(409, "no_free_locker");
    assert_eq!(refused["offered_bank_id"], 3, "{refused}");
    replace(&hall.student(1), ids[1], 3).refused(409, "no_shortage");
    replace(&hall.student(2), ids[2], 2).refused(422, "invalid");
    replace(&hall.student(2), ids[2], 1).refused(409, "wrong_mode");
    replace(&hall.student(3), ids[2], 3).refused(404, "reservation_not_found");
    let moved = replace(&hall.student(2), ids[2], 3).expect(200).json();
    assert_eq!((&moved["bank_id"], &moved["starts_on"]), (&json!(3), &json!("2026-08-25")));
    let moved = moved["reservation_id"].as_i64().expect("a number");
    assert_eq!(hall.check_in(2, moved), 21);
    assert_eq!((hall.check_in(1, ids[1]), hall.check_in(0, ids[0])), (11, 13));
    let follows = format!("SELECT follows_id FROM rental WHERE id = {moved}");
    assert_eq!(hall.site.number(&follows), ids[2]);
    assert_eq!(hall.site.history()[2], "- 2024000002 ended replaced");
    assert_eq!(hall.tell(), 0);
    hall.site.demand_clean();
}

#[test]
fn what_works_again_ends_the_shortage_and_the_next_one_is_told_anew() {
    let hall = Hall::open(3, &pool(5, None, 1));
    let ids: Vec<i64> = (0..3).map(|n| hall.reserve(n, 2, ("08-25", "08-27"))).collect();
    hall.service(12, false);
    assert_eq!(hall.tell(), 1);
    hall.service(12, true);
    assert_eq!(hall.tell(), 0);
    assert_eq!(
        hall.site.number("SELECT count(*) FROM rental WHERE shortage_told_ms IS NOT NULL"),
        0
    );
    hall.service(11, false);
    assert_eq!(hall.tell(), 1);
    assert_eq!(hall.mails("reservation_shortage").len(), 2);
    // Further ahead nobody is told: much may change.
    cancel(&hall.student(2), ids[2]).expect(204);
    hall.service(13, false);
    assert_eq!(hall.tell(), 1, "the next one is short now");
    hall.site.demand_clean();
}

#[test]
fn somebody_who_does_not_leave_takes_a_locker_from_every_day() {
    let hall = Hall::open(5, &pool(5, None, 1));
    let stays: Vec<i64> = (0..3).map(|n| hall.reserve(n, 2, ("08-25", "08-26"))).collect();
    hall.at("08-25T09:00");
    let lockers: Vec<i64> = stays.iter().zip(0..).map(|(id, n)| hall.check_in(n, *id)).collect();
    let next = [hall.reserve(3, 2, ("08-27", "08-29")), hall.reserve(4, 2, ("08-27", "08-29"))];
    assert_eq!(hall.left(2, ("08-25", "08-30")), [0, 0, 1, 1, 1, 3]);
    hall.at("08-26T17:00");
    assert_eq!(hall.tell(), 0, "until the evening they are in rightful use");
    hall.student(0).give_back(lockers[0]);
    hall.at("08-26T18:00");
    assert_eq!(hall.tell(), 1);
    hall.at("08-27T09:00");
    assert_eq!(hall.left(2, ("08-27", "08-30")), [0, 0, 0, 1]);
    assert_eq!(mine(&hall.student(1))["status"], "overdue");
    check_in(&hall.student(4), next[1]).refused(409, "no_free_locker");
    assert_eq!(hall.check_in(3, next[0]), lockers[0]);
    check_in(&hall.student(4), next[1]).refused(409, "no_free_locker");
    hall.student(1).give_back(lockers[1]);
    assert_eq!(hall.check_in(4, next[1]), lockers[1]);
    assert_eq!(hall.left(2, ("08-27", "08-30")), [0, 0, 0, 2]);
    hall.site.demand_clean();
}

#[test]
fn a_bank_that_opens_in_presence_only_is_checked_in_there() {
    let hall = Hall::open(2, &pool(5, None, 1));
    let admin = hall.admin();
    let body = r#"{"open_from":"presence"}"#;
    admin.call("PUT", "/api/v1/banks/2/opening", &[JSON], body).expect(200);
    let (here, there) = (Kiosk::pair(&admin, "여기", &[2]), Kiosk::pair(&admin, "저기", &[1]));
    let id = hall.reserve(0, 2, ("08-25", "08-25"));
    hall.at("08-25T09:00");
    let student = hall.student(0);
    check_in(&student, id).refused(403, "presence_needed");
    let path = format!("/api/v1/reservations/{id}/check-in");
    let wrong = json!({ "presence_code": "000000" });
    let refused = student.post_json(&path, &wrong).refused(403, "presence_wrong");
    assert!(refused["tries_left"].is_number(), "{refused}");
    let code = json!({ "presence_code": here.code(2) });
    // Whoever missed it waits, also with the right one.
    student.post_json(&path, &code).refused(429, "too_many_attempts");
    hall.site.pass(1_000);
    let locker = student.post_json(&path, &code).expect(200).json()["locker_id"].clone();
    // The code is still good for the opening.
    let path = format!("/api/v1/lockers/{locker}/open");
    student.post_json(&path, &code).refused(409, "not_wired");

    // At a kiosk only for the banks that it stands beside.
    let other = hall.student(1);
    let app = enrol(&other, hall.site.clock.now()).0;
    let away = there.sign_in(&student_id(1), &app.next_code(&hall.site));
    reserve(&away, 2, ("08-26", "08-26")).refused(403, "not_at_kiosk");
    let at_bank = here.sign_in(&student_id(1), &app.next_code(&hall.site));
    let made = reserve(&at_bank, 2, ("08-26", "08-26")).expect(201).json();
    let id = made["reservation_id"].as_i64().expect("a number");
    hall.at("08-26T09:00");
    let away = there.sign_in(&student_id(1), &app.next_code(&hall.site));
    check_in(&away, id).refused(403, "not_at_kiosk");
    cancel(&away, id).refused(403, "not_at_kiosk");
    let at_bank = here.sign_in(&student_id(1), &app.next_code(&hall.site));
    assert_eq!(mine(&at_bank)["status"], "reserved");
    check_in(&at_bank, id).expect(200);
    hall.site.demand_clean();
}

#[test]
fn a_closed_bank_is_not_checked_in_and_a_doubtful_clock_neither() {
    let hall = Hall::open(1, &pool(5, None, 1));
    let id = hall.reserve(0, 2, ("08-25", "08-26"));
    let mut settings = policy(&pool(5, None, 1));
    settings["hours"] = json!({ "tue": ["10:00-22:00"] });
    hall.admin().call("PUT", "/api/v1/banks/2/policy", &[JSON], &settings.to_string()).expect(200);
    hall.at("08-25T09:00");
    check_in(&hall.student(0), id).refused(403, "bank_closed");
    hall.at("08-25T10:00");
    let student = hall.student(0);
    hall.site.clock.distrust();
    check_in(&student, id).refused(409, "clock_untrusted");
    reserve(&student, 2, ("08-28", "08-28")).refused(409, "clock_untrusted");
    hall.site.clock.trust();
    check_in(&student, id).expect(200);
}

#[test]
fn what_waits_is_given_up_with_its_account_and_keeps_its_bank() {
    let hall = Hall::open(3, &pool(5, None, 1));
    for n in 0..3 {
        hall.reserve(n, 2, ("08-25", "08-26"));
    }
    let admin = hall.admin();
    let kept = admin.call("DELETE", "/api/v1/banks/2", &[], "").refused(409, "still_in_use");
    assert_eq!(kept["reservations"], 3, "{kept}");
    let other = r#"{"mode":"choose"}"#;
    admin.call("PATCH", "/api/v1/banks/2", &[JSON], other).refused(409, "still_in_use");
    hall.student(0).call("DELETE", "/api/v1/me", &[JSON], "{}").expect(204);
    assert_eq!(hall.left_as(1, 2), [1, 1]);
    // Gone from the roster: they may not come any more.
    let roster = format!("student_id,name\n{},{}\n", student_id(1), student_name(1));
    let path = "/api/v1/members/import?leavers=mark";
    admin.call("POST", path, &["Content-Type: text/csv"], &roster).expect(200);
    let leaver = hall.student(2);
    reserve(&leaver, 3, ("08-28", "08-28")).refused(403, "leaving");
    assert_eq!(hall.no_shows(), 1);
    assert_eq!(hall.mails("reservation_cancelled").len(), 1);
    assert_eq!(hall.left_as(1, 2), [2, 2]);
    let last = mine(&hall.student(1))["reservations"][0]["reservation_id"].as_i64();
    cancel(&hall.student(1), last.expect("one")).expect(204);
    admin.call("PATCH", "/api/v1/banks/2", &[JSON], other).expect(200);
    hall.site.demand_clean();
}

impl Hall {
    /// Room on the first two days, as another student sees it.
    #[track_caller]
    fn left_as(&self, n: usize, bank: i64) -> Vec<i64> {
        let path = format!("/api/v1/banks/{bank}/calendar?from=2026-08-25&to=2026-08-26");
        let shown = self.student(n).get(&path).expect(200).json();
        let days = shown["days"].as_array().expect("days");
        days.iter().map(|day| day["left"].as_i64().expect("a number")).collect()
    }
}

#[test]
fn a_reservation_is_told_to_its_member_until_it_is_over() {
    let hall = Hall::open(2, &pool(5, None, 2));
    hall.site.publish();
    let listen = |n: usize| Socket::listen(&hall.student(n), &json!(["mine"])).0;
    let next = |socket: &mut Socket| {
        let message = [socket.message()];
        let told = items(&message, "mine");
        assert_eq!(told.len(), 1, "{message:?}");
        told[0].clone()
    };
    let (mut of_member, mut of_other) = (listen(0), listen(1));
    for socket in [&mut of_member, &mut of_other] {
        assert_eq!(socket.message()["groups"], json!([]));
    }
    let id = hall.reserve(0, 2, ("08-27", "08-27"));
    assert_eq!(next(&mut of_member)["rental_id"], id);
    let path = format!("/api/v1/reservations/{id}");
    hall.student(0).call("DELETE", &path, &[], "").expect(204);
    let over = json!({ "rental_id": id, "locker_id": null, "state": "over" });
    assert_eq!(next(&mut of_member), over);
    let id = hall.reserve(0, 2, ("08-25", "08-26"));
    let reserved = json!({
        "rental_id": id, "locker_id": null, "bank_id": 2, "state": "reserved",
        "starts_on": "2026-08-25", "ends_on": "2026-08-26", "waits_for": null, "door": null,
    });
    assert_eq!(next(&mut of_member), reserved);
    assert!(of_other.is_silent_for(std::time::Duration::from_millis(200)));
    // The tokens of yesterday are no good.
    hall.at("08-25T10:00");
    let mut of_member = listen(0);
    assert_eq!(next(&mut of_member), reserved);
    let locker = hall.check_in(0, id);
    let rented = next(&mut of_member);
    assert_eq!((&rented["rental_id"], &rented["state"]), (&json!(id), &json!("active")));
    assert_eq!(rented["locker_id"], locker);
}
