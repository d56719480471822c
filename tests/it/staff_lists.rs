//! What staff look up: rentals with every filter, in every order, on pages to the end; openings. In
//! `files` the same and every other list as CSV.

use std::fmt::Write as _;

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::inside::Inside;

mod files;
mod same_rows;

/// One of each: over, given up, late, returned, reserved, of another bank at another location.
const RENTALS: &str = "
    INSERT INTO rental (id, bank_id, locker_id, member_id, term_id, state, starts_on, ends_on, held_ms,
                        confirmed_ms, opened_ms, returned_ms, ended_ms, end_reason)
    SELECT one.id, one.bank, one.locker, member.id, one.term, one.state, one.first, one.last, 1,
           one.confirmed, one.opened, one.returned, one.ended, one.why
    FROM member JOIN (
      SELECT 1 AS id, 1 AS bank, 1 AS locker, 0 AS n, 1 AS term, 'ended' AS state,
             '2026-03-01' AS first, '2026-06-30' AS last, 2 AS confirmed, 3 AS opened, 4 AS returned,
             5 AS ended, 'returned' AS why
      UNION ALL SELECT 2, 1, 2, 1, NULL, 'ended', '2026-07-01', '2026-07-10', NULL, NULL, NULL, 9,
             'hold_expired'
      UNION ALL SELECT 3, 1, 1, 2, 1, 'active', '2026-08-01', '2026-08-31', 2, NULL, NULL, NULL, NULL
      UNION ALL SELECT 4, 1, 2, 3, NULL, 'active', '2026-08-01', '2026-08-20', 2, 3, NULL, NULL, NULL
      UNION ALL SELECT 5, 1, 3, 4, 1, 'returned', '2026-08-01', '2026-08-31', 2, 3, 1787533200000,
             NULL, NULL
      UNION ALL SELECT 6, 1, 4, 5, NULL, 'active', '2026-08-10', '2026-08-25', 2, NULL, NULL, NULL, NULL
      UNION ALL SELECT 7, 1, NULL, 1, NULL, 'reserved', '2026-09-01', '2026-09-03', NULL, NULL, NULL,
             NULL, NULL
      UNION ALL SELECT 8, 2, 11, 0, NULL, 'active', '2026-08-01', '2026-08-31', 2, NULL, NULL, NULL, NULL
    ) AS one ON student_id = '202400000' || one.n
    ORDER BY one.id;";

/// Lockers 1 to 5 of bank 1, locker 11 of bank 2 elsewhere; nine rentals, the last of them a hold.
fn house() -> Inside {
    let term = |now: jiff::Timestamp| {
        let hour = jiff::SignedDuration::from_hours(1);
        format!(
            "[[term]]\nname_ko = '여름'\nopens_at = '{}'\ncloses_at = '{}'\n\
             starts_on = '2026-08-01'\nends_on = '2026-08-31'\n",
            now - hour,
            now + hour
        )
    };
    let site = Inside::start(1..=5, 7, term);
    let other = "[[location]]\nname_ko = '도서관'\n[[location.bank]]\nname_ko = '벽'\n\
                 [[location.bank.locker]]\nid = 11\n";
    let other = toml::from_str(other).expect("a site file");
    site.run(site.services.update_site(other, None, None)).expect("taken");
    site.add("STAFF01", Role::Staff, &[1]);
    site.add("STAFF02", Role::Staff, &[]);
    site.add("ADMIN", Role::Admin, &[]);
    site.sql().execute_batch(RENTALS).expect("stored");
    let site = site.again();
    site.student(1).locker(5, "hold").expect(201);
    site
}

/// Words as they stand in an address.
fn encoded(words: &str) -> String {
    words.bytes().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "%{byte:02X}");
        text
    })
}

fn number(row: &Value, name: &str) -> i64 {
    row[name].as_i64().unwrap_or_else(|| panic!("no {name}: {row}"))
}

/// The rentals of all pages of a size, each page's cursor used for the next one.
#[track_caller]
fn pages(who: &Client, question: &str, limit: usize) -> Vec<i64> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    for _ in 0..40 {
        let path = format!("/api/v1/rentals?{question}&limit={limit}{cursor}");
        let page = who.get(&path).expect(200).json();
        let rows = page["rentals"].as_array().expect("rows");
        assert!(rows.len() <= limit, "{page}");
        all.extend(rows.iter().map(|row| number(row, "rental_id")));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
    panic!("the pages do not end");
}

