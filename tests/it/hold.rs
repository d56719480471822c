//! Holds and windows to the millisecond, on a clock that the test turns. No background job runs:
//! what is dead is dead for whoever meets it.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::inside::{Inside, open_now, term};
use crate::support::site::student;

/// How long a hold lasts, as everywhere where nothing else is said.
const HOLD_MS: u64 = 60_000;

#[test]
fn a_hold_is_good_until_its_last_millisecond_and_dead_at_its_deadline() {
    let site = Inside::start(1..=3, 2, open_now);
    let (mine, other) = (site.student(0), site.student(1));
    assert_eq!(mine.locker(1, "hold").expect(201).json()["expires_in_ms"], HOLD_MS);
    site.pass(HOLD_MS - 1);
    assert_eq!(mine.mine()["hold_expires_in_ms"], 1);
    assert_eq!(mine.state_of(1), "held");
    other.locker(1, "hold").refused(409, "locker_taken");
    mine.locker(1, "confirm").expect(200);
    mine.give_back(1);

    mine.locker(2, "hold").expect(201);
    site.pass(HOLD_MS);
    // Nothing has written it down, and everybody sees it.
    assert_eq!(site.history().last().map(String::as_str), Some("2 2024000000 held -"));
    assert_eq!(mine.state_of(2), "free");
    assert_eq!(mine.mine(), Value::Null);
    assert_eq!(mine.get("/api/v1/lockers").expect(200).json()["my_locker_id"], Value::Null);
    mine.locker(2, "confirm").refused(409, "hold_expired");
    mine.locker(2, "release-hold").refused(409, "hold_expired");
    assert_eq!(site.history().last().map(String::as_str), Some("2 2024000000 ended hold_expired"));
    site.demand_clean();
}

#[test]
fn another_member_takes_a_dead_hold_at_once() {
    let site = Inside::start(1..=3, 2, open_now);
    let (mine, other) = (site.student(0), site.student(1));
    mine.locker(1, "hold").expect(201);
    site.pass(HOLD_MS);
    other.locker(1, "hold").expect(201);
    mine.locker(1, "confirm").refused(409, "hold_expired");
    other.locker(1, "confirm").expect(200);
    assert_eq!(site.history(), ["1 2024000000 ended hold_expired", "1 2024000001 active -"]);
    // Whose own hold is dead may hold another.
    mine.locker(2, "hold").expect(201);
    site.pass(HOLD_MS);
    mine.locker(3, "hold").expect(201);
    site.demand_clean();
}

#[test]
fn the_list_of_a_moment_ago_is_not_served_when_a_hold_has_died_in_between() {
    let site = Inside::start(1..=2, 2, open_now);
    let (mine, other) = (site.student(0), site.student(1));
    mine.locker(1, "hold").expect(201);
    let held = other.get("/api/v1/lockers").expect(200);
    assert_eq!(held.json()["available_count"], 1);
    let line = format!("If-None-Match: {}", held.header("etag").expect("an ETag"));
    site.pass(HOLD_MS - 1);
    other.call("GET", "/api/v1/lockers", &[&line], "").expect(304);
    site.pass(1);
    let free = other.call("GET", "/api/v1/lockers", &[&line], "").expect(200);
    assert_eq!(free.json()["available_count"], 2);
}

#[test]
fn tidying_writes_down_what_is_dead_and_nothing_else() {
    let site = Inside::start(1..=3, 3, open_now);
    site.student(0).locker(1, "hold").expect(201);
    site.pass(HOLD_MS / 2);
    site.student(1).locker(2, "hold").expect(201);
    site.student(2).rent(3);
    assert_eq!(site.run(site.services.expire_holds()).expect("it works"), 0);
    site.pass(HOLD_MS / 2);
    assert_eq!(site.run(site.services.expire_holds()).expect("it works"), 1);
    assert_eq!(site.run(site.services.expire_holds()).expect("it works"), 0);
    assert_eq!(
        site.history(),
        ["1 2024000000 ended hold_expired", "2 2024000001 held -", "3 2024000002 active -"]
    );
    site.demand_clean();
}

