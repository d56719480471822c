//! Calling staff, over HTTP: what a member may call about, what a kiosk may, who sees and hears it, and
//! how it ends.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply};
use crate::support::inside::{Inside, open_now};
use crate::support::live::{Socket, heard, items};
use crate::support::people::{Kiosk, enrol, second_bank};
use crate::support::site::student_id;

/// Two banks (101 to 103, 201 to 203) with staff of each, an admin and three students.
struct Site {
    inside: Inside,
    staff: Client,
    stranger: Client,
    admin: Client,
}

impl Site {
    fn start() -> Self {
        let inside = Inside::start(101..=103, 3, |now| open_now(now) + &second_bank(201..=203));
        inside.add("STAFF1", Role::Staff, &[1]);
        inside.add("STAFF2", Role::Staff, &[2]);
        inside.add("ADMIN1", Role::Admin, &[]);
        let [staff, stranger, admin] = ["STAFF1", "STAFF2", "ADMIN1"].map(|id| inside.account(id));
        Self { inside, staff, stranger, admin }
    }

    /// To whom the newest mails went, by student id.
    fn told(&self) -> Vec<String> {
        let conn = self.inside.sql();
        let sql = "SELECT student_id FROM outbox JOIN member ON member.id = member_id
                   WHERE kind = 'alarm.help' ORDER BY outbox.id";
        let mut statement = conn.prepare(sql).expect("good SQL");
        let rows = statement.query_map([], |row| row.get(0)).expect("readable");
        rows.collect::<Result<_, _>>().expect("text")
    }

    /// An opening that a student asked for now.
    fn opening(&self, student: usize, locker: i64) -> String {
        let id = format!("00000000-0000-7000-8000-00000000{student}{locker}");
        let sql = "INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, outcome)
                   SELECT ?1, ?2, id, 'renter', ?3, 'door_did_not_open' FROM member WHERE student_id = ?4";
        let now_ms = self.inside.clock.now().as_millisecond();
        let row = (&id, locker, now_ms, student_id(student));
        assert_eq!(self.inside.sql().execute(sql, row).expect("stored"), 1);
        id
    }
}

#[track_caller]
fn call(who: &Client, wish: &Value) -> Reply {
    who.post_json("/api/v1/help", wish)
}

#[track_caller]
fn listed(who: &Client, query: &str) -> Vec<Value> {
    let page = who.get(&format!("/api/v1/alarms?kind=help{query}")).expect(200).json();
    page["alarms"].as_array().expect("a list").clone()
}

#[test]
fn a_renter_calls_staff_once_and_who_takes_note_ends_it() {
    let site = Site::start();
    let renter = site.inside.student(0);
    call(&renter, &json!({})).refused(404, "not_your_locker");
    renter.rent(101);
    let asked = call(&renter, &json!({ "reason": "door_stuck" })).expect(200).json();
    let id = asked["alarm_id"].as_i64().expect("a number");
    assert_eq!((&asked["locker_id"], &asked["bank_id"]), (&json!(101), &json!(1)));
    assert_eq!((&asked["count"], &asked["phone"]), (&json!(1), &Value::Null));
    // The next one is the same call.
    site.inside.pass(1_000);
    let again = call(&renter, &json!({ "locker_id": 101 })).expect(200).json();
    assert_eq!((&again["alarm_id"], &again["count"]), (&json!(id), &json!(2)));
    assert_eq!(site.told(), ["STAFF1"]);
    let mail = &site.inside.mails("alarm.help")[0];
    assert_eq!((&mail["reason"], &mail["locker_id"]), (&json!("door_stuck"), &json!(101)));

    let path = format!("/api/v1/alarms/{id}");
    let alarm = site.staff.get(&path).expect(200).json();
    assert_eq!((&alarm["kind"], &alarm["severity"]), (&json!("help"), &json!("warning")));
    assert_eq!(alarm["evidence"]["seen"], "asked_for_help");
    let requests = alarm["evidence"]["requests"].as_array().expect("a list");
    let reasons: Vec<&Value> = requests.iter().map(|it| &it["reason"]).collect();
    assert_eq!(reasons, [&json!("door_stuck"), &Value::Null]);
    assert!(requests[0]["at"].as_str() < requests[1]["at"].as_str(), "{alarm}");
    let me = renter.get("/api/v1/auth/me").expect(200).json();
    let steps = alarm["steps"].as_array().expect("steps");
    let first = (&steps[0]["step"], &steps[0]["member_id"], &steps[0]["name"]);
    assert_eq!(first, (&json!("raised"), &me["member_id"], &me["name"]));
    // Staff of another bank know nothing of it.
    site.stranger.get(&path).refused(404, "alarm_not_found");
    assert_eq!(listed(&site.stranger, ""), [] as [Value; 0]);
    let mine = renter.get("/api/v1/me/alarms").expect(200).json();
    let own = &mine["alarms"][0];
    assert_eq!((&own["kind"], &own["can_answer"]), (&json!("help"), &json!(false)));
    renter.post(&format!("{path}/it-was-me")).refused(422, "invalid");

    let note = json!({ "note": "문을 열어 드렸습니다" });
    let mended = json!({ "note": "", "mended": true });
    let acknowledge = format!("{path}/acknowledge");
    site.staff.post_json(&acknowledge, &mended).refused(422, "invalid");
    assert_eq!(listed(&site.staff, "&state=open").len(), 1);
    site.staff.post_json(&acknowledge, &note).expect(200);
    let refused = site.admin.post_json(&acknowledge, &note).refused(409, "alarm_acknowledged");
    assert_eq!(refused["acknowledged_by"]["name"], "이직원");
    let over = &listed(&site.staff, "&state=over")[0];
    assert_eq!(
        (&over["state"], &over["clear_reason"]),
        (&json!("acknowledged"), &json!("answered"))
    );
    assert_eq!(over["acknowledged"]["name"], "이직원");
    assert_eq!(listed(&site.staff, "&state=open"), [] as [Value; 0]);
    let mine = renter.get("/api/v1/me/alarms").expect(200).json();
    assert_eq!(mine["alarms"][0]["acknowledged"], true);
    // What comes after it is a new call.
    let next = call(&renter, &json!({})).expect(200).json();
    assert_eq!((&next["count"], next["alarm_id"].as_i64() > Some(id)), (&json!(1), true));
    assert_eq!(site.told(), ["STAFF1", "STAFF1"]);
    site.inside.demand_clean();
}

