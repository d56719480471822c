//! The second factor: set up, shown at log-in, used once, lost, taken away.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::{Inside, open_now};
use crate::support::people::{Authenticator, STEP_MS, enrol};
use crate::support::site::PASSWORD;

/// How many requests are sent at once.
const AT_ONCE: usize = 100;

const TOTP: &str = "/api/v1/auth/totp";

fn site(settings: &str) -> Inside {
    Inside::configured(settings, 101..=103, 3, open_now)
}

fn credentials(id: &str) -> Value {
    json!({ "id": id, "password": PASSWORD })
}

/// The first step of a log-in that needs a second; its ticket.
#[track_caller]
fn ticket(site: &Inside, id: &str) -> String {
    let refused = site.nobody().post_json("/api/v1/auth/login", &credentials(id));
    let problem = refused.refused(401, "second_factor_needed");
    problem["ticket"].as_str().expect("a ticket").to_owned()
}

#[track_caller]
fn second_step(site: &Inside, ticket: &str, code: &str) -> Reply {
    let step = json!({ "ticket": ticket, "code": code });
    site.nobody().post_json("/api/v1/auth/login/second-factor", &step)
}

#[track_caller]
fn remove(client: &Client, proof: &Value) -> Reply {
    client.call("DELETE", TOTP, &["Content-Type: application/json"], &proof.to_string())
}

#[test]
fn an_app_is_set_up_and_asked_for_from_then_on() {
    let site = site("");
    site.add("KIM1", Role::Student, &[]);
    let kim = site.account("KIM1");
    assert_eq!(kim.get(TOTP).expect(200).json()["enrolled"], false);
    let made = kim.post(TOTP).expect(201);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let made = made.json();
    let app = Authenticator::of(&made);
    let uri = made["otpauth_uri"].as_str().expect("an address");
    assert!(uri.starts_with("otpauth://totp/lockerd:KIM1?secret="), "{uri}");
    assert!(made["qr_svg"].as_str().is_some_and(|svg| svg.starts_with("<svg")), "{made}");
    // Not in force before its first code.
    site.account("KIM1");
    let confirm = |code: &str| kim.post_json("/api/v1/auth/totp/confirm", &json!({ "code": code }));
    confirm("000000").refused(422, "code_wrong");
    confirm(&app.code(&site)).refused(429, "too_many_attempts");
    site.pass(1_000);
    let spaced = app.code(&site);
    let codes = confirm(&format!("{} {}", &spaced[..3], &spaced[3..])).expect(200).json();
    assert_eq!(codes["recovery_codes"].as_array().map(Vec::len), Some(10));
    confirm(&app.code(&site)).refused(409, "totp_not_enrolled");
    let status = kim.get(TOTP).expect(200).json();
    assert_eq!((&status["enrolled"], &status["recovery_codes_left"]), (&true.into(), &10.into()));

    let ticket = ticket(&site, "KIM1");
    second_step(&site, &ticket, &app.code(&site)).refused(422, "code_wrong");
    let tokens = second_step(&site, &ticket, &app.next_code(&site)).expect(200).json();
    let me = site.nobody().with_token(tokens["access_token"].as_str().expect("a token"));
    assert_eq!(me.get("/api/v1/auth/me").expect(200).json()["strong"], true);
    // In one step, too.
    let mut all = credentials("KIM1");
    all["totp_code"] = app.code(&site).into();
    site.nobody().post_json("/api/v1/auth/login", &all).refused(422, "code_wrong");
    all["totp_code"] = app.next_code(&site).into();
    site.nobody().post_json("/api/v1/auth/login", &all).expect(200);
    all["password"] = "something else entirely".into();
    all["totp_code"] = app.next_code(&site).into();
    site.nobody().post_json("/api/v1/auth/login", &all).refused(401, "bad_credentials");
    site.demand_clean();
}

