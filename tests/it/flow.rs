//! The flow of the older clients against `lockerd demo`, word for word, and the shape of every
//! answer on the way.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::demo::{Demo, cheolsu, gildong};
use crate::support::http::Client;
use crate::support::site::{Plan, Site, student};

/// The names of a JSON object's members.
#[track_caller]
fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[track_caller]
fn demand_keys<const N: usize>(value: &Value, wanted: [&str; N]) {
    assert_eq!(keys(value), BTreeSet::from(wanted), "{value}");
}

fn log_in_pair(nobody: &Client, who: &Value) -> (Client, String) {
    let tokens = nobody.post_json("/api/v1/auth/login", who).expect(200).json();
    let text = |key: &str| tokens[key].as_str().expect("a token").to_owned();
    (nobody.with_token(text("access_token")), text("refresh_token"))
}

#[test]
fn the_flow_of_the_older_clients_runs_unchanged() {
    let demo = Demo::start();
    let (mine, refresh_token) = log_in_pair(&demo.nobody, &gildong());
    let other = demo.cheolsu();

    let held = mine.locker(101, "hold").expect(201).json();
    demand_keys(&held, ["locker_id", "expires_in_ms"]);
    assert_eq!(held["locker_id"], 101);
    assert!((55_000..=60_000).contains(&held["expires_in_ms"].as_u64().expect("ms")), "{held}");
    let refusal = other.locker(101, "hold").refused(409, "locker_taken");
    assert!(refusal["held_for_ms"].as_u64().expect("ms") <= 60_000, "{refusal}");
    assert_eq!(mine.state_of(101), "held");

    let confirmed = mine.locker(101, "confirm").expect(200).json();
    demand_keys(&confirmed, ["locker_id", "starts_on", "ends_on"]);
    other.locker(101, "confirm").refused(409, "hold_expired");

    let list = mine.get("/api/v1/lockers").expect(200).json();
    assert_eq!(list["available_count"], 27, "{list}");
    assert_eq!(list["my_locker_id"], 101);
    assert_eq!(list["lockers"].as_array().expect("rows").len(), 28);
    assert_eq!(mine.state_of(101), "taken");

    other.locker(101, "release").refused(404, "not_your_locker");
    assert_eq!(mine.mine()["locker_id"], 101);
    let released = mine.locker(101, "release").expect(200).json();
    assert_eq!((&released["locker_id"], &released["state"]), (&json!(101), &json!("returned")));
    // It was never opened and its door is closed: it is free at once.
    assert_eq!(released["waits_for"], Value::Null, "{released}");
    assert_eq!(mine.mine(), Value::Null);
    mine.locker(101, "release").refused(404, "not_your_locker");

    let body = json!({ "refresh_token": refresh_token });
    let tokens = demo.nobody.post_json("/api/v1/auth/refresh", &body).expect(200).json();
    assert_ne!(tokens["refresh_token"], refresh_token.as_str());
    let renewed = demo.nobody.with_token(tokens["access_token"].as_str().expect("a token"));
    renewed.get("/api/v1/lockers/me").expect(200);

    assert_eq!(demo.nobody.health()["status"], "ok");
    assert_eq!(renewed.health()["status"], "ok");
}

