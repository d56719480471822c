//! How a case is judged: by the day of the return, by the last day that holds now, and what is taken back
//! with it.

use lockerd::domain::id::MemberId;
use serde_json::{Value, json};

use super::{
    DAY_MS, TO_THE_END_MS, bag, case_of, cases, detect, mails, site, site_with, step, strict, told,
};
use crate::support::inside::Inside;

/// Gives the one rental another last day behind the server's back, as if nobody had seen to its case.
fn moved(site: Inside, day: &str) -> Inside {
    assert_eq!(site.sql().execute("UPDATE rental SET ends_on = ?1", [day]).expect("stored"), 1);
    site.again()
}

#[test]
fn what_was_returned_and_then_collected_counts_until_the_return() {
    let site = site();
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 1);
    let waits = site.student(0).locker(1, "release").expect(200).json();
    assert_eq!(waits["waits_for"], "confirmation", "{waits}");
    site.pass(4 * DAY_MS);
    let staff = site.account("STAFF1");
    let case = case_of(&staff, 1);
    let taken = step(&staff, &case, "collect", &bag(Some("확인이 없음"))).expect(200).json();
    assert_eq!(taken["penalty_until"], "2026-09-03", "one day late, twice as long: {taken}");
    assert_eq!(case_of(&staff, 1)["late_days"], 1);
    site.demand_clean();
}

#[test]
fn a_collected_case_that_is_dropped_takes_its_penalty_back() {
    let site = site();
    for n in 0..2 {
        site.student(n).rent(i64::try_from(n).expect("small") + 1);
    }
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 2);
    let staff = site.account("STAFF1");
    step(&staff, &case_of(&staff, 1), "collect", &bag(Some("공사"))).expect(200);
    site.student(0).locker(3, "hold").refused(409, "penalty");
    let why = json!({ "reason": "잘못 회수함" });
    let done = step(&staff, &case_of(&staff, 1), "drop", &why).expect(200).json();
    assert_eq!((&done["state"], &done["penalty_until"]), (&json!("dropped"), &Value::Null));
    let said = told(&site, "overdue_closed");
    assert_eq!((&said["how"], &said["penalty_lifted"]), (&json!("dropped"), &json!(true)));
    assert_eq!(mails(&site, "penalty_waived"), 0, "one mail says it all");
    let row = "SELECT count(*) FROM audit WHERE action = 'penalty.waive' AND detail LIKE '%잘못%'";
    assert_eq!(site.number(row), 1);
    let mine = site.student(0).get("/api/v1/me/penalties").expect(200).json();
    assert!(mine["penalties"][0]["waived_at"].is_string(), "{mine}");
    site.student(0).locker(3, "hold").expect(201);
    // Where there was none, none is lifted.
    step(&staff, &case_of(&staff, 2), "drop", &why).expect(200);
    assert_eq!(told(&site, "overdue_closed")["penalty_lifted"], false);
    site.again().student(0).locker(3, "release-hold").expect(200);
}

#[test]
fn no_day_of_sealing_is_told_that_will_not_come() {
    let site = site();
    for n in 0..3 {
        site.student(n).rent(i64::try_from(n).expect("small") + 1);
    }
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 3);
    let (staff, why) = (site.account("STAFF1"), json!({ "reason": "전화로 약속함" }));
    let seal_on = |n: usize| site.student(n).mine()["late"]["seal_on"].clone();
    assert_eq!([seal_on(0), seal_on(1), seal_on(2)], ["2026-09-03"; 3]);
    step(&staff, &case_of(&staff, 1), "seal", &json!({})).expect(200);
    assert_eq!(seal_on(0), Value::Null, "it is sealed");
    step(&staff, &case_of(&staff, 1), "unseal", &why).expect(200);
    step(&staff, &case_of(&staff, 2), "drop", &why).expect(200);
    assert_eq!([seal_on(0), seal_on(1)], [Value::Null, Value::Null]);
    assert_eq!(seal_on(2), "2026-09-03");
    site.pass(DAY_MS);
    assert_eq!(site.run(site.services.remind()).expect("it works"), 2, "none about a dropped case");
    let told = site.mails("overdue");
    let day_of = |locker: i64| {
        let mail = told.iter().find(|mail| mail["locker_id"] == locker).expect("such a mail");
        mail["seal_on"].clone()
    };
    assert_eq!((day_of(1), day_of(3)), (Value::Null, json!("2026-09-03")));
    // On the day itself it comes within the minute: no day is told any more.
    site.pass(DAY_MS);
    let late = site.student(2).mine()["late"].clone();
    assert_eq!((&late["seal_on"], &late["may_open"]), (&Value::Null, &json!(true)), "{late}");
    site.demand_clean();
}