#[test]
fn how_a_hold_ended_stays_in_the_history() {
    let site = Inside::start(1..=3, 1, open_now);
    let mine = site.student(0);
    mine.locker(1, "hold").expect(201);
    mine.locker(1, "release-hold").expect(200);
    mine.locker(1, "release-hold").refused(409, "hold_expired");
    mine.locker(2, "hold").expect(201);
    site.pass(HOLD_MS + 5);
    mine.locker(2, "confirm").refused(409, "hold_expired");
    mine.rent(3);
    mine.give_back(3);
    assert_eq!(
        site.history(),
        [
            "1 2024000000 ended hold_released",
            "2 2024000000 ended hold_expired",
            "3 2024000000 ended returned"
        ]
    );
}

#[test]
fn a_wall_clock_that_jumps_changes_no_hold() {
    let site = Inside::start(1..=2, 2, open_now);
    site.student(0).locker(1, "hold").expect(201);
    let now = site.clock.now();
    // Behind what was stored, the time is not believed: nobody claims, and holds go on.
    for (jump, refusal) in [
        (SignedDuration::from_hours(24), "locker_taken"),
        (SignedDuration::from_mins(-30), "clock_untrusted"),
    ] {
        site.clock.jump_to(now + jump);
        // Log-ins are bound to the wall clock, holds are not.
        let (mine, other) = (site.student(0), site.student(1));
        assert_eq!(mine.mine()["hold_expires_in_ms"], HOLD_MS);
        other.locker(1, "hold").refused(409, refusal);
    }
    site.clock.jump_to(now);
    let (mine, other) = (site.student(0), site.student(1));
    site.pass(HOLD_MS - 1);
    assert_eq!(mine.mine()["hold_expires_in_ms"], 1);
    site.pass(1);
    other.locker(1, "hold").expect(201);
    mine.locker(1, "confirm").refused(409, "hold_expired");
    site.demand_clean();
}

#[test]
fn holding_again_is_the_same_hold_with_what_is_left_of_it() {
    let site = Inside::start(1..=2, 1, open_now);
    let mine = site.student(0);
    mine.locker(1, "hold").expect(201);
    site.pass(20_000);
    assert_eq!(mine.locker(1, "hold").expect(201).json()["expires_in_ms"], HOLD_MS - 20_000);
    let refusal = mine.locker(2, "hold").refused(409, "already_holding");
    assert_eq!(refusal["hold_expires_in_ms"], HOLD_MS - 20_000);
    assert_eq!(site.history().len(), 1);
}

#[test]
fn a_repeat_under_its_key_is_answered_as_the_first_time_even_when_the_hold_is_dead() {
    let site = Inside::start(1..=2, 1, open_now);
    let mine = site.student(0);
    let first = mine.post_keyed("/api/v1/lockers/1/hold", "tap").expect(201);
    site.pass(HOLD_MS);
    let again = mine.post_keyed("/api/v1/lockers/1/hold", "tap").expect(201);
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(mine.mine(), Value::Null);
    mine.post_keyed("/api/v1/lockers/1/confirm", "sure").refused(409, "hold_expired");
    mine.post_keyed("/api/v1/lockers/1/confirm", "sure").refused(409, "hold_expired");
}

/// A site whose window opens in an hour and closes an hour later; the two instants with it.
fn windowed() -> (Inside, Timestamp, Timestamp) {
    let mut window = None;
    let site = Inside::start(1..=2, 2, |now| {
        let opens_at = now + SignedDuration::from_hours(1);
        let closes_at = opens_at + SignedDuration::from_hours(1);
        window = Some((opens_at, closes_at));
        term(opens_at, closes_at)
    });
    let (opens_at, closes_at) = window.expect("the site was made");
    (site, opens_at, closes_at)
}

fn time(value: &Value) -> Timestamp {
    value.as_str().expect("a time").parse().expect("RFC 3339")
}

