//! Kiosks: paired by staff, good for their banks, revoked at once; members who sign in there for a
//! moment and can do little.

use lockerd::domain::member::Role;
use lockerd::http::access::{Access, ROUTES};
use serde_json::{Value, json};

use crate::routes::concrete;
use crate::support::boards::{Boards, bus_toml, modbus_toml};
use crate::support::http::{Client, at_once};
use crate::support::inside::{Inside, open_now};
use crate::support::people::{Authenticator, Kiosk, enrol, open_with, second_bank, wire};
use crate::support::site::{Plan, Site, student_id};
use crate::support::until;
use lockerd::sim::{SimBoard, SimBus};

/// What a sign-in at a kiosk may ask for.
const AT_KIOSK_TOO: [&str; 23] = [
    "POST /api/v1/auth/logout",
    "GET /api/v1/auth/me",
    "GET /api/v1/lockers",
    "GET /api/v1/lockers/summary",
    "GET /api/v1/lockers/me",
    "POST /api/v1/lockers/{locker_id}/hold",
    "POST /api/v1/lockers/{locker_id}/confirm",
    "POST /api/v1/lockers/{locker_id}/release-hold",
    "POST /api/v1/lockers/{locker_id}/extend-hold",
    "POST /api/v1/lockers/{locker_id}/extend",
    "POST /api/v1/lockers/{locker_id}/release",
    "POST /api/v1/lockers/{locker_id}/open",
    "GET /api/v1/openings/{operation_id}",
    "GET /api/v1/operations/{key}",
    "POST /api/v1/help",
    "POST /api/v1/alarms/{alarm_id}/it-was-me",
    "GET /api/v1/me/alarms",
    "GET /api/v1/banks/{bank_id}/calendar",
    "POST /api/v1/banks/{bank_id}/reservations",
    "GET /api/v1/reservations/me",
    "DELETE /api/v1/reservations/{reservation_id}",
    "POST /api/v1/reservations/{reservation_id}/check-in",
    "POST /api/v1/reservations/{reservation_id}/replace",
];

/// Two banks (101 to 103, 201 to 203), staff of each, an admin, three students.
struct Hall {
    site: Inside,
    staff: Client,
    admin: Client,
}

impl Hall {
    fn open() -> Self {
        Self::configured("")
    }

    fn configured(settings: &str) -> Self {
        let plan = |now| open_now(now) + &second_bank(201..=203);
        let settings = format!("[auth]\nroster_login = 'full'\n{settings}");
        let site = Inside::configured(&settings, 101..=103, 3, plan);
        site.add("STAFF1", Role::Staff, &[1]);
        site.add("STAFF2", Role::Staff, &[2]);
        site.add("ADMIN1", Role::Admin, &[]);
        let (staff, admin) = (site.account("STAFF1"), site.account("ADMIN1"));
        Self { site, staff, admin }
    }

    /// A student with an app; the code is that of the next step.
    #[track_caller]
    fn enrolled(&self, n: usize) -> Authenticator {
        enrol(&self.site.student(n), self.site.clock.now()).0
    }
}

/// What staff see of a kiosk.
#[track_caller]
fn seen(who: &Client, kiosk: i64) -> Value {
    let list = who.get("/api/v1/kiosks").expect(200).json();
    let rows = list["kiosks"].as_array().expect("rows");
    rows.iter().find(|row| row["kiosk_id"] == kiosk).expect("the kiosk").clone()
}