#[test]
fn who_returns_by_the_last_day_that_staff_gave_them_is_not_late() {
    let site = site();
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS + 3 * DAY_MS);
    assert_eq!(detect(&site), 2, "noticed and sealed");
    // Moved and returned before anybody has looked.
    let site = moved(site, "2026-09-10");
    site.student(0).give_back(1);
    assert_eq!(site.history(), ["1 2024000000 ended returned"]);
    assert_eq!((detect(&site), detect(&site)), (1, 0));
    assert_eq!(told(&site, "overdue_closed")["how"], "dropped");
    assert_eq!(site.number("SELECT count(*) FROM penalty"), 0);
    site.student(0).locker(2, "hold").expect(201);
    site.demand_clean();
}

#[test]
fn who_misses_also_the_last_day_that_staff_gave_them_is_judged_by_that() {
    let site = site();
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 1);
    let site = moved(site, "2026-09-02");
    // The jobs stood still until the fifth.
    site.pass(4 * DAY_MS);
    site.student(0).give_back(1);
    assert_eq!(detect(&site), 0, "judged by the return itself");
    let said = told(&site, "overdue_closed");
    assert_eq!((&said["how"], &said["late_days"]), (&json!("returned"), &json!(3)), "{said}");
    assert_eq!(
        (&said["ended_on"], &said["penalty_until"]),
        (&json!("2026-09-02"), &json!("2026-09-11"))
    );
    site.demand_clean();
}

/// Rents a locker on for the autumn, as if there had been an offer.
fn rents_on(site: Inside, locker: i64) -> Inside {
    let sql = "INSERT INTO rental (bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
                 confirmed_ms) SELECT 1, locker_id, member_id, 'active', '2026-09-01', '2026-12-31', 1, 1
               FROM rental WHERE locker_id = ?1";
    assert_eq!(site.sql().execute(sql, [locker]).expect("stored"), 1);
    site.again()
}

#[test]
fn who_still_holds_the_next_rental_at_midnight_is_not_late_while_it_lives() {
    let site = site();
    site.student(0).rent(1);
    site.student(1).rent(2);
    site.pass(TO_THE_END_MS - 30_000);
    for n in 0..2 {
        let locker = i64::try_from(n).expect("small") + 1;
        site.student(n).locker(locker, "hold").expect(201);
    }
    site.pass(40_000);
    assert_eq!(detect(&site), 0, "both have twenty seconds to confirm");
    site.student(0).locker(1, "confirm").expect(200);
    site.pass(20_000);
    assert_eq!((detect(&site), detect(&site)), (2, 0), "one goes on, one is late");
    let found = cases(&site.account("STAFF1"), "");
    let lockers: Vec<&Value> =
        found["cases"].as_array().expect("a list").iter().map(|it| &it["locker_id"]).collect();
    assert_eq!(lockers, [2]);
    assert_eq!(site.history()[0], "1 2024000000 ended replaced");
    site.demand_clean();
}

#[test]
fn a_case_ends_when_its_renter_rents_on_without_a_day_between() {
    let site = site();
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS + 3 * DAY_MS);
    assert_eq!(detect(&site), 2, "noticed and sealed");
    let site = rents_on(site, 1);
    assert_eq!((detect(&site), detect(&site)), (1, 0));
    assert_eq!(site.history(), ["1 2024000000 ended replaced", "1 2024000000 active -"]);
    let said = told(&site, "overdue_closed");
    assert_eq!((&said["how"], &said["late_days"]), (&json!("dropped"), &json!(0)), "{said}");
    assert_eq!(site.number("SELECT count(*) FROM penalty"), 0);
    let mine = site.student(0).mine();
    assert_eq!((&mine["ends_on"], &mine["late"]), (&json!("2026-12-31"), &Value::Null), "{mine}");
    super::may_open(&site.student(0), 1);
    site.demand_clean();
}

#[test]
fn whoever_leaves_for_good_does_not_shed_a_penalty() {
    let site = site();
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 1);
    site.student(0).give_back(1);
    let leave = || {
        let json = ["Content-Type: application/json"];
        site.student(0).call("DELETE", "/api/v1/me", &json, "{}")
    };
    let refusal = leave().refused(409, "penalty");
    assert_eq!(refusal["until"], "2026-09-03", "{refusal}");
    site.pass(2 * DAY_MS);
    leave().refused(409, "penalty");
    site.pass(DAY_MS);
    leave().expect(204);
    site.demand_clean();
}

#[test]
fn an_admin_may_still_delete_who_has_a_penalty() {
    let site = site_with(&strict());
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 1);
    site.student(0).give_back(1);
    let id = site.number("SELECT member_id FROM penalty");
    let path = format!("/api/v1/members/{}", MemberId(id));
    let body = json!({ "reason": "자퇴" }).to_string();
    let json = ["Content-Type: application/json"];
    site.account("ADMIN1").call("DELETE", &path, &json, &body).expect(204);
    site.demand_clean();
}