#[test]
fn nobody_calls_about_what_is_not_theirs() {
    let site = Site::start();
    let (renter, other) = (site.inside.student(0), site.inside.student(1));
    renter.rent(101);
    other.locker(102, "hold").expect(201);
    for who in [&other, &site.staff] {
        call(who, &json!({ "locker_id": 101 })).refused(404, "not_your_locker");
        call(who, &json!({})).refused(404, "not_your_locker");
    }
    call(&renter, &json!({ "locker_id": 999 })).refused(404, "not_your_locker");
    call(&renter, &json!({ "reason": "bored" })).refused(422, "invalid");
    call(&renter, &json!({ "operation_id": "x" })).refused(422, "invalid");
    let operation = site.opening(0, 101);
    let named = json!({ "operation_id": operation });
    // Staff of the bank may look at it; it is not theirs to call about.
    call(&site.staff, &named).refused(404, "opening_not_found");
    call(&other, &named).refused(404, "opening_not_found");
    let two = json!({ "operation_id": operation, "locker_id": 102 });
    call(&renter, &two).refused(422, "invalid");
    let asked = call(&renter, &named).expect(200).json();
    assert_eq!(asked["locker_id"], 101);
    assert_eq!(site.inside.number("SELECT count(*) FROM alarm"), 1);
}

#[test]
fn things_left_behind_are_called_about_by_the_opening_and_the_next_renter_hears_nothing() {
    let site = Site::start();
    let former = site.inside.student(0);
    let operation = site.opening(0, 101);
    let next = site.inside.student(1);
    next.rent(101);
    let wish = json!({ "operation_id": operation, "reason": "things_left" });
    let asked = call(&former, &wish).expect(200).json();
    assert_eq!((&asked["locker_id"], &asked["bank_id"]), (&Value::Null, &json!(1)));
    let alarm = &listed(&site.staff, "")[0];
    let request = &alarm["evidence"]["requests"][0];
    assert_eq!(
        (&request["locker_id"], &request["operation_id"], &request["reason"]),
        (&json!(101), &json!(operation), &json!("things_left"))
    );
    assert_eq!(next.get("/api/v1/me/alarms").expect(200).json()["alarms"], json!([]));
    // A day later nobody can tell whose things these are.
    site.inside.pass(24 * 3_600_000 + 1);
    let former = site.inside.student(0);
    call(&former, &wish).refused(404, "opening_not_found");
}

#[test]
fn somebody_at_a_kiosk_calls_without_a_name() {
    let site = Site::start();
    let kiosk = Kiosk::pair(&site.admin, "로비", &[1, 2]);
    let call = |body: &Value| kiosk.call("POST", "/api/v1/kiosk/help", &body.to_string());
    let asked = call(&json!({})).expect(200).json();
    assert_eq!((&asked["locker_id"], &asked["bank_id"]), (&Value::Null, &json!(1)));
    let there = call(&json!({ "bank_id": 2, "reason": "other" })).expect(200).json();
    assert_eq!((&there["bank_id"], &there["count"]), (&json!(2), &json!(1)));
    call(&json!({ "bank_id": 9 })).refused(404, "bank_not_found");
    assert_eq!(site.told(), ["STAFF1", "STAFF2"]);
    let alarm = &listed(&site.stranger, "")[0];
    assert_eq!((&alarm["alarm_id"], &alarm["bank_id"]), (&there["alarm_id"], &json!(2)));
    assert_eq!(alarm["evidence"]["requests"][0]["kiosk_id"], kiosk.id);
    let path = format!("/api/v1/alarms/{}", alarm["alarm_id"]);
    let detail = site.stranger.get(&path).expect(200).json();
    assert_eq!(detail["steps"][0]["member_id"], Value::Null);
    site.staff.get(&path).refused(404, "alarm_not_found");
    // Whoever is signed in there calls about their own locker, and staff see where they stand.
    let renter = site.inside.student(0);
    renter.rent(102);
    let app = enrol(&renter, site.inside.clock.now()).0;
    let there = kiosk.sign_in(&student_id(0), &app.next_code(&site.inside));
    there.post_json("/api/v1/help", &json!({ "reason": "door_stuck" })).expect(200);
    let alarm = &listed(&site.staff, "&locker_id=102")[0];
    assert_eq!(alarm["evidence"]["requests"][0]["kiosk_id"], kiosk.id);
    site.inside.demand_clean();
}