#[test]
fn a_code_sent_a_hundred_times_at_once_is_good_once() {
    let site = site("");
    site.add("KIM1", Role::Student, &[]);
    let (app, recovery) = enrol(&site.account("KIM1"), site.clock.now());
    let ticket = ticket(&site, "KIM1");
    for code in [app.next_code(&site), recovery[0].clone()] {
        site.pass(STEP_MS);
        let step = json!({ "ticket": ticket, "code": code }).to_string();
        let request = site.nobody().request(
            "POST",
            "/api/v1/auth/login/second-factor",
            &["Content-Type: application/json", "Connection: close"],
            &step,
        );
        let replies = at_once(site.nobody().address, vec![request; AT_ONCE]);
        let good = replies.iter().filter(|reply| reply.status == 200).count();
        assert_eq!(good, 1, "{code}");
        for reply in replies.iter().filter(|reply| reply.status != 200) {
            assert!(
                ["code_wrong", "too_many_attempts"].contains(&reply.code().as_str()),
                "{reply:?}"
            );
        }
        site.pass(STEP_MS);
    }
    let sql = "SELECT count(*) FROM session WHERE strong = 1 AND method = 'password'";
    let strong: i64 = site.sql().query_row(sql, [], |row| row.get(0)).expect("readable");
    assert_eq!(strong, 3, "the one that set it up, and one for each code");
}

#[test]
fn the_first_code_of_an_app_sent_a_hundred_times_gives_one_set_of_recovery_codes() {
    let site = site("");
    site.add("KIM1", Role::Student, &[]);
    let kim = site.account("KIM1");
    let app = Authenticator::of(&kim.post(TOTP).expect(201).json());
    let request = kim.request(
        "POST",
        "/api/v1/auth/totp/confirm",
        &["Content-Type: application/json", "Connection: close"],
        &json!({ "code": app.code(&site) }).to_string(),
    );
    let replies = at_once(kim.address, vec![request; AT_ONCE]);
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
}

#[test]
fn recovery_codes_stand_in_once_and_a_new_set_ends_the_old() {
    let site = site("");
    site.add("KIM1", Role::Student, &[]);
    let kim = site.account("KIM1");
    let (_, codes) = enrol(&kim, site.clock.now());
    let ticket = ticket(&site, "KIM1");
    let typed = codes[0].to_uppercase().replace('-', " ");
    second_step(&site, &ticket, &typed).expect(200);
    second_step(&site, &ticket, &codes[0]).refused(422, "code_wrong");
    site.pass(1_000);
    assert_eq!(kim.get(TOTP).expect(200).json()["recovery_codes_left"], 9);
    let renewed = kim.post("/api/v1/auth/totp/recovery-codes").expect(200).json();
    second_step(&site, &ticket, &codes[1]).refused(422, "code_wrong");
    site.pass(3_000);
    let new = renewed["recovery_codes"][3].as_str().expect("a code");
    second_step(&site, &ticket, new).expect(200);
}

#[test]
fn another_app_takes_the_place_of_the_first_when_its_code_was_typed() {
    let site = site("");
    site.add("KIM1", Role::Student, &[]);
    let (elsewhere, kim) = (site.account("KIM1"), site.account("KIM1"));
    let (old, _) = enrol(&kim, site.clock.now());
    elsewhere.get("/api/v1/auth/me").refused(401, "session_ended");
    let new = Authenticator::of(&kim.post(TOTP).expect(201).json());
    let log_in = ticket(&site, "KIM1");
    second_step(&site, &log_in, &old.next_code(&site)).expect(200);
    second_step(&site, &log_in, &new.next_code(&site)).refused(422, "code_wrong");
    site.pass(1_000);
    let code = json!({ "code": new.code(&site) });
    kim.post_json("/api/v1/auth/totp/confirm", &code).expect(200);
    second_step(&site, &log_in, &old.next_code(&site)).refused(422, "code_wrong");
    site.pass(1_000);
    second_step(&site, &log_in, &new.next_code(&site)).expect(200);
    let told = site.sql();
    let sql = "SELECT group_concat(json_extract(payload, '$.what'), ' ') FROM outbox
               WHERE kind = 'totp_changed' ORDER BY id";
    let told: String = told.query_row(sql, [], |row| row.get(0)).expect("mails");
    assert_eq!(told, "enrolled reissued");
}

