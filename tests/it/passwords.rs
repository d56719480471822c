//! Passwords and mail addresses: changed with the one so far, set anew with a mailed code.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::{Inside, open_now};
use crate::support::site::{PASSWORD, student};

const CHANGE: &str = "/api/v1/auth/password";
const FORGOT: &str = "/api/v1/auth/password/forgot";
const RESET: &str = "/api/v1/auth/password/reset";
const EMAIL: &str = "/api/v1/auth/email";
const CONFIRM_EMAIL: &str = "/api/v1/auth/email/confirm";
const LOG_IN: &str = "/api/v1/auth/login";
const ME: &str = "/api/v1/auth/me";
const JSON: &str = "Content-Type: application/json";
const NEW: &str = "seven purple umbrellas";

fn inside() -> Inside {
    let settings = "[mail]
transport = 'box'
\
                    [auth]
roster_login = 'full'
password_words = ['호랑이']
";
    Inside::configured(settings, [101], 2, open_now)
}

fn change(client: &Client, current: &str, new: &str) -> Reply {
    client.post_json(CHANGE, &json!({ "current_password": current, "new_password": new }))
}

fn log_in(site: &Inside, password: &str) -> Reply {
    site.nobody().post_json(LOG_IN, &json!({ "id": "A1001", "password": password }))
}

fn forgot(site: &Inside, id: &str) -> String {
    let reply = site.nobody().post_json(FORGOT, &json!({ "id": id })).expect(202).json();
    assert_eq!(reply["expires_in"], 600);
    reply["reset_id"].as_str().expect("an id").to_owned()
}

fn code(site: &Inside, kind: &str) -> String {
    site.mailed(kind)["code"].as_str().expect("a code").to_owned()
}

fn reset(site: &Inside, id: &str, code: &str, password: &str) -> Reply {
    let body = json!({ "reset_id": id, "code": code, "password": password });
    site.nobody().post_json(RESET, &body)
}

fn number(site: &Inside, sql: &str) -> i64 {
    site.sql().query_row(sql, [], |row| row.get(0)).expect(sql)
}

fn mails(site: &Inside, kind: &str) -> i64 {
    number(site, &format!("SELECT count(*) FROM outbox WHERE kind = '{kind}'"))
}

#[test]
fn a_changed_password_ends_the_other_log_ins_and_is_told() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let (here, there) = (site.account("A1001"), site.account("A1001"));
    change(&here, PASSWORD, NEW).expect(204);
    here.get(ME).expect(200);
    there.get(ME).refused(401, "session_ended");
    log_in(&site, PASSWORD).refused(401, "bad_credentials");
    site.pass(1_000);
    log_in(&site, NEW).expect(200);
    assert_eq!(mails(&site, "password_changed"), 1);
    let sql = "SELECT count(*) FROM audit WHERE action = 'member.password'";
    assert_eq!(number(&site, sql), 1);
    let leaked = format!("SELECT count(*) FROM audit WHERE detail LIKE '%{NEW}%'");
    assert_eq!(number(&site, &leaked), 0);
}

#[test]
fn the_password_so_far_is_asked_for_and_guessed_slowly() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let client = site.account("A1001");
    change(&client, "a wrong password", NEW).refused(401, "bad_credentials");
    change(&client, PASSWORD, NEW).refused(429, "too_many_attempts");
    // Logging in is not held up by it.
    log_in(&site, PASSWORD).expect(200);
    site.pass(1_000);
    change(&client, PASSWORD, NEW).expect(204);
}

#[test]
fn a_weak_password_is_refused_with_the_reason() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    site.add("S1001", Role::Staff, &[1]);
    let (student, staff) = (site.account("A1001"), site.account("S1001"));
    let long = "가나다".repeat(86);
    for (client, password, reason) in [
        (&student, "q7!Vd2#nM", "short"),
        (&student, &*long, "long"),
        (&student, "qwertyuiop", "common"),
        (&student, "A1001A1001", "common"),
        (&student, "호랑이호랑이호랑이호", "common"),
        (&staff, "q7!Vd2#nMx9@Lw", "short"),
        (&staff, "이직원이직원이직원이직원이직원", "common"),
    ] {
        let refused = change(client, PASSWORD, password).refused(422, "password_weak");
        assert_eq!(refused["reason"], reason, "{password}");
    }
    let most = "물개 우산 기차표 안경! ".repeat(20).chars().take(256).collect::<String>();
    change(&student, PASSWORD, &most).expect(204);
    log_in(&site, &most).expect(200);
    // Nothing is cut off.
    let shorter: String = most.chars().take(255).collect();
    log_in(&site, &shorter).refused(401, "bad_credentials");
    change(&staff, PASSWORD, "q7!Vd2#nMx9@Lwz").expect(204);
}