#[test]
fn every_answer_has_the_shape_that_clients_read() {
    let demo = Demo::start();
    let tokens = demo.nobody.post_json("/api/v1/auth/login", &gildong()).expect(200).json();
    demand_keys(
        &tokens,
        ["access_token", "refresh_token", "token_type", "expires_in", "member_id", "role"],
    );
    assert_eq!((&tokens["token_type"], &tokens["role"]), (&json!("Bearer"), &json!("student")));
    let mine = demo.nobody.with_token(tokens["access_token"].as_str().expect("a token"));

    let list = mine.get("/api/v1/lockers").expect(200).json();
    demand_keys(&list, ["version", "server_time", "my_locker_id", "available_count", "lockers"]);
    demand_keys(&list["lockers"][0], ["locker_id", "location", "bank", "state"]);
    assert_eq!(list["my_locker_id"], Value::Null);

    mine.locker(102, "hold").expect(201);
    let held = mine.mine();
    demand_keys(
        &held,
        [
            "locker_id",
            "bank_id",
            "location",
            "in_service",
            "state",
            "hold_expires_in_ms",
            "waits_for",
            "free_at",
            "starts_on",
            "ends_on",
            "door",
            "door_since",
            "offer",
            "extendable",
            "late",
        ],
    );
    assert_eq!(held["state"], "held");
    assert!(held["hold_expires_in_ms"].as_u64().expect("ms") > 50_000, "{held}");
    mine.locker(102, "confirm").expect(200);
    assert_eq!(mine.mine()["state"], "active");
    assert_eq!(mine.mine()["hold_expires_in_ms"], Value::Null);

    let summary = mine.get("/api/v1/lockers/summary").expect(200).json();
    let bank = &summary["locations"][0]["banks"][0];
    for (key, count) in [
        ("in_service", 3),
        ("free", 2),
        ("held", 0),
        ("taken", 1),
        ("returning", 0),
        ("overdue", 0),
        ("out_of_service", 0),
    ] {
        assert_eq!(bank[key], count, "{key} of {bank}");
    }

    let opened = mine.locker(102, "open").expect(202).json();
    demand_keys(&opened, ["operation_id"]);
    let opening = mine.outcome(opened["operation_id"].as_str().expect("an id"));
    demand_keys(&opening, ["locker_id", "phases", "outcome", "retry_after_ms"]);
    demand_keys(&opening["phases"][0], ["phase", "at"]);
    assert_eq!((&opening["outcome"], &opening["locker_id"]), (&json!("opened"), &json!(102)));
    assert_eq!(opening["retry_after_ms"], Value::Null);

    let health = demo.nobody.health();
    let keys = ["status", "version", "server_time", "uptime_s", "clock", "database", "buses"];
    demand_keys(&health, keys);
    let keys = ["trusted", "by", "why", "since", "server_time", "last_stored", "time_zone"];
    demand_keys(&health["clock"], keys);
}

#[test]
fn names_of_places_and_people_come_back_in_korean() {
    let demo = Demo::start();
    let mine = demo.gildong();
    let summary = mine.get("/api/v1/lockers/summary").expect(200).json();
    let names: Vec<&str> = summary["locations"]
        .as_array()
        .expect("locations")
        .iter()
        .map(|it| it["name"]["ko"].as_str().expect("a name"))
        .collect();
    let wanted = [
        "정보관 B1 엘리베이터 옆1",
        "정보관 B1 엘리베이터 옆2",
        "정보관 B1 기계실 옆",
        "정보관 2층",
        "정보관 3층",
        "과학도서관 6층 620호 옆",
        "과학도서관 6층 614호 옆",
        "학생회관 1층",
    ];
    assert_eq!(names, wanted);
    let list = mine.get("/api/v1/lockers").expect(200).json();
    let rows = list["lockers"].as_array().expect("rows");
    let ids: Vec<i64> =
        rows.iter().map(|row| row["locker_id"].as_i64().expect("a number")).collect();
    let mut known: Vec<i64> = (101..=106).chain(201..=202).chain(301..=304).collect();
    known.extend((401..=404).chain(501..=503).chain(601..=603).chain(701..=706));
    assert_eq!(ids, known);
    let me = mine.get("/api/v1/auth/me").expect(200).json();
    assert_eq!((&me["name"], &me["student_id"]), (&json!("홍길동"), &json!("2023321234")));
    assert_eq!(me["phone_number"], "01012345678");
}