#[test]
fn calls_are_limited_and_a_repeated_request_counts_once() {
    let site = Site::start();
    let renter = site.inside.student(0);
    renter.rent(101);
    let keyed = |key: &str| {
        let key = format!("Idempotency-Key: {key}");
        let lines = ["Content-Type: application/json", key.as_str()];
        renter.call("POST", "/api/v1/help", &lines, "{}")
    };
    for _ in 0..3 {
        assert_eq!(keyed("once").expect(200).json()["count"], 1);
    }
    for count in 2..=10 {
        assert_eq!(keyed(&format!("k{count}")).expect(200).json()["count"], count);
    }
    let refused = keyed("late");
    refused.refused(429, "too_many_requests");
    assert!(refused.header("retry-after").is_some());
    assert_eq!(keyed("once").expect(200).json()["count"], 1, "that one was answered");
    let alarm = &listed(&site.staff, "")[0];
    assert_eq!(alarm["count"], 10);
    assert_eq!(alarm["evidence"]["requests"].as_array().map(Vec::len), Some(8), "the newest");
    // Others are not kept waiting by it.
    let other = site.inside.student(1);
    other.rent(102);
    call(&other, &json!({})).expect(200);
    site.inside.pass(600_000);
    keyed("later").expect(200);
}

#[test]
fn staff_are_called_again_with_the_admins_when_nobody_comes() {
    let site = Site::start();
    let renter = site.inside.student(0);
    renter.rent(101);
    call(&renter, &json!({})).expect(200);
    let again = || site.inside.run(site.inside.services.call_staff_again()).expect("done");
    site.inside.pass(299_999);
    assert_eq!((again(), site.told()), (0, vec!["STAFF1".to_owned()]));
    site.inside.pass(1);
    assert_eq!((again(), again()), (1, 0));
    assert_eq!(site.told()[1..], ["STAFF1", "ADMIN1"]);
    let alarm = &listed(&site.staff, "")[0];
    assert!(alarm["escalated_at"].is_string(), "{alarm}");
    // One that somebody took note of calls nobody.
    let path = format!("/api/v1/alarms/{}/acknowledge", alarm["alarm_id"]);
    site.staff.post_json(&path, &json!({ "note": "" })).expect(200);
    call(&renter, &json!({})).expect(200);
    let alarm = &listed(&site.staff, "&state=live")[0];
    let path = format!("/api/v1/alarms/{}/acknowledge", alarm["alarm_id"]);
    site.staff.post_json(&path, &json!({ "note": "" })).expect(200);
    site.inside.pass(600_000);
    assert_eq!(again(), 0);
}

#[test]
fn a_call_is_heard_by_staff_of_its_bank_and_over_when_they_take_note() {
    let site = Site::start();
    site.inside.publish();
    let listen = |who: &Client| Socket::listen(who, &json!(["alarms"])).0;
    let (mut of_staff, mut of_stranger) = (listen(&site.staff), listen(&site.stranger));
    let next = |socket: &mut Socket| {
        let messages = heard(socket, |message| message.to_string().contains("alarm_id"));
        items(&messages, "alarms").pop().expect("an alarm").clone()
    };
    let kiosk = Kiosk::pair(&site.admin, "로비", &[1, 2]);
    kiosk.call("POST", "/api/v1/kiosk/help", "{}").expect(200);
    let told = next(&mut of_staff);
    assert_eq!((&told["kind"], &told["state"]), (&json!("help"), &json!("live")));
    assert_eq!((&told["bank_id"], &told["locker_id"]), (&json!(1), &Value::Null));
    let path = format!("/api/v1/alarms/{}/acknowledge", told["alarm_id"]);
    site.staff.post_json(&path, &json!({ "note": "" })).expect(200);
    let over = next(&mut of_staff);
    assert_eq!((&over["alarm_id"], &over["state"]), (&told["alarm_id"], &json!("over")));
    // What staff of another bank hear first is of their own.
    kiosk.call("POST", "/api/v1/kiosk/help", r#"{"bank_id":2}"#).expect(200);
    assert_eq!(next(&mut of_stranger)["bank_id"], 2);
    // A member hears only of their own.
    let (_, hello) = Socket::listen(&site.inside.student(0), &json!(["alarms"]));
    assert_eq!(hello["topics"], json!([]), "{hello}");
}
