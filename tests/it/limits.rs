//! Limits: they climb, survive a restart, spare the owner's device and the rest of the campus, and
//! staff can see and release them.

use lockerd::domain::member::Role;
use lockerd::service::accounts::Credentials;
use lockerd::service::error::Code;
use lockerd::service::sessions::Device;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply};
use crate::support::inside::{Inside, open_now};
use crate::support::site::{PASSWORD, Plan, Site, student};

const LOG_IN: &str = "/api/v1/auth/login";
const JSON: &str = "Content-Type: application/json";
const WRONG: &str = "a wrong password";

fn inside(limits: &str) -> Inside {
    let settings = format!("[auth]\nroster_login = 'full'\n[limits]\n{limits}");
    // The second locker has a lock on a port that is not there: its openings begin and fail.
    let wired = |now| format!("bus = 'nowhere'\nboard = 1\nlock = 1\n{}", open_now(now));
    Inside::configured(&settings, [101, 102], 3, wired)
}

fn try_log_in(nobody: &Client, id: &str, password: &str) -> Reply {
    nobody.post_json(LOG_IN, &json!({ "id": id, "password": password }))
}

/// Logs in as a page of the site does, with the cookies given.
fn browse(nobody: &Client, id: &str, password: &str, cookie: Option<&str>) -> Reply {
    let origin = format!("Origin: http://{}", nobody.address);
    let cookie = cookie.map(|it| format!("Cookie: {it}"));
    let mut headers = vec![JSON, "X-Lockerd: 1", origin.as_str()];
    headers.extend(cookie.as_deref());
    let body = json!({ "id": id, "password": password }).to_string();
    nobody.call("POST", LOG_IN, &headers, &body)
}

fn device_cookie(reply: &Reply) -> String {
    let cookies = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
    let pairs = cookies.filter_map(|(_, value)| value.split(';').next());
    pairs.into_iter().find(|it| it.starts_with("lockerd_device=")).expect("a device").to_owned()
}

#[test]
fn the_wait_climbs_and_is_told_to_the_second() {
    let site = inside("");
    site.add("A1001", Role::Student, &[]);
    for seconds in [1, 3, 5, 10, 10] {
        try_log_in(&site.nobody(), "A1001", WRONG).refused(401, "bad_credentials");
        let held = try_log_in(&site.nobody(), "A1001", PASSWORD);
        held.refused(429, "too_many_attempts");
        assert_eq!(held.header("retry-after"), Some(seconds.to_string().as_str()));
        site.pass(seconds * 1_000 - 1);
        let held = try_log_in(&site.nobody(), "A1001", PASSWORD);
        held.refused(429, "too_many_attempts");
        assert_eq!(held.header("retry-after"), Some("1"));
        site.pass(1);
    }
    site.account("A1001");
    try_log_in(&site.nobody(), "A1001", WRONG).refused(401, "bad_credentials");
    site.pass(1_000);
    site.account("A1001");
}

#[test]
fn a_restart_forgives_nobody() {
    let mut site = Site::start(&Plan::default().lockers(1, [1]).admin());
    let mut tries = 0;
    while tries < 4 {
        // Climbs to the wait of ten seconds: a slow start must not outlast it.
        let reply = try_log_in(&site.nobody(), "ADMIN", WRONG);
        match reply.status {
            401 => tries += 1,
            429 => std::thread::sleep(std::time::Duration::from_millis(200)),
            other => panic!("{other}: {}", reply.text()),
        }
    }
    site.kill();
    site.serve();
    try_log_in(&site.nobody(), "ADMIN", PASSWORD).refused(429, "too_many_attempts");
}

/// Puts an account just before its lock.
fn nearly_locked(site: &Inside, id: &str) {
    try_log_in(&site.nobody(), id, WRONG).refused(401, "bad_credentials");
    let changed = "UPDATE throttle SET count = 98 WHERE kind = 'log_in'";
    assert_eq!(site.sql().execute(changed, []).expect("stored"), 1);
    site.pass(10_000);
    try_log_in(&site.nobody(), id, WRONG).refused(401, "bad_credentials");
    site.pass(10_000);
}