#[test]
fn whoever_does_not_match_the_roster_learns_nothing_and_a_new_student_is_made() {
    let demo = Demo::start();
    let with = |base: &Value, key: &str, value: &str| {
        let mut triple = base.clone();
        triple[key] = json!(value);
        triple
    };
    let register = "/api/v1/auth/login-or-register";
    demo.nobody.post_json(register, &gildong()).expect(200);
    let unknown = with(&gildong(), "student_id", "2099999999");
    let new = with(&with(&unknown, "name", "새학생"), "phone_number", "010-5555-0000");
    demo.nobody.post_json(register, &new).expect(201);
    demo.nobody.post_json(register, &new).expect(200);
    demo.nobody.post_json("/api/v1/auth/login", &new).expect(200);
    let taken = with(&with(&new, "student_id", "2098888888"), "name", "다른이");
    demo.nobody.post_json(register, &taken).refused(409, "phone_taken");

    // Each of somebody else: whoever is missed has to wait.
    let mut details = BTreeSet::new();
    for (path, wrong) in [
        ("/api/v1/auth/login", with(&gildong(), "name", "홍길순")),
        ("/api/v1/auth/login", with(&cheolsu(), "phone_number", "01012345679")),
        ("/api/v1/auth/login", with(&unknown, "student_id", "2097777777")),
        (register, with(&new, "name", "홍길순")),
    ] {
        let refused = demo.nobody.post_json(path, &wrong);
        details.insert(refused.refused(401, "bad_credentials")["detail"].to_string());
    }
    assert_eq!(details.len(), 1, "known and unknown are told apart: {details:?}");
}

#[test]
fn a_site_that_does_not_register_lets_only_known_students_in() {
    let site = Site::start(&Plan::default().lockers(1, [1]).students(1));
    let register = "/api/v1/auth/login-or-register";
    site.nobody().post_json(register, &student(0)).expect(200);
    let mut stranger = student(0);
    stranger["student_id"] = json!("2099999999");
    site.nobody().post_json(register, &stranger).refused(401, "bad_credentials");
    assert_eq!(site.number("SELECT count(*) FROM member WHERE role = 'student'"), 1);
}

#[test]
fn a_password_logs_in_too_and_a_half_log_in_is_refused() {
    let demo = Demo::start();
    for role in ["admin", "staff", "student"] {
        let account = &demo.told["accounts"][role];
        let tokens = demo.nobody.post_json("/api/v1/auth/login", account).expect(200).json();
        assert_eq!(tokens["role"], role);
    }
    let mut wrong = demo.told["accounts"]["admin"].clone();
    wrong["password"] = json!("not the password");
    demo.nobody.post_json("/api/v1/auth/login", &wrong).refused(401, "bad_credentials");
    for half in [
        json!({ "id": "ADMIN" }),
        json!({ "student_id": "2023321234", "name": "홍길동" }),
        json!({ "id": "ADMIN", "password": "x", "name": "홍길동" }),
        json!({}),
    ] {
        demo.nobody.post_json("/api/v1/auth/login", &half).refused(400, "bad_json");
    }
    // Personal data is no key to an account with more rights.
    let staff = json!({ "student_id": "STAFF01", "name": "김직원", "phone_number": "01000000000" });
    demo.nobody.post_json("/api/v1/auth/login", &staff).refused(401, "bad_credentials");
}

#[test]
fn logging_out_kills_both_tokens_at_once_and_only_those() {
    let demo = Demo::start();
    let (mine, refresh_token) = log_in_pair(&demo.nobody, &gildong());
    let (elsewhere, _) = log_in_pair(&demo.nobody, &gildong());
    mine.get("/api/v1/auth/me").expect(200);
    mine.post("/api/v1/auth/logout").expect(204);
    mine.get("/api/v1/auth/me").refused(401, "session_ended");
    mine.locker(101, "hold").refused(401, "session_ended");
    let body = json!({ "refresh_token": refresh_token });
    demo.nobody.post_json("/api/v1/auth/refresh", &body).refused(401, "session_ended");
    elsewhere.get("/api/v1/auth/me").expect(200);
}

