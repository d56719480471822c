//! When somebody is late: by the calendar of the site, trusted, once, and nobody who is not.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{
    DAY_MS, HOUR_MS, MINUTE_MS, TO_THE_END_MS, cases, detect, job, mails, may_open, site, told,
};
use crate::support::inside::Inside;

/// What the figures say of rentals that ended around the end of August, and how many of them late.
fn ended_and_late(site: &Inside) -> (u64, u64) {
    let path = "/api/v1/statistics/overdue?from=2026-08-20&to=2026-09-20";
    let bank = &site.account("STAFF1").get(path).expect(200).json()["banks"][0];
    (bank["ended"].as_u64().expect("a count"), bank["late"].as_u64().expect("a count"))
}

#[test]
fn a_machine_that_was_off_at_midnight_notices_once_when_it_is_back() {
    let site = site();
    site.student(0).rent(1);
    let index = job("detect-overdue");
    site.run(site.services.run_due_job(index)).expect("at the start");
    site.pass(TO_THE_END_MS + 5 * HOUR_MS);
    let again = site.again();
    let run = again.run(again.services.run_due_job(index)).expect("at the start");
    assert_eq!(run.result, Ok(1));
    assert_eq!(again.run(again.services.run_due_job(index)), None, "not within the minute");
    again.pass(MINUTE_MS);
    let run = again.run(again.services.run_due_job(index)).expect("every minute");
    assert_eq!((run.result, mails(&again, "overdue_detected")), (Ok(0), 1));
    again.demand_clean();
}

#[test]
fn nobody_is_late_by_a_clock_that_nobody_vouches_for() {
    let site = site();
    site.student(0).rent(1);
    let index = job("detect-overdue");
    site.clock.distrust();
    site.clock.jump_to(site.clock.now() + SignedDuration::from_hours(24 * 30));
    site.pass(MINUTE_MS);
    assert_eq!(site.run(site.services.run_due_job(index)), None);
    let late = site.student(0);
    assert_eq!(late.mine()["late"], Value::Null);
    may_open(&late, 1);
    assert_eq!(site.number("SELECT count(*) FROM overdue_case"), 0);
    // It is right after all.
    site.clock.trust();
    let run = site.run(site.services.run_due_job(index)).expect("it is due");
    // Noticed, and sealed by the same run: three days are long over.
    assert_eq!(run.result, Ok(2));
    assert_eq!(site.student(0).mine()["late"]["late_days"], 23);
    let staff = site.account("STAFF1");
    let late_now = || {
        let figures = staff.get("/api/v1/statistics/overdue").expect(200).json();
        let listed = staff.get("/api/v1/rentals?late=true").expect(200).json();
        let listed = listed["rentals"].as_array().expect("a list").len();
        (figures["banks"][0]["late_now"].as_u64().expect("a count"), listed)
    };
    assert_eq!(late_now(), (1, 1));
    // Whose case was sealed stays out, also when the time is in doubt again.
    site.clock.distrust();
    assert_eq!(late_now(), (0, 0));
    site.student(0).locker(1, "open").refused(403, "overdue");
    let bag = json!({ "items": [{ "description": "x" }], "storage": "x" });
    staff.post_json("/api/v1/overdue/1/collect", &bag).refused(409, "clock_untrusted");
    site.demand_clean();
}

#[test]
fn a_return_while_the_time_is_in_doubt_is_judged_later_and_never_too_harshly() {
    let site = site();
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 1);
    site.clock.distrust();
    site.clock.jump_to(site.clock.now() - SignedDuration::from_hours(24 * 300));
    site.student(0).give_back(1);
    assert_eq!(site.history(), ["1 2024000000 ended returned"]);
    assert_eq!(mails(&site, "overdue_closed"), 0, "how late it was is not known");
    site.clock.jump_to(site.clock.now() + SignedDuration::from_hours(24 * 305));
    site.clock.trust();
    assert_eq!((detect(&site), detect(&site)), (1, 0));
    // The day of the return is unknown; that on which the case was there is certain.
    assert_eq!(told(&site, "overdue_closed")["late_days"], 1);
    site.demand_clean();
}

