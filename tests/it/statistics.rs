//! Figures over HTTP, from a history that the test knows.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::inside::Inside;

/// A term of ten days, open for the hour from now on.
fn short(now: jiff::Timestamp) -> String {
    format!(
        "[[term]]\nname_ko = '짧은'\nopens_at = '{now}'\ncloses_at = '{}'\n\
         starts_on = '2026-08-24'\nends_on = '2026-09-02'\n",
        now + jiff::SignedDuration::from_hours(1)
    )
}

struct Figures {
    site: Inside,
}

impl Figures {
    fn start() -> Self {
        let site = Inside::start(1..=4, 4, short);
        site.add("STAFF01", Role::Staff, &[1]);
        site.add("STAFF02", Role::Staff, &[]);
        Self { site }
    }

    fn at(&self, time: &str) {
        self.site.pass(60_000);
        self.site.clock.jump_to(format!("{time}:00+09:00").parse().expect("a time"));
    }

    fn get(&self, path: &str) -> Value {
        self.staff().get(&format!("/api/v1/statistics/{path}")).expect(200).json()
    }

    fn staff(&self) -> Client {
        self.site.account("STAFF01")
    }
}

#[test]
fn lockers_are_counted_at_the_end_of_each_day() {
    let figures = Figures::start();
    let site = &figures.site;
    site.student(0).rent(1);
    site.student(1).rent(2);
    figures.at("2026-08-26T12:00");
    let body = json!({ "in_service": false, "reason": "경첩" }).to_string();
    let headers = ["Content-Type: application/json"];
    figures.staff().call("PUT", "/api/v1/lockers/3/service", &headers, &body).expect(200);
    figures.at("2026-08-28T12:00");
    site.student(1).give_back(2);
    // The other one is late from September 3 on.
    figures.at("2026-09-04T12:00");
    let told = figures.get("occupancy?bank_id=1&from=2026-08-23&to=2026-09-10");
    assert_eq!(told["time_zone"], "Asia/Seoul", "{told}");
    let days: Vec<&str> = told["days"]
        .as_array()
        .expect("days")
        .iter()
        .map(|day| day.as_str().expect("text"))
        .collect();
    assert_eq!((days.len(), days[0], days[12]), (13, "2026-08-23", "2026-09-04"), "none to come");
    let bank = &told["banks"][0];
    assert_eq!(bank["in_service"], json!([4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3]), "{bank}");
    assert_eq!(bank["taken"], json!([0, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0]), "{bank}");
    assert_eq!(bank["overdue"], json!([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]), "{bank}");
    assert_eq!(bank["free"], json!([4, 2, 2, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2]), "{bank}");

    let late = figures.get("overdue?from=2026-08-20&to=2026-09-04");
    let bank = json!({ "bank_id": 1, "ended": 1, "late": 0, "rate": 0.0, "late_now": 1 });
    assert_eq!(late["banks"], json!([bank]), "{late}");
    site.student(0).give_back(1);
    let late = figures.get("overdue?from=2026-08-20&to=2026-09-04");
    let bank = json!({ "bank_id": 1, "ended": 2, "late": 1, "rate": 0.5, "late_now": 0 });
    assert_eq!(late["banks"], json!([bank]), "{late}");
}

#[test]
fn figures_are_of_the_banks_that_are_asked_for() {
    let figures = Figures::start();
    let site = &figures.site;
    let other = "[[location]]\nname_ko = '도서관'\n[[location.bank]]\nname_ko = '벽'\n\
                 [[location.bank.locker]]\nid = 11\n[[location.bank.locker]]\nid = 12\n";
    let other = toml::from_str(other).expect("a site file");
    site.run(site.services.update_site(other, None, None)).expect("taken");
    site.add("ADMIN", Role::Admin, &[]);
    site.pass(1_000);
    site.student(0).rent(1);
    site.student(1).rent(11);
    let admin = site.account("ADMIN");
    let taken = |who: &Client, question: &str| -> Vec<(i64, Value)> {
        let path = format!("/api/v1/statistics/occupancy?from=2026-08-24&{question}");
        let told = who.get(&path).expect(200).json();
        let banks = told["banks"].as_array().expect("banks");
        let one =
            |bank: &Value| (bank["bank_id"].as_i64().expect("a number"), bank["taken"].clone());
        banks.iter().map(one).collect()
    };
    let (first, second) = ((1, json!([1])), (2, json!([1])));
    assert_eq!(taken(&figures.staff(), ""), std::slice::from_ref(&first), "of their bank");
    assert_eq!(taken(&admin, ""), [first.clone(), second.clone()]);
    assert_eq!(taken(&admin, "bank_id=1"), [first]);
    assert_eq!(taken(&admin, "location_id=2"), [second]);
    assert_eq!(taken(&admin, "location_id=9"), [], "no such location");
    assert_eq!(taken(&site.account("STAFF02"), ""), [], "of none");
    let claims = |who: &Client| {
        let told = who.get("/api/v1/statistics/rush?term_id=1").expect(200).json();
        told["claims_by_minute"][0].clone()
    };
    assert_eq!((claims(&figures.staff()), claims(&admin)), (json!(1), json!(2)));
    // A rental that goes on in another locker has not ended.
    let id = site.number("SELECT max(id) FROM rental WHERE locker_id = 11");
    let body = json!({ "locker_id": 12, "reason": "경첩" });
    admin.post_json(&format!("/api/v1/rentals/{id}/move"), &body).expect(200);
    let late = admin.get("/api/v1/statistics/overdue?location_id=2").expect(200).json();
    assert_eq!(late["banks"].as_array().map(Vec::len), Some(1), "{late}");
    assert_eq!(late["banks"][0]["rate"], Value::Null, "none has ended");
}