#[test]
fn whoever_is_logged_in_for_long_shows_once_more_who_they_are() {
    let site = site("");
    site.add("KIM1", Role::Student, &[]);
    let kim = site.account("KIM1");
    site.pass(10 * 60_000 + 1);
    kim.post(TOTP).refused(403, "password_needed");
    kim.post_json(TOTP, &json!({ "password": "not that one, no" })).refused(401, "bad_credentials");
    site.pass(1_000);
    let made = kim.post_json(TOTP, &json!({ "password": PASSWORD })).expect(201).json();
    let app = Authenticator::of(&made);
    site.pass(15 * 60_000 + 1);
    let code = json!({ "code": app.code(&site) });
    kim.post_json("/api/v1/auth/totp/confirm", &code).refused(410, "code_expired");
    let fresh = site.account("KIM1");
    let (app, _) = enrol(&fresh, site.clock.now());
    remove(&fresh, &json!({})).refused(403, "password_needed");
    remove(&fresh, &json!({ "code": "000000" })).refused(422, "code_wrong");
    site.pass(1_000);
    remove(&fresh, &json!({ "code": app.next_code(&site) })).expect(204);
    remove(&fresh, &json!({ "password": PASSWORD })).refused(409, "totp_not_enrolled");
    site.account("KIM1");
}

#[test]
fn a_name_and_a_phone_number_set_no_app_up_where_they_only_claim() {
    let site = site("[auth]\nroster_login = 'claim'\n");
    site.student(0).post(TOTP).refused(403, "password_needed");
}

#[test]
fn where_the_site_demands_one_nothing_else_can_be_done_before() {
    let site = site("[auth]\nsecond_factor = 'staff'\n");
    for (id, role) in [("STAFF1", Role::Staff), ("ADMIN1", Role::Admin)] {
        site.add(id, role, &[]);
        let reply = site.nobody().post_json("/api/v1/auth/login", &credentials(id)).expect(200);
        let tokens = reply.json();
        let bare = site.nobody().with_token(tokens["access_token"].as_str().expect("a token"));
        for path in ["/api/v1/lockers", "/api/v1/alarms", "/api/v1/kiosks"] {
            bare.get(path).refused(403, "second_factor_missing");
        }
        bare.locker(101, "hold").refused(403, "second_factor_missing");
        let me = bare.get("/api/v1/auth/me").expect(200).json();
        assert_eq!((&me["strong"], &me["second_factor_missing"]), (&false.into(), &true.into()));
        let (app, _) = enrol(&bare, site.clock.now());
        let refresh = json!({ "refresh_token": tokens["refresh_token"] });
        let tokens = site.nobody().post_json("/api/v1/auth/refresh", &refresh).expect(200).json();
        let whole = site.nobody().with_token(tokens["access_token"].as_str().expect("a token"));
        whole.get("/api/v1/lockers").expect(200);
        let code = json!({ "code": app.next_code(&site) });
        remove(&whole, &code).refused(403, "forbidden");
    }
    site.add("KIM1", Role::Student, &[]);
    site.account("KIM1").get("/api/v1/lockers").expect(200);
}

#[test]
fn admins_alone_may_be_asked() {
    let site = site("[auth]\nsecond_factor = 'admins'\n");
    site.add("STAFF1", Role::Staff, &[]);
    site.add("ADMIN1", Role::Admin, &[]);
    site.account("STAFF1").get("/api/v1/lockers").expect(200);
    site.account("ADMIN1").get("/api/v1/lockers").refused(403, "second_factor_missing");
}