#[test]
fn the_day_ends_by_the_clock_on_the_wall_also_when_it_has_25_hours() {
    for (start, last, hours) in
        [("2026-10-25T08:00:00Z", "2026-10-25", 15), ("2026-03-28T23:30:00Z", "2026-03-29", 22)]
    {
        let term = format!(
            "[[term]]\nname_ko = '학기'\nopens_at = '{start}'\ncloses_at = '2026-12-01T00:00:00Z'\n\
             starts_on = '2026-03-01'\nends_on = '{last}'\n"
        );
        let roster = "[auth]\nroster_login = 'full'\n";
        let site = Inside::at(("Europe/Berlin", start), roster, 1..=1, 1, |_| term);
        site.student(0).rent(1);
        // Midnight is at 23:00 UTC in winter and at 22:00 in summer.
        let half = if last == "2026-03-29" { HOUR_MS / 2 } else { 0 };
        site.pass(hours * HOUR_MS + half - 1_000);
        assert_eq!(detect(&site), 0, "{last}: a second before midnight");
        site.pass(1_000);
        assert_eq!(detect(&site), 1, "{last}: midnight");
        site.demand_clean();
    }
}

#[test]
fn whoever_rents_the_same_locker_on_is_not_late_and_their_things_stay() {
    let site = site();
    site.student(0).rent(1);
    // The next term is open from tomorrow on; its rentals begin behind the last day of this one.
    site.pass(DAY_MS);
    site.student(0).rent(1);
    let opened = "UPDATE rental SET opened_ms = 1 WHERE id = 1";
    site.sql().execute_batch(opened).expect("stored");
    let site = site.again();
    site.pass(TO_THE_END_MS - DAY_MS);
    assert_eq!((detect(&site), detect(&site)), (1, 0));
    assert_eq!(site.history(), ["1 2024000000 ended replaced", "1 2024000000 active -"]);
    assert_eq!(site.number("SELECT opened_ms IS NOT NULL FROM rental WHERE id = 2"), 1);
    assert_eq!(site.number("SELECT count(*) FROM overdue_case"), 0);
    may_open(&site.student(0), 1);
    let waits = site.student(0).locker(1, "release").expect(200).json();
    assert_eq!(waits["waits_for"], "confirmation", "there is something inside: {waits}");
    assert_eq!(ended_and_late(&site), (0, 0), "nothing was given back, late or not");
    site.demand_clean();
}

#[test]
fn whoever_never_had_the_locker_is_not_late() {
    let site = site();
    site.student(0).rent(1);
    let next =
        "INSERT INTO rental (bank_id, locker_id, member_id, state, starts_on, ends_on, held_ms,
                  confirmed_ms) SELECT 1, 1, id, 'active', '2026-09-01', '2026-09-02', 1, 1
                FROM member WHERE student_id = '2024000001'";
    site.sql().execute_batch(next).expect("stored");
    let site = site.again();
    site.pass(TO_THE_END_MS + DAY_MS);
    assert_eq!(detect(&site), 1);
    site.student(1).locker(1, "open").refused(409, "occupied");
    site.pass(DAY_MS);
    // The first is sealed; the second ends with its days and owes nothing.
    assert_eq!((detect(&site), detect(&site)), (2, 0));
    assert_eq!(site.history()[1], "1 2024000001 ended returned");
    assert_eq!(cases(&site.account("STAFF1"), "")["cases"].as_array().map(Vec::len), Some(1));
    let said = told(&site, "rental_lapsed");
    assert_eq!((&said["locker_id"], &said["ends_on"]), (&json!(1), &json!("2026-09-02")), "{said}");
    assert_eq!(ended_and_late(&site), (0, 0), "they never had it");
    site.student(0).give_back(1);
    assert_eq!(ended_and_late(&site), (1, 1));
    site.demand_clean();
}

#[test]
fn a_last_day_that_is_moved_ends_the_case_and_may_be_missed_again() {
    let site = site();
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS + 3 * DAY_MS);
    assert_eq!(detect(&site), 2, "noticed and sealed");
    let moved = "UPDATE rental SET ends_on = '2026-09-10' WHERE id = 1";
    site.sql().execute_batch(moved).expect("stored");
    let site = site.again();
    assert_eq!((detect(&site), detect(&site)), (1, 0));
    assert_eq!(told(&site, "overdue_closed")["how"], "dropped");
    may_open(&site.student(0), 1);
    assert_eq!(site.number("SELECT sealed_ms IS NULL FROM rental WHERE id = 1"), 1);
    site.pass(7 * DAY_MS);
    assert_eq!(detect(&site), 1, "the new last day was missed");
    assert_eq!(mails(&site, "overdue_detected"), 2);
    // A rental that ended in another way, as staff end one, closes its case too.
    let ended = "UPDATE rental SET state = 'ended', ended_ms = 1, end_reason = 'ended_by_staff'";
    site.sql().execute_batch(ended).expect("stored");
    let site = site.again();
    assert_eq!(detect(&site), 1);
    assert_eq!(told(&site, "overdue_closed")["late_days"], 1);
    site.demand_clean();
}
