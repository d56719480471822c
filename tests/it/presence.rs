//! Banks that open only to who stands before them: the code on the kiosk's screen, once for each
//! member within its step; signing in there; and what stays as it is.

use lockerd::domain::bank::OpenFrom;
use lockerd::domain::member::Role;
use lockerd::domain::returning::{ReturnPolicy, Unseen};
use serde_json::{Value, json};

use crate::support::http::{Client, at_once};
use crate::support::inside::{Inside, open_now};
use crate::support::people::{Kiosk, STEP_MS, enrol, open_with, second_bank, wire};
use crate::support::site::student_id;

/// Members who open at once.
const CROWD: usize = 100;

const FULL: &str = "[auth]\nroster_login = 'full'\n";

/// Two banks that open in presence only, each with a kiosk; every locker wired.
struct Hall {
    site: Inside,
    admin: Client,
    kiosk: Kiosk,
    other_kiosk: Kiosk,
}

impl Hall {
    fn open(settings: &str, students: usize) -> Self {
        let plan = |now| open_now(now) + &second_bank(201..=203);
        let last = 100 + i64::try_from(students.clamp(3, CROWD)).expect("small");
        let site = Inside::configured(settings, 101..=last, students, plan);
        site.add("ADMIN1", Role::Admin, &[]);
        site.add("STAFF1", Role::Staff, &[1]);
        let admin = site.account("ADMIN1");
        wire(&site);
        for bank in [1, 2] {
            open_from(&admin, bank, "presence");
        }
        let kiosk = Kiosk::pair(&admin, "하나", &[1]);
        let other_kiosk = Kiosk::pair(&admin, "둘", &[2]);
        Self { site, admin, kiosk, other_kiosk }
    }

    /// The n-th student with a locker of the first bank.
    #[track_caller]
    fn renter(&self, n: usize) -> (Client, i64) {
        let (client, locker) = (self.site.student(n), 101 + i64::try_from(n).expect("small"));
        client.rent(locker);
        (client, locker)
    }
}

/// Waits until nothing of a locker is under way.
#[track_caller]
fn settled(client: &Client, opened: &Value) {
    let outcome = client.outcome(opened["operation_id"].as_str().expect("an id"));
    assert_eq!(outcome["outcome"], "unreachable", "{outcome}");
}

#[track_caller]
fn open_from(admin: &Client, bank: i64, from: &str) {
    let body = json!({ "open_from": from }).to_string();
    let line = ["Content-Type: application/json"];
    let path = format!("/api/v1/banks/{bank}/opening");
    admin.call("PUT", &path, &line, &body).expect(200);
}