#[test]
fn staff_pair_kiosks_of_their_banks_and_see_how_they_are() {
    let hall = Hall::open();
    let wish = |banks: &[i64]| json!({ "name": "로비", "bank_ids": banks });
    hall.staff.post_json("/api/v1/kiosks", &wish(&[2])).refused(403, "forbidden");
    hall.staff.post_json("/api/v1/kiosks", &wish(&[9])).refused(404, "bank_not_found");
    hall.staff.post_json("/api/v1/kiosks", &wish(&[])).refused(422, "invalid");
    let made = hall.staff.post_json("/api/v1/kiosks", &wish(&[1])).expect(201);
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let made = made.json();
    assert_eq!(made["expires_in"], 15 * 60);
    hall.staff.post_json("/api/v1/kiosks", &wish(&[1])).refused(409, "name_taken");
    let id = made["kiosk_id"].as_i64().expect("a number");
    let row = seen(&hall.staff, id);
    assert_eq!((&row["paired_at"], &row["silent"]), (&Value::Null, &false.into()));

    let shouted = made["pairing_code"].as_str().expect("a code").to_uppercase();
    let code = json!({ "code": format!("{} {}", &shouted[..4], &shouted[4..]) });
    let paired = hall.site.nobody().post_json("/api/v1/kiosk/pair", &code).expect(200).json();
    hall.site.nobody().post_json("/api/v1/kiosk/pair", &code).refused(422, "code_wrong");
    let credential = paired["credential"].as_str().expect("a credential").to_owned();
    let kiosk = Kiosk { id, credential, door: hall.site.nobody() };
    let itself = kiosk.call("GET", "/api/v1/kiosk", "").expect(200).json();
    assert_eq!((&itself["name"], &itself["banks"][0]["bank_id"]), (&"로비".into(), &1.into()));
    assert_eq!(
        (&itself["banks"][0]["free"], itself["banks"].as_array().map(Vec::len)),
        (&3.into(), Some(1))
    );
    kiosk.call("POST", "/api/v1/kiosk/heartbeat", r#"{"version":"1.2"}"#).expect(204);
    let row = seen(&hall.staff, id);
    assert_eq!((&row["version"], &row["address"]), (&"1.2".into(), &"127.0.0.1".into()));
    hall.site.pass(61_000);
    assert_eq!(seen(&hall.staff, id)["silent"], true);
    kiosk.call("GET", "/api/v1/kiosk", "").expect(200);
    let row = seen(&hall.staff, id);
    assert_eq!((&row["silent"], &row["version"]), (&false.into(), &"1.2".into()));
    assert_eq!(hall.site.run(hall.site.services.note_kiosks()).expect("stored"), 1);
    let sql = "SELECT version FROM kiosk WHERE seen_ms IS NOT NULL";
    let kept: String = hall.site.sql().query_row(sql, [], |row| row.get(0)).expect("a row");
    assert_eq!(kept, "1.2");

    let other = hall.site.account("STAFF2");
    let list = other.get("/api/v1/kiosks").expect(200).json();
    assert_eq!(list["kiosks"], json!([]));
    let path = format!("/api/v1/kiosks/{id}");
    other.call("DELETE", &path, &[], "").refused(404, "kiosk_not_found");
    hall.site.demand_clean();
}

#[test]
fn a_kiosk_of_several_banks_is_managed_by_who_has_them_all() {
    let hall = Hall::open();
    let kiosk = Kiosk::pair(&hall.admin, "로비", &[1, 2]);
    let path = format!("/api/v1/kiosks/{}", kiosk.id);
    seen(&hall.staff, kiosk.id);
    hall.staff.call("DELETE", &path, &[], "").refused(403, "forbidden");
    hall.staff.post(&format!("{path}/pairing-code")).refused(403, "forbidden");
    hall.staff.call("DELETE", &format!("{path}/session"), &[], "").expect(204);
    let json_line = ["Content-Type: application/json"];
    let change = json!({ "name": "현관", "bank_ids": [1] }).to_string();
    hall.staff.call("PATCH", &path, &json_line, &change).refused(403, "forbidden");
    let changed = hall.admin.call("PATCH", &path, &json_line, &change).expect(200).json();
    assert_eq!((&changed["name"], &changed["bank_ids"]), (&"현관".into(), &json!([1])));
    let itself = kiosk.call("GET", "/api/v1/kiosk", "").expect(200).json();
    assert_eq!(itself["banks"].as_array().map(Vec::len), Some(1));
    hall.staff.post(&format!("{path}/pairing-code")).expect(201);
    let pages: Vec<i64> = {
        Kiosk::pair(&hall.admin, "둘", &[1]);
        let taken = json!({ "name": "둘", "bank_ids": [1] }).to_string();
        hall.admin.call("PATCH", &path, &json_line, &taken).refused(409, "name_taken");
        Kiosk::pair(&hall.admin, "셋", &[2]);
        let first = hall.admin.get("/api/v1/kiosks?limit=2").expect(200).json();
        let cursor = first["next_cursor"].as_str().expect("another page").to_owned();
        let next = hall.admin.get(&format!("/api/v1/kiosks?limit=2&cursor={cursor}"));
        let next = next.expect(200).json();
        assert_eq!(next["next_cursor"], Value::Null);
        let rows = [&first, &next].into_iter().filter_map(|page| page["kiosks"].as_array());
        rows.flatten().filter_map(|row| row["kiosk_id"].as_i64()).collect()
    };
    assert_eq!(pages, [1, 2, 3]);
    hall.admin.get("/api/v1/kiosks?limit=0").refused(422, "invalid");
}

#[test]
fn a_pairing_code_is_good_once_for_a_quarter_of_an_hour() {
    let hall = Hall::open();
    let wish = json!({ "name": "로비", "bank_ids": [1] });
    let made = hall.staff.post_json("/api/v1/kiosks", &wish).expect(201).json();
    hall.site.pass(15 * 60_000);
    let code = json!({ "code": made["pairing_code"] });
    hall.site.nobody().post_json("/api/v1/kiosk/pair", &code).refused(410, "code_expired");
    let path = format!("/api/v1/kiosks/{}/pairing-code", made["kiosk_id"]);
    let again = hall.staff.post(&path).expect(201).json();
    let request = hall.site.nobody().request(
        "POST",
        "/api/v1/kiosk/pair",
        &["Content-Type: application/json", "Connection: close"],
        &json!({ "code": again["pairing_code"] }).to_string(),
    );
    let replies = at_once(hall.site.nobody().address, vec![request; 100]);
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().all(|reply| [200, 422].contains(&reply.status)), "{replies:?}");
}