#[test]
fn the_window_opens_and_closes_at_its_millisecond() {
    let (site, opens_at, closes_at) = windowed();
    let ms = SignedDuration::from_millis(1);
    site.clock.jump_to(opens_at - ms);
    let mine = site.student(0);
    let refusal = mine.locker(1, "hold").refused(403, "outside_window");
    let window = &refusal["window"];
    assert_eq!(window["state"], "before", "{refusal}");
    assert_eq!(time(&window["opens_at"]), opens_at);
    assert_eq!(time(&window["server_time"]), opens_at - ms);
    mine.post("/api/v1/banks/1/hold").refused(403, "outside_window");
    // Whoever waits sees the same in the locker and the summary.
    let locker = mine.get("/api/v1/lockers/1").expect(200).json();
    assert_eq!(time(&locker["window"]["opens_at"]), opens_at);

    site.clock.jump_to(opens_at);
    mine.locker(1, "hold").expect(201);
    // A hold may be confirmed when the window has closed: it was granted in time.
    site.clock.jump_to(closes_at - ms);
    let (mine, other) = (site.student(0), site.student(1));
    other.locker(2, "hold").expect(201);
    site.clock.jump_to(closes_at);
    mine.locker(1, "confirm").expect(200);
    other.locker(2, "release-hold").expect(200);
    let refusal = other.locker(2, "hold").refused(403, "outside_window");
    assert_eq!(refusal["window"]["state"], "after", "{refusal}");
}

#[test]
fn a_site_without_a_term_says_so() {
    let site = Inside::start(1..=1, 1, |_| String::new());
    let refusal = site.student(0).locker(1, "hold").refused(403, "outside_window");
    assert_eq!(refusal["window"]["state"], "none", "{refusal}");
}

#[test]
fn any_free_locker_of_a_bank_until_it_is_full() {
    let site = Inside::start(1..=2, 3, open_now);
    let mut given: Vec<i64> = (0..2)
        .map(|n| {
            let held = site.student(n).post("/api/v1/banks/1/hold").expect(201).json();
            assert_eq!(held["expires_in_ms"], HOLD_MS);
            held["locker_id"].as_i64().expect("a number")
        })
        .collect();
    given.sort_unstable();
    assert_eq!(given, [1, 2]);
    let late = site.student(2);
    late.post("/api/v1/banks/1/hold").refused(409, "no_free_locker");
    late.post("/api/v1/banks/9/hold").refused(404, "bank_not_found");
    site.pass(HOLD_MS);
    late.post("/api/v1/banks/1/hold").expect(201);
    site.demand_clean();
}

#[test]
fn the_request_that_meets_a_dead_hold_writes_its_end_down() {
    let site = Inside::start(1..=1, 1, open_now);
    let mine = site.student(0);
    mine.locker(1, "hold").expect(201);
    site.pass(HOLD_MS);
    assert_eq!(site.history(), ["1 2024000000 held -"]);
    mine.locker(1, "confirm").refused(409, "hold_expired");
    assert_eq!(site.history(), ["1 2024000000 ended hold_expired"]);
}

#[test]
fn an_access_token_is_good_for_its_half_hour_by_the_sites_clock() {
    // Two clocks of one site may differ by this much.
    const LEEWAY_MS: u64 = 30_000;
    let site = Inside::start(1..=1, 1, open_now);
    let mine = site.student(0);
    site.pass(30 * 60_000 + LEEWAY_MS - 1);
    mine.get("/api/v1/auth/me").expect(200);
    site.pass(1);
    mine.get("/api/v1/auth/me").refused(401, "unauthenticated");
    let again = site.student(0);
    site.clock.jump_to(site.clock.now() - SignedDuration::from_secs(31));
    again.get("/api/v1/auth/me").refused(401, "unauthenticated");
}

#[test]
fn an_old_refresh_token_shown_late_ends_the_log_in_for_both_sides() {
    let site = Inside::start(1..=1, 1, open_now);
    let nobody = site.student(0);
    let tokens = nobody.post_json("/api/v1/auth/login", &student(0)).expect(200).json();
    let refresh = |token: &Value| {
        nobody.post_json("/api/v1/auth/refresh", &serde_json::json!({ "refresh_token": token }))
    };
    let next = refresh(&tokens["refresh_token"]).expect(200).json();
    refresh(&tokens["refresh_token"]).refused(409, "refresh_superseded");
    site.pass(11_000);
    refresh(&tokens["refresh_token"]).refused(401, "session_ended");
    refresh(&next["refresh_token"]).refused(401, "session_ended");
    let thief = nobody.with_token(next["access_token"].as_str().expect("a token"));
    thief.get("/api/v1/auth/me").refused(401, "session_ended");
}