/// Every filter with what it finds, the newest first.
fn filters(site: &Inside) -> Vec<(String, Vec<i64>)> {
    let member = site.number("SELECT id FROM member WHERE student_id = '2024000000'");
    let all = |question: &str, found: &[i64]| (question.to_owned(), found.to_vec());
    vec![
        all("state=all", &[9, 8, 7, 6, 5, 4, 3, 2, 1]),
        all("state=live", &[9, 8, 7, 6, 5, 4, 3]),
        all("state=reserved", &[7]),
        all("state=held", &[9]),
        all("state=active", &[8, 6, 4, 3]),
        all("state=returned", &[5]),
        all("state=ended", &[2, 1]),
        all("bank_id=1", &[9, 7, 6, 5, 4, 3, 2, 1]),
        all("bank_id=2", &[8]),
        all("location_id=2", &[8]),
        all("late=true", &[4]),
        all("late=false&state=active&bank_id=1", &[6, 4, 3]),
        all("locker_id=1", &[3, 1]),
        all("locker_id=1&state=ended", &[1]),
        all(&format!("member_id={member}"), &[8, 1]),
        all("q=2024000003", &[4]),
        all("q=202400000%25", &[]),
        (format!("q={}", encoded("가가마")), vec![5]),
        all("term_id=1", &[9, 5, 3, 1]),
        all("from=2026-09-01", &[7]),
        all("to=2026-07-01", &[2, 1]),
        all("from=2026-06-30&to=2026-07-01", &[2, 1]),
        all("from=2026-07-11&to=2026-07-31", &[]),
    ]
}

#[test]
fn rentals_are_found_by_every_filter() {
    let site = house();
    let admin = site.account("ADMIN");
    for (question, found) in filters(&site) {
        assert_eq!(pages(&admin, &question, 100), found, "{question}");
        assert_eq!(pages(&admin, &question, 2), found, "{question} on short pages");
    }
    let staff = site.account("STAFF01");
    assert_eq!(pages(&staff, "state=all", 3), [9, 7, 6, 5, 4, 3, 2, 1], "of their bank");
    assert_eq!(pages(&site.account("STAFF02"), "state=all", 3), [] as [i64; 0], "of none");
    let late = admin.get("/api/v1/rentals?late=true").expect(200).json()["rentals"][0].clone();
    let wanted = json!({
        "rental_id": 4, "state": "active", "bank_id": 1, "locker_id": 2,
        "renter": {
            "member_id": site.number("SELECT id FROM member WHERE student_id = '2024000003'"),
            "student_id": "2024****03", "name": "김가가라",
        },
        "term_id": null, "starts_on": "2026-08-01", "ends_on": "2026-08-20",
        "held_at": "1970-01-01T00:00:00.001Z", "confirmed_at": "1970-01-01T00:00:00.002Z",
        "opened_at": "1970-01-01T00:00:00.003Z", "returned_at": null, "ended_at": null,
        "end_reason": null, "extensions": 0, "follows_rental_id": null,
    });
    assert_eq!(late, wanted);
}

#[test]
fn every_order_goes_on_to_the_end_on_pages_of_any_size() {
    let site = house();
    let admin = site.account("ADMIN");
    let member = site.number("SELECT id FROM member WHERE student_id = '2024000000'");
    for (question, found) in [
        ("state=live&sort=newest".to_owned(), vec![9, 8, 7, 6, 5, 4, 3]),
        // By the last day, and of one day in the order of their numbers.
        ("state=live&sort=ends_on".to_owned(), vec![4, 6, 3, 5, 8, 9, 7]),
        // Reservations have no locker yet: they come first.
        ("state=live&sort=locker".to_owned(), vec![7, 3, 4, 5, 6, 9, 8]),
        ("locker_id=1&sort=ends_on".to_owned(), vec![1, 3]),
        (format!("member_id={member}&sort=locker"), vec![1, 8]),
    ] {
        for limit in [1, 2, 3, 7, 100] {
            assert_eq!(pages(&admin, &question, limit), found, "{question}, {limit} on a page");
        }
    }
    // A cursor is for its own order.
    let path = "/api/v1/rentals?state=live&limit=1";
    let page = admin.get(&format!("{path}&sort=ends_on")).expect(200).json();
    let cursor = page["next_cursor"].as_str().expect("there is more").to_owned();
    admin.get(&format!("{path}&sort=locker&cursor={cursor}")).refused(422, "invalid");
    // What came meanwhile is not doubled and nothing is left out: pages begin behind a row.
    let page = admin.get(&format!("{path}&sort=newest")).expect(200).json();
    let cursor = page["next_cursor"].as_str().expect("there is more").to_owned();
    site.student(1).locker(5, "release-hold").expect(200);
    site.student(6).locker(5, "hold").expect(201);
    let next = admin.get(&format!("{path}&sort=newest&cursor={cursor}")).expect(200).json();
    assert_eq!(next["rentals"][0]["rental_id"], 8, "{next}");
}

