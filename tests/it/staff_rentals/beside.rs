//! What else staff touch when they give, move and end rentals: a full pool bank, a penalty, an overdue
//! case, an offer of the waiting list.

use lockerd::domain::member::Role;
use lockerd::domain::options::Options;
use serde_json::{Value, json};

use super::{assign, house, mails, rental_of};
use crate::support::http::{Client, Reply};
use crate::support::inside::{Inside, open_now};

const HOUR_MS: u64 = 3_600_000;

fn change(staff: &Client, id: i64, last: &str) -> Reply {
    let body = json!({ "ends_on": last, "reason": "늦은 졸업" }).to_string();
    staff.call(
        "PATCH",
        &format!("/api/v1/rentals/{id}"),
        &["Content-Type: application/json"],
        &body,
    )
}

fn go(staff: &Client, id: i64, locker: i64) -> Reply {
    let body = json!({ "locker_id": locker, "reason": "경첩" });
    staff.post_json(&format!("/api/v1/rentals/{id}/move"), &body)
}

/// Bank 1 in choose mode (locker 1), bank 2 in pool mode (11 and 12); admins look after both.
fn pool_house() -> Inside {
    let site = Inside::start(1..=1, 5, open_now);
    site.add("ADMIN", Role::Admin, &[]);
    let admin = site.account("ADMIN");
    let policy = json!({
        "hold_seconds": 60, "open_from": "anywhere", "closings": [],
        "pool": { "days_max": 5, "advance_days": 10, "check_in_days": null, "reservations_max": 1 },
        "overdue": {
            "reminder_days": [1], "remind_on_last_day": true, "remind_while_late": true,
            "late_opening": "until_sealed", "seal_after_days": null, "penalty_factor": 0,
            "penalty_max_days": 30,
        },
    });
    let bank =
        json!({ "location_id": 1, "name": { "ko": "예약" }, "mode": "pool", "policy": policy });
    admin.post_json("/api/v1/banks", &bank).expect(201);
    admin.post_json("/api/v1/banks/2/lockers", &json!({ "from": 11, "to": 12 })).expect(201);
    site
}

#[test]
fn a_pool_bank_never_promises_more_than_it_has() {
    let site = pool_house();
    let admin = site.account("ADMIN");
    let give = |n: usize, locker: i64, last: &str| {
        let body = json!({
            "locker_id": locker, "student_id": format!("202400000{n}"), "ends_on": last,
            "reason": "깁스",
        });
        assign(&admin, &body)
    };
    let reserve = |n: usize, first: &str, last: &str| {
        let days = json!({ "starts_on": first, "ends_on": last });
        site.student(n).post_json("/api/v1/banks/2/reservations", &days)
    };
    give(0, 11, "2026-08-27").expect(201);
    reserve(1, "2026-08-26", "2026-08-27").expect(201);
    let refusal = give(2, 12, "2026-08-26").refused(409, "day_full");
    assert_eq!(refusal["full_days"], json!(["2026-08-26"]));
    give(2, 12, "2026-08-25").expect(201);
    let (first, second) = (rental_of(&site, 11), rental_of(&site, 12));
    change(&admin, second, "2026-08-26").refused(409, "day_full");
    // Fewer days need no room.
    change(&admin, second, "2026-08-24").expect(200);
    site.student(3).rent(1);
    go(&admin, first, 12).refused(409, "locker_taken");
    let end = json!({ "reason": "끝" });
    admin.post_json(&format!("/api/v1/rentals/{second}/end"), &end).expect(200);
    // There is no room for somebody of another bank; within the bank nothing more is taken.
    go(&admin, rental_of(&site, 1), 12).refused(409, "day_full");
    go(&admin, first, 12).expect(200);
    assert_eq!(site.student(0).mine()["locker_id"], 12);

    // Late: what they keep shrinks every day, and another last day takes no more than that.
    site.sql()
        .execute_batch("UPDATE rental SET opened_ms = 1 WHERE ended_ms IS NULL")
        .expect("done");
    let site = site.again();
    site.pass(5 * 24 * HOUR_MS);
    let late = rental_of(&site, 12);
    let days = json!({ "starts_on": "2026-08-30", "ends_on": "2026-08-31" });
    let (path, admin) = ("/api/v1/banks/2/reservations", site.account("ADMIN"));
    site.student(4).post_json(path, &days).expect(201);
    site.student(2).post_json(path, &days).refused(409, "day_full");
    change(&admin, late, "2026-08-31").expect(200);
    site.student(2).post_json(path, &days).refused(409, "day_full");
    change(&admin, late, "2026-08-29").expect(200);
    site.student(2).post_json(path, &days).expect(201);
    change(&admin, late, "2026-08-30").refused(409, "day_full");
    site.demand_clean();
}