#[test]
fn with_a_second_factor_eight_characters_are_enough() {
    let site = inside();
    let member = site.add("S1001", Role::Staff, &[1]);
    let staff = site.account("S1001");
    change(&staff, PASSWORD, "q7!Vd2#n").refused(422, "password_weak");
    let enrol = "INSERT INTO totp (member_id, state, sealed, created_ms, confirmed_ms)
                 VALUES (?1, 'active', x'00', 1, 1)";
    site.sql().execute(enrol, [member.0]).expect("stored");
    change(&staff, PASSWORD, "q7!Vd2#n").expect(204);
}

#[test]
fn personal_data_alone_change_no_password() {
    let site = inside();
    let student = site.nobody().log_in(&student(0));
    change(&student, PASSWORD, NEW).refused(403, "password_needed");
    let body = json!({ "email": "x@korea.ac.kr", "password": PASSWORD });
    student.post_json(EMAIL, &body).refused(403, "password_needed");
}

#[test]
fn a_forgotten_password_is_set_anew_with_the_mailed_code() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let client = site.account("A1001");
    let id = forgot(&site, "a1001@korea.ac.kr");
    let code = code(&site, "password_reset");
    // The rules are told to somebody whose code is right, and the code is not used up by it.
    reset(&site, &id, &code, "password1234").refused(422, "password_weak");
    reset(&site, &id, &code, NEW).expect(204);
    client.get(ME).refused(401, "session_ended");
    log_in(&site, NEW).expect(200);
    assert_eq!(mails(&site, "password_changed"), 1);
    reset(&site, &id, &code, "another fine password").refused(410, "code_expired");
    site.demand_clean();
}

#[test]
fn known_and_unknown_ids_are_answered_alike() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    for id in ["A9999", "nobody@korea.ac.kr", "2024000000", "!", ""] {
        let reset_id = forgot(&site, id);
        assert_eq!(reset_id.len(), 36);
        // Nothing is said of a staff member's longer password either.
        reset(&site, &reset_id, "12345678", "short").refused(422, "code_wrong");
        reset(&site, &reset_id, "12345678", NEW).refused(422, "code_wrong");
    }
    assert_eq!(mails(&site, "password_reset"), 0);
    let known = forgot(&site, "A1001");
    let code = code(&site, "password_reset");
    let wrong = format!("{:08}", (code.parse::<u32>().expect("digits") + 1) % 100_000_000);
    for _ in 0..5 {
        reset(&site, &known, &wrong, "short").refused(422, "code_wrong");
    }
    reset(&site, &known, &code, NEW).refused(410, "code_expired");
}

#[test]
fn mails_to_one_person_are_limited_for_known_and_unknown_alike() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    for id in ["A1001", "A9999"] {
        for _ in 0..5 {
            forgot(&site, id);
        }
        let held = site.nobody().post_json(FORGOT, &json!({ "id": id }));
        held.refused(429, "too_many_requests");
        assert_eq!(held.header("retry-after"), Some("3600"));
    }
    // By the other name: accepted, but nobody gets a sixth mail.
    forgot(&site, "a1001@korea.ac.kr");
    assert_eq!(mails(&site, "password_reset"), 5);
}

#[test]
fn the_three_newest_codes_are_good_side_by_side_and_end_together() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let asked: Vec<(String, String)> = (0..4)
        .map(|_| {
            site.pass(1);
            (forgot(&site, "A1001"), code(&site, "password_reset"))
        })
        .collect();
    reset(&site, &asked[0].0, &asked[0].1, NEW).refused(410, "code_expired");
    reset(&site, &asked[2].0, &asked[1].1, NEW).refused(422, "code_wrong");
    // What strangers asked for meanwhile leaves the owner's own good.
    reset(&site, &asked[1].0, &asked[1].1, NEW).expect(204);
    reset(&site, &asked[3].0, &asked[3].1, NEW).refused(410, "code_expired");
}

#[test]
fn strangers_do_not_use_up_the_codes_of_a_browser_that_the_account_knows() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let nobody = site.nobody();
    let origin = format!("Origin: http://{}", nobody.address);
    let page = [JSON, "X-Lockerd: 1", origin.as_str()];
    let body = json!({ "id": "A1001", "password": PASSWORD }).to_string();
    let first = nobody.call("POST", LOG_IN, &page, &body).expect(200);
    let cookies = first.headers.iter().filter(|(name, _)| name == "set-cookie");
    let mut pairs = cookies.filter_map(|(_, value)| value.split(';').next());
    let device = pairs.find(|it| it.starts_with("lockerd_device=")).expect("a device");
    let cookie = format!("Cookie: {device}");
    let ask = |id: &str| {
        let own = [page[0], page[1], page[2], &cookie];
        nobody.call("POST", FORGOT, &own, &json!({ "id": id }).to_string())
    };
    for _ in 0..5 {
        forgot(&site, "A1001");
    }
    nobody.post_json(FORGOT, &json!({ "id": "A1001" })).refused(429, "too_many_requests");
    let wish = json!({ "email": "new@korea.ac.kr", "password": PASSWORD });
    site.account("A1001").post_json(EMAIL, &wish).expect(202);
    for _ in 0..5 {
        ask("A1001").expect(202);
    }
    assert_eq!(mails(&site, "password_reset"), 10);
    ask("A1001").refused(429, "too_many_requests");
    // For another account it is a stranger as any.
    site.add("A1002", Role::Student, &[]);
    for _ in 0..5 {
        forgot(&site, "A1002");
    }
    ask("A1002").refused(429, "too_many_requests");
}