#[test]
fn what_cannot_be_asked_is_said() {
    let site = house();
    let staff = site.account("STAFF01");
    for wrong in [
        "state=odd",
        "sort=odd",
        // Of the whole history only the newest come first.
        "sort=locker",
        "sort=ends_on&state=ended",
        "limit=0",
        "limit=101",
        "from=soon",
        "to=2026-02-30",
        "cursor=odd",
        "late=maybe",
        "bank_id=x",
        "locker_id=x",
        "bank_id=1&location_id=1",
    ] {
        staff.get(&format!("/api/v1/rentals?{wrong}")).refused(422, "invalid");
        if !wrong.starts_with("limit") && !wrong.starts_with("cursor") {
            staff.get(&format!("/api/v1/rentals/export?{wrong}")).refused(422, "invalid");
        }
    }
    let long = "x".repeat(101);
    staff.get(&format!("/api/v1/rentals?q={long}")).refused(422, "invalid");
    staff.get("/api/v1/rentals?odd=1").refused(400, "bad_request");
    staff.get("/api/v1/rentals?bank_id=2").refused(403, "forbidden");
    for path in ["rentals", "rentals/export", "openings", "openings/export", "mails/export"] {
        site.student(0).get(&format!("/api/v1/{path}")).refused(403, "forbidden");
    }
}

/// Openings of lockers 1 and 2, some at the same moment, the last of bank 2.
fn add_openings(site: &Inside) {
    for (number, locker, outcome) in [
        (1, 1, "opened"),
        (2, 2, "no_answer"),
        (3, 2, "opened"),
        (4, 1, "opened"),
        (5, 11, "opened"),
    ] {
        let id = format!("01900000-0000-7000-8000-{number:012}");
        let at_ms = site.clock.now().as_millisecond() + number / 2 * 60_000;
        site.sql()
            .execute(
                "INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, sent_ms, outcome)
                 VALUES (?1, ?2, (SELECT min(id) FROM member), 'renter', ?3, ?3, ?4)",
                rusqlite::params![id, locker, at_ms, outcome],
            )
            .expect("stored");
    }
}

#[test]
fn openings_are_listed_newest_first_on_pages() {
    let site = house();
    add_openings(&site);
    let staff = site.account("STAFF01");
    let lockers = |question: &str| -> Vec<i64> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/openings?{question}&limit=1{cursor}");
            let page = staff.get(&path).expect(200).json();
            let rows = page["openings"].as_array().expect("rows");
            all.extend(rows.iter().map(|row| number(row, "locker_id")));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    };
    assert_eq!(lockers("bank_id=1"), [1, 2, 2, 1]);
    assert_eq!(lockers("outcome=opened"), [1, 2, 1]);
    assert_eq!(lockers("locker_id=2&location_id=1"), [2, 2]);
    assert_eq!(lockers("locker_id=2&outcome=no_answer"), [2]);
    assert_eq!(lockers("from=2026-08-24&to=2026-08-24"), [1, 2, 2, 1]);
    assert_eq!(lockers("from=2026-08-01&to=2026-08-23"), [] as [i64; 0]);
    assert_eq!(lockers("locker_id=11"), [] as [i64; 0], "not their bank");
    for wrong in ["outcome=odd", "from=2026-08-24&to=2026-08-23", "locker_id=x", "cursor=odd"] {
        staff.get(&format!("/api/v1/openings?{wrong}")).refused(422, "invalid");
    }
    staff.get("/api/v1/openings?bank_id=2").refused(403, "forbidden");
}