#[test]
fn a_penalty_is_no_bar_for_staff() {
    let site = house();
    site.sql()
        .execute_batch(
            "INSERT INTO rental (id, bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
               confirmed_ms, returned_ms, ended_ms, end_reason)
             SELECT 900, 1, 6, id, 'ended', '2026-08-01', '2026-08-10', 1, 1, 2, 2, 'returned'
             FROM member WHERE student_id = '2024000000';
             INSERT INTO overdue_case (id, rental_id, bank_id, locker_id, member_id, ended_on, state,
               detected_ms, closed_ms, late_days)
             SELECT 1, 900, 1, 6, member_id, ends_on, 'returned', 1, 2, 3 FROM rental WHERE id = 900;
             INSERT INTO penalty (member_id, case_id, first_on, last_on, made_ms)
             SELECT member_id, 1, '2026-08-14', '2026-08-30', 2 FROM rental WHERE id = 900;",
        )
        .expect("stored");
    let site = site.again();
    site.student(0).locker(1, "hold").refused(409, "penalty");
    let body = json!({
        "locker_id": 1, "student_id": "2024000000", "ends_on": "2026-08-28", "reason": "깁스",
    });
    assign(&site.account("STAFF01"), &body).expect(201);
    assert_eq!(site.student(0).mine()["state"], "active");
    site.demand_clean();
}

#[test]
fn another_last_day_ends_the_overdue_case_at_once() {
    let site = house();
    site.student(0).rent(1);
    let id = rental_of(&site, 1);
    site.pass(8 * 24 * HOUR_MS);
    assert_eq!(site.run(site.services.detect_overdue()).expect("it works"), 1);
    let staff = site.account("STAFF01");
    let case = staff.get("/api/v1/overdue?state=open").expect(200).json()["cases"][0].clone();
    let path = format!("/api/v1/overdue/{}", case["case_id"]);
    staff.post_json(&format!("{path}/seal"), &json!({})).expect(200);
    assert_eq!(site.number("SELECT sealed_ms IS NOT NULL FROM rental"), 1);

    change(&staff, id, "2026-09-05").expect(200);
    let told = staff.get(&path).expect(200).json();
    assert_eq!((&told["state"], &told["penalty"]), (&json!("dropped"), &Value::Null), "{told}");
    assert_eq!(site.number("SELECT sealed_ms IS NULL FROM rental"), 1);
    assert_eq!(mails(&site, "overdue_closed").len(), 1);
    // It can be opened again: it has no electric lock.
    site.student(0).locker(1, "open").refused(409, "not_wired");
    assert_eq!(site.run(site.services.detect_overdue()).expect("it works"), 0);
    let open = staff.get("/api/v1/overdue?state=open").expect(200).json();
    assert_eq!(open["cases"], json!([]), "{open}");
    // The next end that is missed is another case.
    site.pass(5 * 24 * HOUR_MS);
    assert_eq!(site.run(site.services.detect_overdue()).expect("it works"), 1);
    let ended = "SELECT group_concat(ended_on) FROM overdue_case ORDER BY id";
    let ended: String = site.sql().query_row(ended, [], |row| row.get(0)).expect("two");
    assert_eq!(ended, "2026-08-31,2026-09-05");
    site.demand_clean();
}

#[test]
fn an_offer_that_staff_end_ends_the_wait_and_goes_to_the_next() {
    let site = Inside::start(1..=1, 3, open_now);
    site.add("STAFF01", Role::Staff, &[1]);
    site.offer(1, Options { waiting_list: true, offer_minutes: 60, ..Options::default() });
    site.student(0).rent(1);
    for n in 1..=2 {
        site.student(n).post("/api/v1/banks/1/waiting").expect(201);
    }
    site.student(0).give_back(1);
    assert_eq!(site.run(site.services.make_offers()).expect("it works"), 1);
    let staff = site.account("STAFF01");
    let path = format!("/api/v1/rentals/{}/end", rental_of(&site, 1));
    let ended = staff.post_json(&path, &json!({ "reason": "휴학" })).expect(200).json();
    assert_eq!(ended["state"], "ended", "{ended}");
    let waits = || -> Vec<String> {
        let conn = site.sql();
        let sql = "SELECT student_id || ' ' || coalesce(end_reason, '-') FROM waiting
                   JOIN member ON member.id = member_id ORDER BY waiting.id";
        let mut statement = conn.prepare(sql).expect("good SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("readable");
        rows.collect::<Result<_, _>>().expect("readable")
    };
    assert_eq!(waits(), ["2024000001 by_staff", "2024000002 -"]);
    assert_eq!(site.run(site.services.make_offers()).expect("it works"), 1);
    assert_eq!(site.student(2).mine()["offer"], true);
    // A locker that is kept for somebody is not given to another.
    let body = json!({
        "locker_id": 1, "student_id": "2024000000", "ends_on": "2026-08-28", "reason": "x",
    });
    assign(&staff, &body).refused(409, "locker_taken");
    // An offer is no rental yet: it cannot be moved, and has no other last day.
    let id = rental_of(&site, 1);
    change(&staff, id, "2026-08-28").refused(409, "only_held");
    site.demand_clean();
}