#[test]
fn of_many_uses_of_one_code_exactly_one_sets_the_password() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    let id = forgot(&site, "A1001");
    let code = code(&site, "password_reset");
    let nobody = site.nobody();
    let request = |n: usize| {
        let body = json!({ "reset_id": id, "code": code, "password": format!("{NEW} {n}") });
        nobody.request("POST", RESET, &[JSON], &body.to_string())
    };
    let replies = at_once(nobody.address, (0..100).map(request).collect());
    let won: Vec<usize> = (0..100).filter(|n| replies[*n].status == 204).collect();
    assert_eq!(won.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 204) {
        // More than the threads take are turned away before the code is looked at.
        assert!(matches!(reply.code().as_str(), "code_expired" | "overloaded"), "{reply:?}");
        assert!(reply.status == 410 || reply.header("retry-after").is_some());
    }
    log_in(&site, &format!("{NEW} {}", won[0])).expect(200);
}

#[test]
fn a_reset_opens_a_locked_account() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    log_in(&site, "a wrong password").refused(401, "bad_credentials");
    let lock = format!("UPDATE throttle SET count = 100, until_ms = {}", i64::MAX);
    site.sql().execute(&lock, []).expect("stored");
    log_in(&site, PASSWORD).refused(429, "too_many_attempts");
    // The address was locked by the same statement: it is another matter.
    site.sql().execute("DELETE FROM throttle WHERE kind = 'address'", []).expect("stored");
    let id = forgot(&site, "A1001");
    reset(&site, &id, &code(&site, "password_reset"), NEW).expect(204);
    log_in(&site, NEW).expect(200);
}

#[test]
fn a_new_mail_address_is_proven_and_the_old_one_told() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    site.add("A1002", Role::Student, &[]);
    let client = site.account("A1001");
    let wish = |email: &str, password: &str| json!({ "email": email, "password": password });
    client.post_json(EMAIL, &wish("x", PASSWORD)).refused(422, "invalid");
    client.post_json(EMAIL, &wish("a1001@korea.ac.kr", PASSWORD)).refused(422, "invalid");
    client.post_json(EMAIL, &wish("new@korea.ac.kr", "wrong")).refused(401, "bad_credentials");
    site.pass(1_000);
    let begun = client.post_json(EMAIL, &wish("New@korea.ac.kr", PASSWORD)).expect(202).json();
    let id = begun["change_id"].as_str().expect("an id");
    let good = json!({ "change_id": id, "code": code(&site, "email_change_code") });
    let to: String = site
        .sql()
        .query_row("SELECT address FROM outbox WHERE kind = 'email_change_code'", [], |row| {
            row.get(0)
        })
        .expect("a mail");
    assert_eq!(to, "new@korea.ac.kr");
    // Somebody else's session cannot use it.
    site.account("A1002").post_json(CONFIRM_EMAIL, &good).refused(410, "code_expired");
    let wrong = json!({ "change_id": id, "code": "x" });
    client.post_json(CONFIRM_EMAIL, &wrong).refused(422, "code_wrong");
    client.post_json(CONFIRM_EMAIL, &good).expect(204);
    client.post_json(CONFIRM_EMAIL, &good).refused(410, "code_expired");
    assert_eq!(client.get(ME).expect(200).json()["email"], "new@korea.ac.kr");
    let told: String = site
        .sql()
        .query_row("SELECT address FROM outbox WHERE kind = 'email_changed'", [], |row| row.get(0))
        .expect("a mail");
    assert_eq!(told, "a1001@korea.ac.kr");
}

#[test]
fn the_address_of_somebody_else_is_not_told_apart() {
    let site = inside();
    site.add("A1001", Role::Student, &[]);
    site.add("A1002", Role::Student, &[]);
    let client = site.account("A1001");
    let wish = json!({ "email": "a1002@korea.ac.kr", "password": PASSWORD });
    let begun = client.post_json(EMAIL, &wish).expect(202).json();
    assert_eq!((mails(&site, "email_change_code"), mails(&site, "sign_up_known")), (0, 1));
    let guess = json!({ "change_id": begun["change_id"], "code": "12345678" });
    client.post_json(CONFIRM_EMAIL, &guess).refused(422, "code_wrong");
    assert_ne!(client.get(ME).expect(200).json()["email"], Value::from("a1002@korea.ac.kr"));
}