#[test]
fn wrong_pairing_codes_are_limited_by_address() {
    let settings = "[limits]\naddress_failures = 20\n";
    let site = Inside::configured(settings, 101..=101, 0, open_now);
    let wrong = json!({ "code": "aaaa-aaaa" });
    for _ in 0..20 {
        site.nobody().post_json("/api/v1/kiosk/pair", &wrong).refused(422, "code_wrong");
    }
    let refused = site.nobody().post_json("/api/v1/kiosk/pair", &wrong);
    refused.refused(429, "too_many_attempts");
    assert!(refused.header("retry-after").is_some());
}

#[test]
fn a_new_device_locks_the_old_one_out_and_a_revoked_kiosk_is_dead_at_once() {
    let hall = Hall::open();
    let app = hall.enrolled(0);
    let kiosk = Kiosk::pair(&hall.staff, "로비", &[1]);
    let path = format!("/api/v1/kiosks/{}", kiosk.id);
    let again = hall.staff.post(&format!("{path}/pairing-code")).expect(201).json();
    kiosk.call("GET", "/api/v1/kiosk", "").expect(200);
    let member = kiosk.sign_in(&student_id(0), &app.next_code(&hall.site));
    let code = json!({ "code": again["pairing_code"] });
    let paired = hall.site.nobody().post_json("/api/v1/kiosk/pair", &code).expect(200).json();
    kiosk.call("GET", "/api/v1/kiosk", "").refused(401, "kiosk_unknown");
    member.get("/api/v1/lockers/me").refused(401, "session_ended");
    let credential = paired["credential"].as_str().expect("a credential").to_owned();
    let kiosk = Kiosk { credential, ..kiosk };
    let member = kiosk.sign_in(&student_id(0), &app.next_code(&hall.site));
    for at in [0, kiosk.credential.len() / 2, kiosk.credential.len() - 2] {
        let mut changed = kiosk.credential.clone().into_bytes();
        changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
        let credential = String::from_utf8(changed).expect("text");
        let changed = Kiosk { credential, ..kiosk.clone() };
        changed.call("GET", "/api/v1/kiosk", "").refused(401, "kiosk_unknown");
    }
    hall.staff.call("DELETE", &path, &[], "").expect(204);
    kiosk.call("GET", "/api/v1/kiosk/presence", "").refused(401, "kiosk_unknown");
    member.get("/api/v1/lockers/me").refused(401, "session_ended");
    hall.staff.call("DELETE", &path, &[], "").refused(404, "kiosk_not_found");
    Kiosk::pair(&hall.staff, "로비", &[1]);
}