#[test]
fn a_bank_in_presence_opens_with_the_code_on_its_screen_and_not_without() {
    let hall = Hall::open(FULL, 3);
    let (renter, locker) = hall.renter(0);
    let summary = renter.get("/api/v1/lockers/summary").expect(200).json();
    assert_eq!(summary["locations"][0]["banks"][0]["open_from"], "presence");
    let needed = renter.locker(locker, "open").refused(403, "presence_needed");
    assert_eq!(needed["bank_id"], 1);
    let line = ["Content-Type: application/json"];
    let path = format!("/api/v1/lockers/{locker}/open");
    renter.call("POST", &path, &line, "{}").refused(403, "presence_needed");
    renter.call("POST", &path, &line, r#"{"code":"1"}"#).refused(400, "bad_json");
    let code = hall.kiosk.code(1);
    let opened = open_with(&renter, locker, &format!(" {} {} ", &code[..3], &code[3..]));
    settled(&renter, &opened.expect(202).json());
    let used = open_with(&renter, locker, &code);
    let used = used.refused(409, "presence_used");
    assert_eq!(used["retry_after_ms"], 30_000, "{used}");
    hall.site.pass(STEP_MS);
    let opened = open_with(&renter, locker, &hall.kiosk.code(1)).expect(202).json();
    settled(&renter, &opened);
    open_from(&hall.admin, 1, "anywhere");
    renter.locker(locker, "open").expect(202);
    hall.site.demand_clean();
}

#[test]
fn a_closed_bank_opens_with_no_code_and_uses_none_up() {
    let hall = Hall::open(FULL, 3);
    let (renter, locker) = hall.renter(0);
    let policy = |hours: Value| {
        let settings = json!({
            "hold_seconds": 60, "open_from": "presence", "hours": hours, "closings": [],
        });
        let line = ["Content-Type: application/json"];
        let path = "/api/v1/banks/1/policy";
        hall.admin.call("PUT", path, &line, &settings.to_string()).expect(200);
    };
    policy(json!({ "sun": ["09:00-10:00"] }));
    let code = hall.kiosk.code(1);
    open_with(&renter, locker, &code).refused(403, "bank_closed");
    renter.locker(locker, "open").refused(403, "bank_closed");
    policy(Value::Null);
    open_with(&renter, locker, &code).expect(202);
}

#[test]
fn a_code_is_good_at_its_own_bank_and_for_its_step_and_the_next() {
    let hall = Hall::open(FULL, 3);
    let (renter, locker) = hall.renter(0);
    let wrong = open_with(&renter, locker, &hall.other_kiosk.code(2));
    let wrong = wrong.refused(403, "presence_wrong");
    assert_eq!((&wrong["tries_left"], &wrong["bank_id"]), (&99.into(), &1.into()));
    hall.site.pass(1_000);
    let code = hall.kiosk.code(1);
    hall.site.pass(STEP_MS);
    settled(&renter, &open_with(&renter, locker, &code).expect(202).json());
    let code = hall.kiosk.code(1);
    hall.site.pass(2 * STEP_MS);
    open_with(&renter, locker, &code).refused(403, "presence_wrong");
    hall.site.pass(1_000);
    // A new key makes every code shown before worthless.
    let code = hall.kiosk.code(1);
    hall.site.account("STAFF1").post("/api/v1/banks/1/presence-key").refused(403, "forbidden");
    hall.admin.post("/api/v1/banks/1/presence-key").expect(204);
    open_with(&renter, locker, &code).refused(403, "presence_wrong");
    hall.site.pass(3_000);
    open_with(&renter, locker, &hall.kiosk.code(1)).expect(202);
}

#[test]
fn wrong_codes_make_the_next_one_wait_also_a_right_one() {
    let hall = Hall::open(FULL, 3);
    let (renter, locker) = hall.renter(0);
    for wait_ms in [1_000, 3_000, 5_000, 10_000] {
        open_with(&renter, locker, "000000").refused(403, "presence_wrong");
        let held = open_with(&renter, locker, &hall.kiosk.code(1));
        assert_eq!(held.refused(429, "too_many_attempts")["retry_after_ms"], wait_ms);
        hall.site.pass(wait_ms);
    }
    open_with(&renter, locker, &hall.kiosk.code(1)).expect(202);
    let sql = "SELECT count(*) FROM throttle WHERE kind = 'presence'";
    let left: i64 = hall.site.sql().query_row(sql, [], |row| row.get(0)).expect("readable");
    assert_eq!(left, 0, "a right one forgives");
}

#[test]
fn a_queue_before_one_kiosk_opens_with_one_code() {
    let hall = Hall::open(FULL, CROWD);
    let renters: Vec<_> = (0..CROWD).map(|n| hall.renter(n)).collect();
    let code = json!({ "presence_code": hall.kiosk.code(1) }).to_string();
    let request = |(client, locker): &(Client, i64)| {
        client.request(
            "POST",
            &format!("/api/v1/lockers/{locker}/open"),
            &["Content-Type: application/json", "Connection: close"],
            &code,
        )
    };
    let requests: Vec<String> = renters.iter().map(request).collect();
    let replies = at_once(hall.admin.address, requests);
    let good = replies.iter().filter(|reply| reply.status == 202).count();
    assert_eq!(good, CROWD, "{:?}", replies.iter().find(|reply| reply.status != 202));
    let sql = "SELECT count(*) FROM presence_use";
    let uses: i64 = hall.site.sql().query_row(sql, [], |row| row.get(0)).expect("readable");
    assert_eq!(usize::try_from(uses), Ok(CROWD));
}

#[test]
fn one_member_uses_a_code_once_however_often_it_is_sent() {
    let hall = Hall::open(FULL, 3);
    let renter = hall.renter(0);
    let code = json!({ "presence_code": hall.kiosk.code(1) }).to_string();
    let request = renter.0.request(
        "POST",
        &format!("/api/v1/lockers/{}/open", renter.1),
        &["Content-Type: application/json", "Connection: close"],
        &code,
    );
    let replies = at_once(renter.0.address, vec![request; CROWD]);
    assert_eq!(replies.iter().filter(|reply| reply.status == 202).count(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 202) {
        let code = reply.code();
        // After thirty refusals the account is asked to wait.
        let fair = ["presence_used", "opening_under_way", "too_many_requests"];
        assert!(fair.contains(&code.as_str()), "{}", reply.text());
    }
    let sql = "SELECT count(*) FROM opening";
    let openings: i64 = hall.site.sql().query_row(sql, [], |row| row.get(0)).expect("readable");
    assert_eq!(openings, 1);
}

#[test]
fn a_repeat_with_its_key_is_the_same_opening_whatever_code_it_carries() {
    let hall = Hall::open(FULL, 3);
    let (renter, locker) = hall.renter(0);
    let path = format!("/api/v1/lockers/{locker}/open");
    let send = |code: &str| {
        let lines = ["Content-Type: application/json", "Idempotency-Key: one"];
        renter.call("POST", &path, &lines, &json!({ "presence_code": code }).to_string())
    };
    send("000000").refused(403, "presence_wrong");
    hall.site.pass(1_000);
    let code = hall.kiosk.code(1);
    let first = send(&code).expect(202).json();
    for code in [code.as_str(), "000000"] {
        let repeat = send(code).expect(202);
        assert_eq!(repeat.header("idempotency-replayed"), Some("true"));
        assert_eq!(repeat.json(), first);
    }
}

#[test]
fn staff_and_who_is_signed_in_at_the_kiosk_need_no_code() {
    let hall = Hall::open(FULL, 3);
    let (renter, locker) = hall.renter(0);
    let opened = hall.site.account("STAFF1").locker(locker, "open").expect(202).json();
    settled(&hall.admin, &opened);
    let (app, _) = enrol(&renter, hall.site.clock.now());
    let code = app.next_code(&hall.site);
    let there = hall.kiosk.sign_in(&student_id(0), &code);
    settled(&there, &there.locker(locker, "open").expect(202).json());
    let there = hall.other_kiosk.sign_in(&student_id(0), &app.next_code(&hall.site));
    there.locker(locker, "open").refused(403, "not_at_kiosk");
    // Opening many is for staff and asks for no code.
    let order = json!({ "bank_id": 1, "reason": "fire drill" });
    let begun = hall.admin.post_json("/api/v1/mass-openings", &order);
    assert_eq!(begun.status, 202, "{}", begun.text());
}

#[test]
fn a_name_and_a_phone_number_open_where_their_owner_is_seen_to_stand() {
    let hall = Hall::open("[auth]\nroster_login = 'claim'\n", 3);
    let (renter, locker) = hall.renter(0);
    for bank_rule in ["presence", "anywhere"] {
        open_from(&hall.admin, 1, bank_rule);
        hall.site.pass(STEP_MS);
        let refused = renter.locker(locker, "open");
        let code = if bank_rule == "presence" { "presence_needed" } else { "password_needed" };
        refused.refused(403, code);
        open_with(&renter, locker, "000000").refused(403, "presence_wrong");
        hall.site.pass(1_000);
        let opened = open_with(&renter, locker, &hall.kiosk.code(1)).expect(202).json();
        settled(&renter, &opened);
    }
    let sql = format!("SELECT id FROM member WHERE student_id = '{}'", student_id(0));
    let member: i64 = hall.site.sql().query_row(&sql, [], |row| row.get(0)).expect("there");
    let path = format!("/api/v1/members/{member}/one-time-code");
    let given = hall.admin.post_json(&path, &json!({ "reason": "no app" })).expect(201).json();
    let code = given["code"].as_str().expect("a code");
    let there = hall.kiosk.sign_in(&student_id(0), code);
    there.locker(locker, "open").expect(202);
}

#[test]
fn a_right_code_opens_also_while_the_database_fails_and_only_once() {
    let hall = Hall::open(FULL, 3);
    let (renter, locker) = hall.renter(0);
    let code = hall.kiosk.code(1);
    let tool = hall.site.sql();
    tool.execute_batch("BEGIN EXCLUSIVE").expect("free");
    renter.locker(locker, "release").refused(503, "degraded");
    renter.locker(locker, "open").refused(403, "presence_needed");
    for _ in 0..3 {
        open_with(&renter, locker, "000000").refused(403, "presence_wrong");
    }
    let opened = open_with(&renter, locker, &code).expect(202).json();
    settled(&renter, &opened);
    open_with(&renter, locker, &code).refused(409, "presence_used");
    for _ in 0..7 {
        open_with(&renter, locker, "000000").refused(403, "presence_wrong");
    }
    open_with(&renter, locker, "000000").refused(429, "too_many_attempts");
    tool.execute_batch("ROLLBACK").expect("done");
    crate::support::until("the database is in use again", || {
        hall.site.services.store.degraded().is_none().then_some(())
    });
    hall.site.pass(10 * 60_000);
    hall.site.run(hall.site.services.settle_openings()).expect("settled");
    let opened = open_with(&renter, locker, &hall.kiosk.code(1)).expect(202).json();
    settled(&renter, &opened);
    hall.site.demand_clean();
}

#[test]
fn a_code_used_while_the_database_failed_is_not_good_again_when_it_works() {
    let hall = Hall::open(FULL, 3);
    let (renter, locker) = hall.renter(0);
    let code = hall.kiosk.code(1);
    let tool = hall.site.sql();
    tool.execute_batch("BEGIN EXCLUSIVE").expect("free");
    renter.locker(locker, "release").refused(503, "degraded");
    settled(&renter, &open_with(&renter, locker, &code).expect(202).json());
    tool.execute_batch("ROLLBACK").expect("done");
    crate::support::until("the database is in use again", || {
        hall.site.services.store.degraded().is_none().then_some(())
    });
    open_with(&renter, locker, &code).refused(409, "presence_used");
}

#[test]
fn the_screen_shows_an_address_that_people_can_reach() {
    let hall = Hall::open(FULL, 3);
    let shown = |headers: &[&str]| {
        let credential = format!("Authorization: Kiosk {}", hall.kiosk.credential);
        let mut lines = vec![credential.as_str()];
        lines.extend(headers);
        hall.kiosk.door.call("GET", "/api/v1/kiosk/presence", &lines, "").expect(200).json()
    };
    let here = shown(&[]);
    let bank = &here["banks"][0];
    // The test asks by 127.0.0.1: nobody else's phone can.
    assert_eq!((&bank["url"], &bank["qr_svg"]), (&Value::Null, &Value::Null));
    assert_eq!(bank["valid_until"], "2026-08-24T01:00:30Z");
    assert_eq!(here["banks"].as_array().map(Vec::len), Some(1));
}

#[test]
fn only_an_admin_says_from_where_a_bank_opens() {
    let hall = Hall::open(FULL, 3);
    let line = ["Content-Type: application/json"];
    let put = |who: &Client, bank: i64, from: &str| {
        let body = json!({ "open_from": from }).to_string();
        who.call("PUT", &format!("/api/v1/banks/{bank}/opening"), &line, &body)
    };
    put(&hall.site.account("STAFF1"), 1, "anywhere").refused(403, "forbidden");
    put(&hall.admin, 9, "anywhere").refused(404, "bank_not_found");
    put(&hall.admin, 1, "afar").refused(422, "invalid");
    // A file that does not know of the rule does not open the bank to everywhere.
    let mut file = hall.site.services.export_layout(None).expect("its own");
    assert_eq!(file.locations[0].banks[0].open_from.map(OpenFrom::name), Some("presence"));
    file.locations[0].banks[0].open_from = None;
    hall.site.run(hall.site.services.update_site(file, None, None)).expect("taken");
    let mut file = hall.site.services.export_layout(None).expect("its own");
    assert_eq!(file.locations[0].banks[0].open_from.map(OpenFrom::name), Some("presence"));
    // Nor does it say when a returned locker is free.
    let bank = &mut file.locations[0].banks[0];
    let kept = ReturnPolicy { grace_minutes: 25, unseen: Unseen::Staff, by_door: true };
    bank.returns = Some(kept);
    let said = bank.clone();
    hall.site.run(hall.site.services.update_site(file.clone(), None, None)).expect("taken");
    let bank = &mut file.locations[0].banks[0];
    bank.returns = None;
    hall.site.run(hall.site.services.update_site(file, None, None)).expect("taken");
    let file = hall.site.services.export_layout(None).expect("its own");
    assert_eq!(file.locations[0].banks[0], said);
}
