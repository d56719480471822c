//! Logging in: known and unknown accounts are told apart by nobody, guesses are looked at one by
//! one, and what the roster knows opens no more than the site wants.

use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::{Inside, open_now};
use crate::support::site::{PASSWORD, student};

const LOG_IN: &str = "/api/v1/auth/login";
const JSON: &str = "Content-Type: application/json";

fn inside() -> Inside {
    Inside::configured("[auth]\nroster_login = 'full'\nregistration = 'open'\n", [101], 3, open_now)
}

fn try_log_in(nobody: &Client, id: &str, password: &str) -> Reply {
    nobody.post_json(LOG_IN, &json!({ "id": id, "password": password }))
}

/// What a refusal tells, without what is of the request alone.
fn told(reply: &Reply) -> (u16, Option<String>, Value) {
    let mut document = reply.json();
    document.as_object_mut().expect("a document").remove("request_id");
    (reply.status, reply.header("retry-after").map(str::to_owned), document)
}

#[test]
fn known_and_unknown_accounts_are_answered_alike() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let nobody = site.nobody();
    let mut seen = Vec::new();
    for wait_ms in [0, 999, 1, 3_000, 5_000, 10_000, 10_000] {
        site.pass(wait_ms);
        let known = told(&try_log_in(&nobody, "A1001", "a wrong password"));
        let unknown = told(&try_log_in(&nobody, "A9999", "a wrong password"));
        assert_eq!(known, unknown);
        seen.push((known.0, known.1));
    }
    let waits: Vec<u16> = seen.iter().map(|(status, _)| *status).collect();
    assert_eq!(waits, [401, 429, 401, 401, 401, 401, 401]);
    assert_eq!(seen[1].1.as_deref(), Some("1"));
    // Also whoever has no password, and what can be nobody's id.
    for id in ["2024000000", "nobody@nowhere.kr", "!!!", ""] {
        try_log_in(&nobody, id, "x").refused(401, "bad_credentials");
        try_log_in(&nobody, id, "x").refused(429, "too_many_attempts");
    }
    for (id, password) in [("A1001", "x".repeat(3_073)), (&*"x".repeat(255), "x".to_owned())] {
        try_log_in(&nobody, id, &password).refused(401, "bad_credentials");
    }
}

#[test]
fn an_account_is_found_by_its_id_and_its_address_in_any_spelling() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    for id in ["A1001", " a1001 ", "A1001@korea.ac.kr", "a1001@KOREA.ac.kr"] {
        try_log_in(&site.nobody(), id, PASSWORD).expect(200);
    }
}

#[test]
fn a_disabled_account_is_told_so_after_the_right_password_only() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let disable = "UPDATE member SET disabled_ms = 1, disabled_reason = 'keys lost'";
    site.sql().execute(disable, []).expect("stored");
    let nobody = site.nobody();
    let refused = try_log_in(&nobody, "A1001", PASSWORD).refused(403, "account_disabled");
    assert_eq!(refused["reason"], "keys lost");
    try_log_in(&nobody, "A1001", "a wrong password").refused(401, "bad_credentials");
    nobody.post_json(LOG_IN, &student(0)).refused(403, "account_disabled");
    let path = "/api/v1/auth/login-or-register";
    nobody.post_json(path, &student(1)).refused(403, "account_disabled");
}

#[test]
fn a_hash_that_is_weaker_than_todays_is_made_anew_at_log_in() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let params = Params::new(8 * 1024, 1, 1, None).expect("valid");
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(PASSWORD.as_bytes(), b"0123456789abcdef")
        .expect("hashed")
        .to_string();
    let set = "UPDATE member SET password_hash = ?1 WHERE student_id = 'A1001'";
    site.sql().execute(set, [&weak]).expect("stored");
    let hash = || -> String {
        let sql = "SELECT password_hash FROM member WHERE student_id = 'A1001'";
        site.sql().query_row(sql, [], |row| row.get(0)).expect("there")
    };
    try_log_in(&site.nobody(), "A1001", "a wrong password").refused(401, "bad_credentials");
    assert_eq!(hash(), weak);
    site.pass(1_000);
    site.account("A1001");
    let strong = hash();
    assert!(strong.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{strong}");
    site.account("A1001");
    assert_eq!(hash(), strong);
}