#[test]
fn after_a_hundred_failures_staff_must_release_the_account() {
    let site = inside("");
    let member = site.add("A1001", Role::Student, &[]);
    site.add("S1001", Role::Staff, &[1]);
    nearly_locked(&site, "A1001");
    // The hundredth, by the other name of the account: they count together.
    try_log_in(&site.nobody(), "A1001@korea.ac.kr", WRONG).refused(401, "bad_credentials");
    site.pass(7 * 24 * 3_600_000);
    let staff = site.account("S1001");
    for id in ["A1001", "a1001@korea.ac.kr"] {
        let held = try_log_in(&site.nobody(), id, PASSWORD);
        held.refused(429, "too_many_attempts");
        assert!(held.header("retry-after").is_some());
    }
    let page = staff.get("/api/v1/limits").expect(200).json();
    let row = &page["limits"][0];
    assert_eq!((&row["kind"], &row["until"]), (&json!("log_in"), &Value::Null), "{page}");
    assert_eq!((&row["member_id"], &row["student_id"]), (&json!(member.0), &json!("A1001")));
    assert!(!page.to_string().contains("korea.ac.kr"), "what was typed is not shown: {page}");
    let path = format!("/api/v1/limits/log_in/{}", row["subject"].as_str().expect("text"));
    staff.call("DELETE", &path, &[], "").expect(204);
    staff.call("DELETE", &path, &[], "").refused(404, "limit_not_found");
    site.account("A1001");
    let sql = "SELECT action FROM audit WHERE action LIKE 'limit.%' ORDER BY id";
    let conn = site.sql();
    let mut statement = conn.prepare(sql).expect("good SQL");
    let actions = statement.query_map([], |row| row.get::<_, String>(0)).expect("readable");
    let actions: Vec<String> = actions.collect::<Result<_, _>>().expect("readable");
    assert_eq!(actions, ["limit.lock", "limit.release"]);
    site.demand_clean();
}

#[test]
fn a_locked_account_still_opens_for_a_device_that_it_knows() {
    let site = inside("");
    site.add("A1001", Role::Student, &[]);
    let first = browse(&site.nobody(), "A1001", PASSWORD, None).expect(200);
    let device = device_cookie(&first);
    nearly_locked(&site, "A1001");
    try_log_in(&site.nobody(), "A1001", WRONG).refused(401, "bad_credentials");
    try_log_in(&site.nobody(), "A1001", PASSWORD).refused(429, "too_many_attempts");
    browse(&site.nobody(), "A1001", PASSWORD, None).refused(429, "too_many_attempts");
    browse(&site.nobody(), "A1001", PASSWORD, Some(&device)).expect(200);
    // The device has a ladder of its own, and is known for this account alone.
    browse(&site.nobody(), "A1001", WRONG, Some(&device)).refused(401, "bad_credentials");
    browse(&site.nobody(), "A1001", PASSWORD, Some(&device)).refused(429, "too_many_attempts");
    site.pass(1_000);
    browse(&site.nobody(), "A1001", PASSWORD, Some(&device)).expect(200);
    site.add("A1002", Role::Student, &[]);
    try_log_in(&site.nobody(), "A1002", WRONG).refused(401, "bad_credentials");
    browse(&site.nobody(), "A1002", PASSWORD, Some(&device)).refused(429, "too_many_attempts");
}

#[test]
fn a_browser_that_is_known_logs_in_by_personal_data_whatever_strangers_try() {
    let site = inside("");
    let nobody = site.nobody();
    let browse = |body: &Value, cookie: Option<&str>| {
        let origin = format!("Origin: http://{}", nobody.address);
        let cookie = cookie.map(|it| format!("Cookie: {it}"));
        let mut headers = vec![JSON, "X-Lockerd: 1", origin.as_str()];
        headers.extend(cookie.as_deref());
        nobody.call("POST", LOG_IN, &headers, &body.to_string())
    };
    let device = device_cookie(&browse(&student(0), None).expect(200));
    let mut wrong = student(0);
    wrong["phone_number"] = json!("01000000000");
    nobody.post_json(LOG_IN, &wrong).refused(401, "bad_credentials");
    let lock = format!("UPDATE throttle SET count = 100, until_ms = {}", i64::MAX);
    site.sql().execute(&lock, []).expect("stored");
    nobody.post_json(LOG_IN, &student(0)).refused(429, "too_many_attempts");
    browse(&student(0), None).refused(429, "too_many_attempts");
    browse(&student(0), Some(&device)).expect(200);
    // It has a ladder of its own, and is known for this student alone.
    browse(&wrong, Some(&device)).refused(401, "bad_credentials");
    browse(&student(0), Some(&device)).refused(429, "too_many_attempts");
    site.pass(1_000);
    browse(&student(0), Some(&device)).expect(200);
    browse(&student(1), Some(&device)).refused(429, "too_many_attempts");
}