#[test]
fn a_lost_phone_is_reset_by_staff_with_a_reason() {
    let site = site("");
    let kim = site.add("KIM1", Role::Student, &[]);
    let staff = site.add("STAFF1", Role::Staff, &[1]);
    site.add("STAFF2", Role::Staff, &[1]);
    site.add("ADMIN1", Role::Admin, &[]);
    let session = site.account("KIM1");
    enrol(&session, site.clock.now());
    let reset = |client: &Client, member: lockerd::domain::id::MemberId, reason: &str| {
        let path = format!("/api/v1/members/{member}/totp");
        let body = json!({ "reason": reason }).to_string();
        client.call("DELETE", &path, &["Content-Type: application/json"], &body)
    };
    reset(&session, kim, "mine").refused(403, "forbidden");
    let desk = site.account("STAFF1");
    reset(&desk, kim, " ").refused(422, "invalid");
    reset(&desk, staff, "mine").refused(403, "forbidden");
    reset(&desk, lockerd::domain::id::MemberId(999), "x").refused(404, "member_not_found");
    reset(&desk, kim, "phone lost").expect(204);
    session.get("/api/v1/auth/me").refused(401, "session_ended");
    reset(&desk, kim, "again").refused(409, "totp_not_enrolled");
    site.account("KIM1");
    enrol(&site.account("STAFF2"), site.clock.now());
    let other =
        site.sql().query_row("SELECT id FROM member WHERE student_id = 'STAFF2'", [], |row| {
            row.get(0).map(lockerd::domain::id::MemberId)
        });
    reset(&site.account("ADMIN1"), other.expect("there"), "phone lost").expect(204);
    let sql = "SELECT detail FROM audit WHERE action = 'totp.reset' ORDER BY id LIMIT 1";
    let detail: String = site.sql().query_row(sql, [], |row| row.get(0)).expect("a row");
    assert_eq!(detail, r#"{"reason":"phone lost"}"#);
    site.demand_clean();
}

#[test]
fn a_ticket_dies_and_none_can_be_made_or_changed() {
    let site = site("");
    site.add("KIM1", Role::Student, &[]);
    let (app, _) = enrol(&site.account("KIM1"), site.clock.now());
    let ticket = ticket(&site, "KIM1");
    for at in [0, ticket.len() / 2, ticket.len() - 1] {
        let mut changed = ticket.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("text");
        second_step(&site, &changed, &app.code(&site)).refused(401, "bad_credentials");
    }
    second_step(&site, "", &app.code(&site)).refused(401, "bad_credentials");
    site.pass(5 * 60_000);
    second_step(&site, &ticket, &app.code(&site)).refused(410, "code_expired");
}

#[test]
fn a_roster_log_in_is_asked_for_the_code_as_well() {
    let site = site("[auth]\nroster_login = 'full'\nregistration = 'open'\n");
    let (app, _) = enrol(&site.student(0), site.clock.now());
    let mut triple = crate::support::site::student(0);
    for path in ["/api/v1/auth/login", "/api/v1/auth/login-or-register"] {
        site.nobody().post_json(path, &triple).refused(401, "second_factor_needed");
        triple["totp_code"] = app.next_code(&site).into();
        site.nobody().post_json(path, &triple).expect(200);
        triple.as_object_mut().expect("an object").remove("totp_code");
    }
}

#[test]
fn the_database_alone_gives_no_code() {
    let site = site("");
    site.add("KIM1", Role::Student, &[]);
    let kim = site.account("KIM1");
    let made = kim.post(TOTP).expect(201).json();
    let app = Authenticator::of(&made);
    let code = json!({ "code": app.code(&site) });
    let codes = kim.post_json("/api/v1/auth/totp/confirm", &code).expect(200).json();
    let base32 = made["secret_base32"].as_str().expect("text");
    let secret = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).expect("base32");
    let recovery = codes["recovery_codes"][0].as_str().expect("text").replace('-', "");
    site.sql().execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("folded in");
    let bytes = std::fs::read(site.sql().path().expect("a file")).expect("readable");
    for secret in [secret.as_slice(), base32.as_bytes(), recovery.as_bytes()] {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
    // Nor does a row that was moved to somebody else.
    let other = site.add("LEE1", Role::Student, &[]);
    site.sql().execute("UPDATE totp SET member_id = ?1", [other.0]).expect("moved");
    let mut all = credentials("LEE1");
    all["totp_code"] = app.next_code(&site).into();
    site.nobody().post_json("/api/v1/auth/login", &all).refused(500, "internal");
}

#[test]
fn codes_of_an_app_wait_while_nobody_knows_the_time_and_recovery_codes_do_not() {
    let site = site("");
    site.add("KIM1", Role::Student, &[]);
    let (app, recovery) = enrol(&site.account("KIM1"), site.clock.now());
    site.clock.distrust();
    let ticket = ticket(&site, "KIM1");
    second_step(&site, &ticket, &app.next_code(&site)).refused(409, "clock_untrusted");
    second_step(&site, &ticket, &recovery[0]).expect(200);
}