#[test]
fn of_many_guesses_at_once_one_is_looked_at() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let nobody = site.nobody();
    let guess = |n: usize| json!({ "id": "A1001", "password": format!("guess {n}") }).to_string();
    let requests = (0..30).map(|n| nobody.request("POST", LOG_IN, &[JSON], &guess(n))).collect();
    let replies = at_once(nobody.address, requests);
    let count = |status| replies.iter().filter(|reply| reply.status == status).count();
    // On a busy machine some are turned away at the door instead.
    assert_eq!((count(401), count(429) + count(503)), (1, 29));
    let sql = "SELECT count FROM throttle WHERE kind = 'log_in'";
    let counted: i64 = site.sql().query_row(sql, [], |row| row.get(0)).expect("one row");
    assert_eq!(counted, 1);
    // The right one among them tells nothing either.
    site.pass(1_000);
    let mut requests: Vec<String> =
        (0..9).map(|n| nobody.request("POST", LOG_IN, &[JSON], &guess(n))).collect();
    requests.push(nobody.request("POST", LOG_IN, &[JSON], &guess(0)));
    for reply in at_once(nobody.address, requests) {
        assert!(matches!(reply.status, 401 | 429), "{reply:?}");
    }
    site.pass(3_000);
    site.account("A1001");
    let left = "SELECT count(*) FROM throttle WHERE kind = 'log_in'";
    let left: i64 = site.sql().query_row(left, [], |row| row.get(0)).expect("a number");
    assert_eq!(left, 0, "a right password forgives");
}

#[test]
fn parallel_log_ins_with_the_right_password_all_succeed() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let nobody = site.nobody();
    let body = json!({ "id": "A1001", "password": PASSWORD }).to_string();
    let requests = (0..20).map(|_| nobody.request("POST", LOG_IN, &[JSON], &body)).collect();
    for reply in at_once(nobody.address, requests) {
        reply.expect(200);
    }
}

#[test]
fn personal_data_are_guessed_as_slowly_as_passwords() {
    let site = inside();
    let nobody = site.nobody();
    let mut wrong = student(0);
    wrong["phone_number"] = json!("01000000000");
    let mut unknown = wrong.clone();
    unknown["student_id"] = json!("2099000000");
    for path in [LOG_IN, "/api/v1/auth/login-or-register"] {
        nobody.post_json(path, &wrong).refused(401, "bad_credentials");
        let refused = nobody.post_json(path, &wrong);
        refused.refused(429, "too_many_attempts");
        // Not even the right data are looked at before the wait is over.
        nobody.post_json(path, &student(0)).refused(429, "too_many_attempts");
        nobody.post_json(path, &student(1)).expect(200);
        site.pass(10_000);
    }
    nobody.post_json(LOG_IN, &unknown).refused(401, "bad_credentials");
    nobody.post_json(LOG_IN, &unknown).refused(429, "too_many_attempts");
    nobody.post_json(LOG_IN, &student(0)).expect(200);
    // A password is not held up by it, nor the other way round.
    site.add("A1001", Role::Student, &[]);
    try_log_in(&nobody, "2024000001", "wrong").refused(401, "bad_credentials");
    nobody.post_json(LOG_IN, &student(1)).expect(200);
}

#[test]
fn a_new_student_id_registers_and_a_known_one_belongs_to_its_owner() {
    let site = inside();
    let path = "/api/v1/auth/login-or-register";
    let triple = json!({
        "student_id": "2030000001", "name": "새학생", "phone_number": "010-9999-0001"
    });
    site.nobody().post_json(path, &triple).expect(201);
    site.nobody().post_json(path, &triple).expect(200);
    // The id decides: another name with it is no second person.
    let mut other = triple.clone();
    other["name"] = json!("다른 사람");
    site.nobody().post_json(path, &other).refused(401, "bad_credentials");
    let sql = "SELECT count(*) FROM member WHERE student_id = '2030000001'";
    let count: i64 = site.sql().query_row(sql, [], |row| row.get(0)).expect("a number");
    assert_eq!(count, 1);
    let mut taken = triple;
    taken["student_id"] = json!("2030000002");
    site.nobody().post_json(path, &taken).refused(409, "phone_taken");
}

#[test]
fn a_password_is_the_same_however_a_keyboard_puts_its_letters_together() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    // The same words: letters in one piece, and taken apart as some systems type them.
    let (whole, apart) = (
        "물개 우산 기차표 안경",
        "\u{1106}\u{116e}\u{11af}\u{1100}\u{1162} \u{110b}\u{116e}\u{1109}\u{1161}\u{11ab} \u{1100}\u{1175}\u{110e}\u{1161}\u{1111}\u{116d} \u{110b}\u{1161}\u{11ab}\u{1100}\u{1167}\u{11bc}",
    );
    let change = json!({ "current_password": PASSWORD, "new_password": apart });
    site.account("A1001").post_json("/api/v1/auth/password", &change).expect(204);
    for typed in [whole, apart] {
        try_log_in(&site.nobody(), "A1001", typed).expect(200);
    }
    // A hash of before, of the letters as they were typed: good, and made anew.
    let old = Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(19_456, 2, 1, None).expect("valid"),
    )
    .hash_password_with_salt(apart.as_bytes(), b"0123456789abcdef")
    .expect("hashed")
    .to_string();
    site.sql().execute("UPDATE member SET password_hash = ?1", [&old]).expect("stored");
    try_log_in(&site.nobody(), "A1001", whole).refused(401, "bad_credentials");
    site.pass(1_000);
    try_log_in(&site.nobody(), "A1001", apart).expect(200);
    try_log_in(&site.nobody(), "A1001", whole).expect(200);
}