#[test]
fn one_address_is_held_back_late_and_no_other_with_it() {
    let site = inside("address_failures = 20");
    site.add("A1001", Role::Student, &[]);
    let log_in = |address: &str, id: &str, password: &str| {
        let (id, password) = (id.to_owned(), password.to_owned());
        let device = Device {
            user_agent: "test".to_owned(),
            address: address.to_owned(),
            secret_hash: None,
            is_browser: false,
        };
        let credentials = Credentials::Password { id, password };
        let done = site.run(site.services.log_in(credentials, None, device));
        done.err().map(|error| error.code)
    };
    for n in 0..20 {
        let refused = log_in("10.1.1.1", &format!("B{n:04}"), WRONG);
        assert_eq!(refused, Some(Code::BadCredentials), "{n}");
    }
    assert_eq!(log_in("10.1.1.1", "A1001", PASSWORD), Some(Code::TooManyAttempts));
    assert_eq!(log_in("10.1.1.2", "A1001", PASSWORD), None);
    site.pass(600_000);
    assert_eq!(log_in("10.1.1.1", "A1001", PASSWORD), None);
}

#[test]
fn refused_openings_are_written_down_up_to_a_number_and_rightful_ones_always_pass() {
    let site = inside("refused_openings = 5");
    let (student, other) = (site.student(0), site.student(1));
    student.rent(102);
    let refused = || -> i64 {
        let sql = "SELECT count(*) FROM audit WHERE action = 'opening.refused'";
        site.sql().query_row(sql, [], |row| row.get(0)).expect("a number")
    };
    for n in 1..=5 {
        student.locker(101, "open").refused(404, "not_your_locker");
        crate::support::until("the refusal is noted", || (refused() == n).then_some(()));
    }
    let held = student.locker(101, "open");
    held.refused(429, "too_many_requests");
    assert_eq!(held.header("retry-after"), Some("600"));
    student.locker(102, "open").expect(202);
    other.locker(102, "open").refused(404, "not_your_locker");
    crate::support::until("the refusal is noted", || (refused() == 6).then_some(()));
    site.pass(600_000);
    student.locker(101, "open").refused(404, "not_your_locker");
}

#[test]
fn staff_see_pages_of_limits_and_students_none() {
    let site = inside("");
    site.add("S1001", Role::Staff, &[1]);
    for n in 0..3 {
        try_log_in(&site.nobody(), &format!("B{n:04}"), WRONG).refused(401, "bad_credentials");
    }
    let staff = site.account("S1001");
    let first = staff.get("/api/v1/limits?limit=2").expect(200).json();
    assert_eq!(first["limits"].as_array().map(Vec::len), Some(2), "{first}");
    let cursor = first["next_cursor"].as_str().expect("another page");
    let second = staff.get(&format!("/api/v1/limits?limit=2&cursor={cursor}")).expect(200).json();
    assert_eq!(second["limits"].as_array().map(Vec::len), Some(1), "{second}");
    assert_eq!(second["next_cursor"], Value::Null);
    for bad in ["limit=0", "limit=101", "limit=x", "cursor=x"] {
        staff.get(&format!("/api/v1/limits?{bad}")).refused(422, "invalid");
    }
    for path in ["nonsense/member:1", "log_in/member:1", "mail/x"] {
        let path = format!("/api/v1/limits/{path}");
        staff.call("DELETE", &path, &[], "").refused(404, "limit_not_found");
    }
    site.pass(1_000);
    let none = staff.get("/api/v1/limits").expect(200).json();
    assert_eq!(none["limits"].as_array().map(Vec::len), Some(0), "{none}");
    let student = site.student(0);
    student.get("/api/v1/limits").refused(403, "forbidden");
    student.call("DELETE", "/api/v1/limits/log_in/x", &[], "").refused(403, "forbidden");
}