#[test]
fn a_browser_keeps_its_credential_in_a_cookie_that_only_its_own_page_can_use() {
    let hall = Hall::open();
    let door = hall.site.nobody();
    let own = format!("Origin: http://{}", door.address);
    let wish = json!({ "name": "로비", "bank_ids": [1] });
    let made = hall.staff.post_json("/api/v1/kiosks", &wish).expect(201).json();
    let code = json!({ "code": made["pairing_code"] }).to_string();
    let kind = "Content-Type: application/json";
    let foreign = [kind, "X-Lockerd: 1", "Origin: http://evil.example"];
    door.call("POST", "/api/v1/kiosk/pair", &foreign, &code).refused(403, "foreign_origin");
    let mine = [kind, "X-Lockerd: 1", &own];
    let paired = door.call("POST", "/api/v1/kiosk/pair", &mine, &code).expect(200);
    assert_eq!(paired.json().get("credential"), None);
    let cookie = paired.header("set-cookie").expect("a cookie");
    for part in ["lockerd_kiosk=", "HttpOnly", "SameSite=Strict", "Path=/api/v1;"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = format!("Cookie: {}", cookie.split(';').next().expect("a pair"));
    let beat = ("/api/v1/kiosk/heartbeat", r#"{"version":"1"}"#);
    door.call("GET", "/api/v1/kiosk", &[&cookie, "X-Lockerd: 1"], "").expect(200);
    door.call("GET", "/api/v1/kiosk", &[&cookie], "").refused(401, "kiosk_unknown");
    let cross = [cookie.as_str(), "X-Lockerd: 1", "Sec-Fetch-Site: same-site"];
    door.call("GET", "/api/v1/kiosk", &cross, "").refused(401, "kiosk_unknown");
    let evil = [cookie.as_str(), "X-Lockerd: 1", "Origin: http://evil.example"];
    door.call("GET", "/api/v1/kiosk", &evil, "").refused(403, "foreign_origin");
    door.call("POST", beat.0, &[&cookie, kind, "X-Lockerd: 1", &own], beat.1).expect(204);
    let silent = [cookie.as_str(), kind, "X-Lockerd: 1"];
    door.call("POST", beat.0, &silent, beat.1).refused(403, "foreign_origin");
    door.call("POST", beat.0, &[&cookie, kind], beat.1).refused(401, "kiosk_unknown");
}

#[test]
fn who_signs_in_at_a_kiosk_can_do_what_is_meant_for_kiosks_and_nothing_else() {
    let hall = Hall::open();
    let (boss, _) = enrol(&hall.admin, hall.site.clock.now());
    let kiosk = Kiosk::pair(&hall.staff, "로비", &[1]);
    let member = kiosk.sign_in("ADMIN1", &boss.next_code(&hall.site));
    let me = member.get("/api/v1/auth/me").expect(200).json();
    assert_eq!((&me["method"], &me["student_id"]), (&"kiosk".into(), &"ADMIN1".into()));
    let mut allowed = Vec::new();
    for route in ROUTES {
        let name = format!("{} {}", route.method, route.path);
        if matches!(route.access, Access::Public | Access::Kiosk) || name.ends_with("/logout") {
            continue;
        }
        let json_line = ["Content-Type: application/json"];
        let reply = member.call(route.method, &concrete(route.path), &json_line, "{}");
        if reply.code() != "not_at_kiosk" || name.ends_with("/{locker_id}/open") {
            assert!(!matches!(reply.status, 401 | 405 | 500..), "{name}: {reply:?}");
            allowed.push(name);
        } else {
            reply.refused(403, "not_at_kiosk");
        }
    }
    allowed.push("POST /api/v1/auth/logout".to_owned());
    let mut wanted = AT_KIOSK_TOO.map(str::to_owned);
    allowed.sort();
    wanted.sort();
    assert_eq!(allowed, wanted);
    // No rights of staff, whoever it is.
    member.locker(102, "open").refused(404, "not_your_locker");
    member.post("/api/v1/auth/logout").expect(204);
    member.get("/api/v1/lockers/me").refused(401, "session_ended");
    assert_eq!(seen(&hall.staff, kiosk.id)["signed_in"], Value::Null);
}

#[test]
fn a_sign_in_opens_and_claims_at_its_kiosks_banks_only() {
    let hall = Hall::open();
    wire(&hall.site);
    let app = hall.enrolled(0);
    let (here, there) =
        (Kiosk::pair(&hall.admin, "여기", &[1]), Kiosk::pair(&hall.admin, "저기", &[2]));
    let member = there.sign_in(&student_id(0), &app.next_code(&hall.site));
    member.locker(101, "hold").refused(403, "not_at_kiosk");
    let phone = hall.site.student(1);
    phone.rent(101);
    let app_of_other = enrol(&phone, hall.site.clock.now()).0;
    member.post("/api/v1/auth/logout").expect(204);
    let elsewhere = there.sign_in(&student_id(1), &app_of_other.next_code(&hall.site));
    let refused = elsewhere.locker(101, "open").refused(403, "not_at_kiosk");
    assert_eq!(refused["bank_id"], 1);
    let right = here.sign_in(&student_id(1), &app_of_other.next_code(&hall.site));
    right.locker(101, "open").expect(202);
    let member = here.sign_in(&student_id(0), &app.next_code(&hall.site));
    member.locker(102, "hold").expect(201);
    member.locker(102, "confirm").expect(200);
    assert_eq!(member.mine()["locker_id"], 102);
    let waits = member.locker(102, "release").expect(200).json();
    assert_eq!(waits["waits_for"], "confirmation", "{waits}");
    assert_eq!(member.mine()["state"], "returned");
    member.give_back(102);
    member.locker(102, "replace").refused(403, "not_at_kiosk");
    // A kiosk that is moved takes its sign-ins with it.
    let path = format!("/api/v1/kiosks/{}", here.id);
    let json_line = ["Content-Type: application/json"];
    hall.admin.call("PATCH", &path, &json_line, r#"{"bank_ids":[2]}"#).expect(200);
    member.locker(102, "hold").refused(403, "not_at_kiosk");
}

#[test]
fn a_sign_in_ends_without_a_touch_and_at_last_in_any_case() {
    let hall = Hall::open();
    let app = hall.enrolled(0);
    let kiosk = Kiosk::pair(&hall.staff, "로비", &[1]);
    let member = kiosk.sign_in(&student_id(0), &app.next_code(&hall.site));
    let row = seen(&hall.staff, kiosk.id);
    assert_eq!(row["signed_in"]["student_id"], "2024****00");
    hall.site.pass(119_999);
    member.get("/api/v1/lockers/me").expect(200);
    hall.site.pass(120_000);
    member.get("/api/v1/lockers/me").refused(401, "session_ended");
    assert_eq!(seen(&hall.staff, kiosk.id)["signed_in"], Value::Null);
    assert_eq!(hall.site.run(hall.site.services.end_idle_sign_ins()).expect("stored"), 1);
    let member = kiosk.sign_in(&student_id(0), &app.next_code(&hall.site));
    for _ in 0..5 {
        hall.site.pass(100_000);
        member.get("/api/v1/lockers/me").expect(200);
    }
    hall.site.pass(100_000);
    member.get("/api/v1/lockers/me").refused(401, "session_ended");
    assert_eq!(hall.site.run(hall.site.services.end_idle_sign_ins()).expect("stored"), 1);
    let sql = "SELECT group_concat(end_reason, ' ') FROM session WHERE method = 'kiosk'";
    let reasons: String = hall.site.sql().query_row(sql, [], |row| row.get(0)).expect("rows");
    assert_eq!(reasons, "idle expired");
}

#[test]
fn the_next_one_the_kiosk_itself_and_staff_end_a_sign_in() {
    let hall = Hall::open();
    let (one, two) = (hall.enrolled(0), hall.enrolled(1));
    let kiosk = Kiosk::pair(&hall.staff, "로비", &[1]);
    let first = kiosk.sign_in(&student_id(0), &one.next_code(&hall.site));
    let second = kiosk.sign_in(&student_id(1), &two.code(&hall.site));
    first.get("/api/v1/lockers/me").refused(401, "session_ended");
    second.get("/api/v1/lockers/me").expect(200);
    kiosk.call("POST", "/api/v1/kiosk/sign-out", "").expect(204);
    second.get("/api/v1/lockers/me").refused(401, "session_ended");
    kiosk.call("POST", "/api/v1/kiosk/sign-out", "").expect(204);
    let third = kiosk.sign_in(&student_id(0), &one.next_code(&hall.site));
    let path = format!("/api/v1/kiosks/{}/session", kiosk.id);
    hall.site.account("STAFF2").call("DELETE", &path, &[], "").refused(404, "kiosk_not_found");
    hall.staff.call("DELETE", &path, &[], "").expect(204);
    third.get("/api/v1/lockers/me").refused(401, "session_ended");
    hall.site.demand_clean();
}

#[test]
fn a_wrong_sign_in_does_not_tell_what_was_wrong_and_makes_the_next_one_wait() {
    let hall = Hall::open();
    let app = hall.enrolled(0);
    hall.enrolled(1);
    let plain = |problem: &Value| {
        let mut problem = problem.clone();
        problem["request_id"] = Value::Null;
        problem
    };
    let mut told = Vec::new();
    // Known with a wrong code, unknown, known without an app, nonsense: each at a kiosk of its own.
    for (number, id) in
        [student_id(0), "2099999999".into(), student_id(2), "!".into()].iter().enumerate()
    {
        let kiosk = Kiosk::pair(&hall.staff, &format!("{number}"), &[1]);
        let refused = kiosk.try_sign_in(id, "000000");
        told.push(plain(&refused.refused(401, "bad_credentials")));
    }
    assert!(told.iter().all(|problem| *problem == told[0]), "{told:?}");
    assert_eq!((&told[0]["tries_left"], &told[0]["retry_after_ms"]), (&99.into(), &1_000.into()));
    // The member waits at every kiosk, and others nowhere.
    let (first, other) =
        (Kiosk::pair(&hall.staff, "가", &[1]), Kiosk::pair(&hall.staff, "나", &[1]));
    hall.site.pass(30_000);
    first.try_sign_in(&student_id(0), "000000").refused(401, "bad_credentials");
    other.try_sign_in(&student_id(0), &app.code(&hall.site)).refused(429, "too_many_attempts");
    first.try_sign_in(&student_id(1), "000000").refused(401, "bad_credentials");
    hall.site.pass(3_000);
    other.try_sign_in(&student_id(0), &app.code(&hall.site)).expect(200);
}

#[test]
fn a_hundred_wrong_codes_at_a_kiosk_lock_nobody_else_out() {
    let hall = Hall::open();
    let app = hall.enrolled(0);
    let kiosk = Kiosk::pair(&hall.staff, "로비", &[1]);
    for n in 0..120 {
        kiosk.try_sign_in(&format!("B{n:04}"), "000000").refused(401, "bad_credentials");
    }
    kiosk.sign_in(&student_id(0), &app.next_code(&hall.site));
    // One id is locked as ever, wherever it is typed.
    for _ in 0..100 {
        hall.site.pass(10_000);
        kiosk.try_sign_in("B9999", "000000").refused(401, "bad_credentials");
    }
    hall.site.pass(10_000);
    kiosk.try_sign_in("B9999", "000000").refused(429, "too_many_attempts");
    kiosk.sign_in(&student_id(0), &app.next_code(&hall.site));
}

#[test]
fn very_many_wrong_codes_make_a_kiosk_wait_and_it_opens_by_itself() {
    let hall = Hall::configured("[limits]\naddress_failures = 20\n");
    let app = hall.enrolled(0);
    let (kiosk, other) =
        (Kiosk::pair(&hall.staff, "가", &[1]), Kiosk::pair(&hall.staff, "나", &[1]));
    for n in 0..20 {
        kiosk.try_sign_in(&format!("B{n:04}"), "000000").refused(401, "bad_credentials");
    }
    let held = kiosk.try_sign_in(&student_id(0), "000000");
    held.refused(429, "too_many_attempts");
    assert_eq!(held.header("retry-after"), Some("600"));
    other.sign_in(&student_id(0), &app.next_code(&hall.site));
    hall.site.pass(600_000);
    kiosk.sign_in(&student_id(0), &app.code(&hall.site));
}

#[test]
fn a_code_signs_in_once_however_often_it_is_sent() {
    let hall = Hall::open();
    let app = hall.enrolled(0);
    let kiosk = Kiosk::pair(&hall.staff, "로비", &[1]);
    let code = app.next_code(&hall.site);
    let request = hall.site.nobody().request(
        "POST",
        "/api/v1/kiosk/sign-in",
        &[
            "Content-Type: application/json",
            "Connection: close",
            &format!("Authorization: Kiosk {}", kiosk.credential),
        ],
        &json!({ "id": student_id(0), "code": code }).to_string(),
    );
    let replies = at_once(hall.site.nobody().address, vec![request; 100]);
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    assert!(replies.iter().all(|reply| [200, 401, 429].contains(&reply.status)), "{replies:?}");
}

#[test]
fn a_student_without_a_phone_gets_a_code_for_one_sign_in() {
    let hall = Hall::open();
    let sql = format!("SELECT id FROM member WHERE student_id = '{}'", student_id(2));
    let member: i64 = hall.site.sql().query_row(&sql, [], |row| row.get(0)).expect("there");
    let path = format!("/api/v1/members/{member}/one-time-code");
    let reason = json!({ "reason": "no phone" });
    hall.site.student(0).post_json(&path, &reason).refused(403, "forbidden");
    hall.staff.post_json(&path, &json!({ "reason": "" })).refused(422, "invalid");
    let kiosk = Kiosk::pair(&hall.staff, "로비", &[1]);
    let give = || {
        let given = hall.staff.post_json(&path, &reason).expect(201).json();
        given["code"].as_str().expect("a code").to_owned()
    };
    let (old, code) = (give(), give());
    assert!(code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
    kiosk.try_sign_in(&student_id(2), &old).refused(401, "bad_credentials");
    hall.site.pass(1_000);
    kiosk.try_sign_in(&student_id(1), &code).refused(401, "bad_credentials");
    hall.site.pass(3_000);
    let there = kiosk.sign_in(&student_id(2), &code);
    assert_eq!(there.get("/api/v1/auth/me").expect(200).json()["strong"], false);
    kiosk.try_sign_in(&student_id(2), &code).refused(401, "bad_credentials");
    hall.site.pass(1_000);
    let code = give();
    hall.site.pass(10 * 60_000);
    kiosk.try_sign_in(&student_id(2), &code).refused(401, "bad_credentials");
    let code = give();
    for _ in 0..5 {
        hall.site.pass(10_000);
        kiosk.try_sign_in(&student_id(2), "12345678").refused(401, "bad_credentials");
    }
    hall.site.pass(10_000);
    kiosk.try_sign_in(&student_id(2), &code).refused(401, "bad_credentials");
    let sql = "SELECT count(*) FROM audit WHERE action = 'kiosk.one_time_code'
               AND detail = '{\"reason\":\"no phone\"}'";
    let noted: i64 = hall.site.sql().query_row(sql, [], |row| row.get(0)).expect("readable");
    assert_eq!(noted, 4);
}

#[test]
fn a_kiosk_on_real_boards_opens_shows_codes_and_forgets_its_sign_ins_with_the_server() {
    let place = tempfile::tempdir().expect("a temporary place");
    let bus = SimBus::new("east", place.path().join("east"), 9_600);
    let boards = Boards::start(vec![bus.with(SimBoard::modbus(1, 8))]);
    let plan = Plan::default().wired(1, 101, ("east", 1, 3)).students(1).admin().bus(&bus_toml(
        "east",
        9_600,
        &[&modbus_toml(1)],
    ));
    let mut site = Site::prepare_in(place, &plan);
    site.serve();
    let (admin, renter) = (site.account("ADMIN"), site.student(0));
    renter.rent(101);
    until("the door is known", || (renter.mine()["door"] == "closed").then_some(()));
    let line = ["Content-Type: application/json"];
    let rule = r#"{"open_from":"presence"}"#;
    admin.call("PUT", "/api/v1/banks/1/opening", &line, rule).expect(200);
    renter.locker(101, "open").refused(403, "presence_needed");
    assert_eq!(boards.pulses("east", 1, 3).len(), 0);

    let kiosk = Kiosk::pair(&admin, "로비", &[1]);
    // The code may be that of the step before: the next one is good, too.
    let opened = open_with(&renter, 101, &kiosk.code(1)).expect(202).json();
    let outcome = renter.outcome(opened["operation_id"].as_str().expect("an id"));
    assert_eq!(outcome["outcome"], "opened", "{outcome}");
    assert_eq!(boards.pulses("east", 1, 3).len(), 1);

    let now = lockerd::clock::Clock::system(jiff::tz::TimeZone::UTC).now();
    let (app, _) = enrol(&renter, now);
    // The step after the one that confirmed it is good already.
    let code = app.code_at(now + jiff::SignedDuration::from_secs(30));
    let there = kiosk.sign_in(&student_id(0), &code);
    assert_eq!(there.mine()["locker_id"], 101);
    site.kill();
    site.serve();
    let again = Kiosk { door: site.nobody(), ..kiosk };
    again.call("GET", "/api/v1/kiosk", "").expect(200);
    site.again(&there).get("/api/v1/lockers/me").refused(401, "session_ended");
    let sql = "SELECT count(*) FROM session WHERE method = 'kiosk' AND end_reason = 'idle'";
    assert_eq!(site.number(sql), 1);
}