#[test]
fn a_refresh_token_is_good_once() {
    let demo = Demo::start();
    let (_, first) = log_in_pair(&demo.nobody, &cheolsu());
    let refresh = |token: &str| {
        demo.nobody.post_json("/api/v1/auth/refresh", &json!({ "refresh_token": token }))
    };
    let next = refresh(&first).expect(200).json();
    // The answer may have been lost: within moments the old token is no proof of theft.
    refresh(&first).refused(409, "refresh_superseded");
    refresh(next["refresh_token"].as_str().expect("a token")).expect(200);
    for nonsense in ["", "1.2.3", "nonsense", "999999.AAAA.BBBB"] {
        refresh(nonsense).refused(401, "session_ended");
    }
}

#[test]
fn nobody_learns_who_rents() {
    let demo = Demo::start();
    let (mine, other) = (demo.gildong(), demo.cheolsu());
    let keyed = mine.post_keyed("/api/v1/lockers/103/hold", "a-key-of-mine").expect(201);
    assert_eq!(keyed.json()["locker_id"], 103);
    mine.locker(103, "confirm").expect(200);
    let opened = mine.locker(103, "open").expect(202).json();
    let id = opened["operation_id"].as_str().expect("an id");
    mine.outcome(id);

    let my_number = mine.get("/api/v1/auth/me").expect(200).json()["member_id"].clone();
    let mut seen = String::new();
    for path in ["", "/summary", "/me", "/103"] {
        seen += &other.get(&format!("/api/v1/lockers{path}")).expect(200).text();
    }
    seen += &other.health().to_string();
    seen += &other.locker(103, "hold").refused(409, "locker_taken").to_string();
    seen += &other.locker(103, "open").refused(404, "not_your_locker").to_string();
    other.get(&format!("/api/v1/openings/{id}")).refused(404, "opening_not_found");
    other.get("/api/v1/operations/a-key-of-mine").refused(404, "operation_not_found");
    mine.get("/api/v1/operations/a-key-of-mine").expect(200);
    for secret in ["2023321234", "홍길동", "01012345678", "member_id", "renter"] {
        assert!(!seen.contains(secret), "{secret} (member {my_number}) in {seen}");
    }
    let locker = other.get("/api/v1/lockers/103").expect(200).json();
    assert_eq!((&locker["mine"], &locker["door"]), (&json!(false), &Value::Null));
    assert_eq!(mine.get("/api/v1/lockers/103").expect(200).json()["mine"], true);
}

#[test]
fn one_member_has_one_locker() {
    let demo = Demo::start();
    let mine = demo.gildong();
    mine.locker(201, "hold").expect(201);
    let refusal = mine.locker(202, "hold").refused(409, "already_holding");
    assert_eq!(refusal["locker_id"], 201);
    mine.locker(201, "confirm").expect(200);
    let refusal = mine.locker(202, "hold").refused(409, "already_renting");
    assert_eq!(refusal["locker_id"], 201);
    mine.locker(201, "release-hold").refused(409, "already_renting");
    mine.locker(201, "release").expect(200);
    mine.locker(202, "hold").expect(201);
    mine.locker(202, "release").refused(409, "only_held");
    mine.locker(202, "release-hold").expect(200);
    assert_eq!(mine.mine(), Value::Null);
}

#[test]
fn an_unchanged_list_is_not_sent_twice() {
    let demo = Demo::start();
    let (mine, other) = (demo.gildong(), demo.cheolsu());
    let list = mine.get("/api/v1/lockers").expect(200);
    let etag = format!("If-None-Match: {}", list.header("etag").expect("an ETag"));
    let again = |who: &Client| who.call("GET", "/api/v1/lockers", &[&etag], "");
    let unchanged = again(&mine).expect(304);
    assert!(unchanged.body.is_empty());
    other.locker(301, "hold").expect(201);
    let changed = again(&mine).expect(200);
    assert_ne!(changed.header("etag"), list.header("etag"));
    // The rows are the same for both, but what is mine is not: neither gets the other's answer.
    let etag = format!("If-None-Match: {}", changed.header("etag").expect("an ETag"));
    other.call("GET", "/api/v1/lockers", &[&etag], "").expect(200);
}