#[test]
fn a_rush_is_counted_from_the_opening_of_its_window() {
    let figures = Figures::start();
    let site = &figures.site;
    site.pass(2_000);
    site.student(0).locker(1, "hold").expect(201);
    site.pass(500);
    site.student(0).locker(1, "confirm").expect(200);
    site.pass(60_000);
    site.student(1).rent(2);
    site.student(2).locker(3, "hold").expect(201);
    let told = figures.get("rush?term_id=1");
    let minutes = |name: &str| -> Vec<i64> {
        let list = told[name].as_array().expect("a list");
        list.iter().map(|count| count.as_i64().expect("a number")).collect()
    };
    assert_eq!(
        (minutes("holds_by_minute").len(), &minutes("holds_by_minute")[..3]),
        (60, &[1, 2, 0][..])
    );
    assert_eq!(&minutes("claims_by_minute")[..3], &[1, 1, 0]);
    assert_eq!((&told["first_claim_ms"], &told["median_confirm_ms"]), (&json!(2_500), &json!(500)));
    let staff = figures.staff();
    staff.get("/api/v1/statistics/rush?term_id=9").refused(404, "term_not_found");
    staff.get("/api/v1/statistics/rush").refused(422, "invalid");
}

#[test]
fn openings_are_counted_by_weekday_and_hour_of_the_site() {
    let figures = Figures::start();
    let openings = [
        // Monday 10:05 and 10:55 in Seoul, Sunday 23:59, and one outside of the days.
        ("2026-08-24T01:05:00Z", 1, "opened"),
        ("2026-08-24T01:55:00Z", 2, "no_answer"),
        ("2026-08-23T14:59:00Z", 1, "opened"),
        ("2026-08-01T00:00:00Z", 1, "opened"),
    ];
    for (number, (at, locker, outcome)) in openings.into_iter().enumerate() {
        let at: jiff::Timestamp = at.parse().expect("a time");
        let id = format!("01900000-0000-7000-8000-{number:012}");
        figures
            .site
            .sql()
            .execute(
                "INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, outcome)
                 VALUES (?1, ?2, 1, 'renter', ?3, ?4)",
                rusqlite::params![id, locker, at.as_millisecond(), outcome],
            )
            .expect("stored");
    }
    let told = figures.get("openings?from=2026-08-20&to=2026-08-24");
    let matrix = &told["by_weekday_and_hour"];
    assert_eq!((&matrix[0][10], &matrix[6][23]), (&json!(2), &json!(1)), "{told}");
    assert_eq!(told["outcomes"], json!({ "opened": 2, "no_answer": 1 }));
    assert_eq!(told["weekdays"][6], "sun");
    let none = figures.site.account("STAFF02").get("/api/v1/statistics/openings").expect(200);
    assert_eq!(none.json()["outcomes"], json!({}), "not their bank");
}

#[test]
fn the_longest_waits_come_first() {
    let figures = Figures::start();
    figures
        .site
        .sql()
        .execute_batch(
            "INSERT INTO waiting (id, bank_id, term_id, member_id, since_ms, ended_ms, end_reason)
             VALUES (1, 1, 1, 1, 1787533000000, 1787533005000, 'taken'),
                    (2, 1, 1, 2, 1787533000000, NULL, NULL),
                    (3, 1, 1, 3, 1787533000000, 1787533009000, 'left');
             INSERT INTO rental (id, bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
               confirmed_ms)
             VALUES (1, 1, 1, 1, 'active', '2026-08-01', '2026-08-20', 1, 1);
             INSERT INTO overdue_case (rental_id, bank_id, locker_id, member_id, ended_on, state,
               detected_ms, collected_ms)
             VALUES (1, 1, 1, 1, '2026-08-20', 'collected', 1787533000000, 1787533007000);",
        )
        .expect("stored");
    let told = figures.get("waits");
    let waiting: Vec<&Value> =
        told["waiting"].as_array().expect("rows").iter().map(|row| &row["waiting_id"]).collect();
    assert_eq!(waiting, [2, 3, 1], "{told}");
    assert_eq!(told["waiting"][1]["waited_ms"], 9_000, "{told}");
    assert_eq!(told["waiting"][0]["until"], Value::Null, "{told}");
    assert_eq!(told["collecting"][0]["waited_ms"], 7_000, "{told}");
    let before = figures.get("waits?from=2026-07-01&to=2026-07-31");
    assert_eq!((&before["waiting"], &before["collecting"]), (&json!([]), &json!([])));
}

#[test]
fn figures_are_for_staff_and_for_a_bounded_time() {
    let figures = Figures::start();
    let staff = figures.staff();
    for name in ["occupancy", "openings", "overdue", "waits"] {
        let path = format!("/api/v1/statistics/{name}");
        figures.site.student(0).get(&path).refused(403, "forbidden");
        let ask = |question: &str| staff.get(&format!("{path}?{question}"));
        ask("from=2026-08-02&to=2026-08-01").refused(422, "invalid");
        ask("from=2025-01-01&to=2026-08-01").refused(422, "invalid");
        ask("from=soon").refused(422, "invalid");
        ask("bank_id=2").refused(403, "forbidden");
        ask("from=2025-07-01&to=2026-08-01").expect(200);
    }
    figures.site.student(0).get("/api/v1/statistics/rush?term_id=1").refused(403, "forbidden");
}
