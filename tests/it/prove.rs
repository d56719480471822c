//! Showing once more who one is before dangerous acts.

use lockerd::domain::member::Role;
use serde_json::json;

use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};
use crate::support::people::enrol;
use crate::support::site::PASSWORD;

/// How long a log-in or a proof counts.
const PROVEN_MS: u64 = 10 * 60 * 1_000;

const PROVE: &str = "/api/v1/auth/prove";

fn site() -> Inside {
    let site = Inside::start(101..=103, 1, open_now);
    site.add("STAFF01", Role::Staff, &[1]);
    site
}

#[track_caller]
fn order(client: &Client, key: &str) -> crate::support::http::Reply {
    let key = format!("Idempotency-Key: {key}");
    let body = json!({ "locker_ids": [101, 102], "reason": "소방 훈련" }).to_string();
    let headers = ["Content-Type: application/json", key.as_str()];
    client.call("POST", "/api/v1/mass-openings", &headers, &body)
}

#[track_caller]
fn until_ended(site: &Inside) {
    crate::support::until("it has ended", || {
        let running = "SELECT count(*) FROM mass_opening WHERE ended_ms IS NULL";
        (site.number(running) == 0).then_some(())
    });
}

#[test]
fn a_log_in_counts_for_ten_minutes_and_then_the_password_is_asked_for() {
    let site = site();
    let staff = site.account("STAFF01");
    order(&staff, "first").expect(202);
    until_ended(&site);

    site.pass(PROVEN_MS + 1);
    let refused = order(&staff, "second");
    assert_eq!(refused.refused(403, "proof_needed")["second_factor"], false);
    // What was begun is answered as before, whatever the time is by now.
    order(&staff, "first").expect(202);
    assert_eq!(site.number("SELECT count(*) FROM mass_opening"), 1, "nothing more was begun");
    // Who may not has nothing to prove.
    order(&site.student(0), "third").refused(403, "forbidden");

    staff.post_json(PROVE, &json!({ "password": "another one" })).refused(401, "bad_credentials");
    order(&staff, "second").refused(403, "proof_needed");
    // A miss makes the next one wait, as at a log-in.
    let hurry = staff.post_json(PROVE, &json!({ "password": PASSWORD }));
    hurry.refused(429, "too_many_attempts");
    site.pass(1_000);
    staff.post_json(PROVE, &json!({})).refused(403, "password_needed");
    let proven = staff.post_json(PROVE, &json!({ "password": PASSWORD })).expect(200).json();
    assert_eq!(proven["expires_in"], 600);
    // The same key, refused before, is the order now.
    order(&staff, "second").expect(202);
    until_ended(&site);
    site.pass(PROVEN_MS + 1);
    order(&staff, "fourth").refused(403, "proof_needed");
    let told = "SELECT count(*) FROM audit WHERE action = 'session.prove'
                  AND json_extract(detail, '$.how') = 'password' AND actor_id IS NOT NULL";
    assert_eq!(site.number(told), 1);
    site.demand_clean();
}

#[test]
fn a_proof_is_of_one_log_in_and_new_tokens_do_not_renew_it() {
    let site = site();
    let credentials = json!({ "id": "STAFF01", "password": PASSWORD });
    let tokens = site.nobody().post_json("/api/v1/auth/login", &credentials).expect(200).json();
    let here = site.nobody().with_token(tokens["access_token"].as_str().expect("a token"));
    let there = site.account("STAFF01");
    site.pass(PROVEN_MS + 1);
    there.post_json(PROVE, &json!({ "password": PASSWORD })).expect(200);
    order(&here, "here").refused(403, "proof_needed");
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    let next = site.nobody().post_json("/api/v1/auth/refresh", &refresh).expect(200).json();
    let here = site.nobody().with_token(next["access_token"].as_str().expect("a token"));
    order(&here, "here").refused(403, "proof_needed");
    order(&there, "there").expect(202);
    until_ended(&site);
    there.post("/api/v1/auth/logout").expect(204);
    there.post_json(PROVE, &json!({ "password": PASSWORD })).refused(401, "session_ended");
}

#[test]
fn a_code_of_the_app_proves_as_well_and_wrong_passwords_make_wait() {
    let site = site();
    let (app, _) = enrol(&site.account("STAFF01"), site.clock.now());
    let mut credentials = json!({ "id": "STAFF01", "password": PASSWORD });
    credentials["totp_code"] = app.next_code(&site).into();
    let staff = site.nobody().log_in(&credentials);
    site.pass(PROVEN_MS + 1);
    let refused = order(&staff, "one");
    assert_eq!(refused.refused(403, "proof_needed")["second_factor"], true);
    staff.post_json(PROVE, &json!({ "code": "000000" })).refused(422, "code_wrong");
    order(&staff, "one").refused(403, "proof_needed");
    staff.post_json(PROVE, &json!({ "code": app.next_code(&site) })).expect(200);
    order(&staff, "one").expect(202);
    until_ended(&site);

    let wrong = json!({ "password": "another one" });
    let tries = (0..20).map(|_| staff.post_json(PROVE, &wrong)).find(|reply| reply.status == 429);
    tries.expect("guesses are made to wait").refused(429, "too_many_attempts");
}
