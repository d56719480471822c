//! Rentals that are not returned in time, over HTTP with the clock in hand: noticed, sealed, collected,
//! handed back, or returned late; penalties; the mails of each step.

use lockerd::domain::member::Role;
use lockerd::service::jobs::JOBS;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply};
use crate::support::inside::Inside;

mod doors;
mod judged;
mod reminders;
mod when;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Ten in the morning of 24 August to midnight behind the last day, the 31st.
const TO_THE_END_MS: u64 = 7 * DAY_MS + 14 * HOUR_MS;

/// A term that is open now and ends on 31 August, and one behind it.
const TERMS: &str = "[[term]]\nname_ko = '여름'\nopens_at = '2026-08-24T00:00:00Z'\n\
    closes_at = '2026-08-25T00:00:00Z'\nstarts_on = '2026-08-24'\nends_on = '2026-08-31'\n\
    [[term]]\nname_ko = '가을'\nopens_at = '2026-08-25T00:00:00Z'\n\
    closes_at = '2026-12-01T00:00:00Z'\nstarts_on = '2026-09-01'\nends_on = '2026-12-31'\n";

/// What a bank of these tests does about those who are late.
fn strict() -> Value {
    json!({
        "reminder_days": [7, 1], "late_opening": "until_sealed", "seal_after_days": 3,
        "penalty_factor": 2, "penalty_max_days": 30,
    })
}

fn site() -> Inside {
    site_with(&strict())
}

fn site_with(overdue: &Value) -> Inside {
    let site = Inside::start(1..=6, 4, |_| TERMS.to_owned());
    site.add("ADMIN1", Role::Admin, &[]);
    site.add("STAFF1", Role::Staff, &[1]);
    site.add("STAFF2", Role::Staff, &[]);
    set_policy(&site, overdue);
    site
}

/// Changes these settings about those who are late and leaves the others as they are.
fn set_policy(site: &Inside, overdue: &Value) {
    let (admin, path) = (site.account("ADMIN1"), "/api/v1/banks/1/policy");
    let mut policy = admin.get(path).expect(200).json();
    for (name, value) in overdue.as_object().expect("settings") {
        policy["overdue"][name] = value.clone();
    }
    let json = ["Content-Type: application/json"];
    admin.call("PUT", path, &json, &policy.to_string()).expect(200);
}

fn detect(site: &Inside) -> usize {
    site.run(site.services.detect_overdue()).expect("it works")
}

fn mails(site: &Inside, kind: &str) -> i64 {
    let sql = "SELECT count(*) FROM outbox WHERE kind = ?1";
    site.sql().query_row(sql, [kind], |row| row.get(0)).expect("a count")
}

/// What the newest mail of a kind says.
fn told(site: &Inside, kind: &str) -> Value {
    let sql = "SELECT payload FROM outbox WHERE kind = ?1 ORDER BY id DESC LIMIT 1";
    let text: String = site.sql().query_row(sql, [kind], |row| row.get(0)).expect("such a mail");
    serde_json::from_str(&text).expect("JSON")
}

fn cases(staff: &Client, query: &str) -> Value {
    staff.get(&format!("/api/v1/overdue{query}")).expect(200).json()
}

/// The newest case of a locker.
fn case_of(staff: &Client, locker: i64) -> Value {
    let all = cases(staff, "");
    let all = all["cases"].as_array().expect("a list");
    all.iter().find(|case| case["locker_id"] == locker).expect("its case").clone()
}

fn step(staff: &Client, case: &Value, name: &str, body: &Value) -> Reply {
    let id = case["case_id"].as_i64().expect("a case");
    staff.post_json(&format!("/api/v1/overdue/{id}/{name}"), body)
}

fn bag(reason: Option<&str>) -> Value {
    let items =
        json!([{ "description": "=파란 가방", "photo": "p/1.jpg" }, { "description": "우산" }]);
    json!({ "items": items, "storage": "1층 사무실", "reason": reason })
}

fn locked_out(who: &Client, locker: i64) -> Value {
    who.locker(locker, "open").refused(403, "overdue")
}

/// These lockers have no electric lock: whoever may open one is told so.
fn may_open(who: &Client, locker: i64) {
    who.locker(locker, "open").refused(409, "not_wired");
}

#[test]
fn the_whole_chain_from_the_last_minute_to_the_fetched_bag() {
    let site = site();
    let (late, prompt) = (site.student(0), site.student(1));
    late.rent(1);
    prompt.rent(2);
    site.pass(TO_THE_END_MS - MINUTE_MS);
    assert_eq!(detect(&site), 0, "the last day is not over");
    let prompt = site.student(1);
    assert_eq!(prompt.give_back(2)["waits_for"], Value::Null, "in the last minute");
    site.pass(MINUTE_MS);
    assert_eq!((detect(&site), detect(&site)), (1, 0));
    let said = told(&site, "overdue_detected");
    assert_eq!((&said["locker_id"], &said["ended_on"]), (&json!(1), &json!("2026-08-31")));
    assert_eq!((&said["may_open"], &said["seal_on"]), (&json!(true), &json!("2026-09-03")));
    assert_eq!(said["bank"]["ko"], "사물함", "{said}");
    let (late, staff) = (site.student(0), site.account("STAFF1"));
    let mine = late.mine();
    assert_eq!(mine["late"]["late_days"], 1, "{mine}");
    assert_eq!(mine["late"]["seal_on"], "2026-09-03", "{mine}");
    may_open(&late, 1);
    let listed = cases(&staff, "?state=detected");
    let case = &listed["cases"][0];
    assert_eq!(case["renter"]["student_id"], "2024****00", "{listed}");
    assert_eq!(
        (&listed["counts"]["detected"], &listed["counts"]["sealed"]),
        (&json!(1), &json!(0))
    );

    // Two days later the bank's own rule restricts it.
    site.pass(2 * DAY_MS);
    assert_eq!((detect(&site), detect(&site)), (1, 0));
    assert_eq!(
        (mails(&site, "overdue_sealed"), &told(&site, "overdue_sealed")["may_open"]),
        (1, &json!(false))
    );
    let (late, staff) = (site.student(0), site.account("STAFF1"));
    let refusal = locked_out(&late, 1);
    assert_eq!((&refusal["late_days"], &refusal["sealed"]), (&json!(3), &json!(true)));
    assert_eq!(late.mine()["late"]["may_open"], false);

    let taken = step(&staff, case, "collect", &bag(None)).expect(200).json();
    assert_eq!(
        (&taken["state"], &taken["penalty_until"]),
        (&json!("collected"), &json!("2026-09-09"))
    );
    let said = told(&site, "overdue_collected");
    assert_eq!((&said["items"], &said["storage"]), (&json!(2), &json!("1층 사무실")), "{said}");
    assert_eq!(said["penalty_until"], "2026-09-09");
    assert_eq!(site.history()[0], "1 2024000000 ended collected");
    assert_eq!(late.mine(), Value::Null);
    assert_eq!(prompt_state(&site, 1), "free");
    // Whose things are in the office does not vanish.
    late.call("DELETE", "/api/v1/me", &["Content-Type: application/json"], "{}")
        .refused(409, "still_renting");
    step(&staff, case, "seal", &json!({})).refused(409, "overdue_step");
    step(&staff, case, "hand-back", &json!({ "to": " " })).refused(422, "invalid");
    let done = step(&staff, case, "hand-back", &json!({ "to": "본인" })).expect(200).json();
    assert_eq!(done["state"], "handed_back");
    assert_eq!(told(&site, "overdue_handed_back")["handed_to"], "본인");
    step(&staff, case, "drop", &json!({ "reason": "x" })).refused(409, "overdue_step");

    demand_history(&site, &staff, case);
    site.demand_clean();
}

/// What is kept of the case of [`the_whole_chain_from_the_last_minute_to_the_fetched_bag`].
fn demand_history(site: &Inside, staff: &Client, case: &Value) {
    let id = case["case_id"].as_i64().expect("a case");
    let whole = staff.get(&format!("/api/v1/overdue/{id}")).expect(200).json();
    let steps = whole["steps"].as_array().expect("steps");
    let states: Vec<_> = steps.iter().map(|it| it["state"].as_str().expect("a state")).collect();
    assert_eq!(states, ["detected", "sealed", "collected", "handed_back"]);
    let by_itself: Vec<_> = steps.iter().map(|it| it["member_id"].is_null()).collect();
    assert_eq!(by_itself, [true, true, false, false]);
    assert_eq!(whole["items"][0]["photo"], "p/1.jpg");
    assert_eq!(
        (&whole["late_days"], &whole["penalty"]["last_on"]),
        (&json!(3), &json!("2026-09-09"))
    );
    let sql = "SELECT group_concat(action, ' ') FROM audit WHERE subject = 'overdue:1'";
    let rows: String = site.sql().query_row(sql, [], |row| row.get(0)).expect("rows");
    assert_eq!(rows, "overdue.detect overdue.seal overdue.collect overdue.hand_back");
    let secret = "SELECT count(*) FROM audit WHERE detail LIKE '%본인%' OR detail LIKE '%가방%'";
    assert_eq!(site.number(secret), 0, "the log says no more than it must");
}

fn prompt_state(site: &Inside, locker: i64) -> String {
    site.student(1).state_of(locker)
}

#[test]
fn a_late_return_costs_days_that_staff_may_take_back() {
    let site = site();
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS + DAY_MS);
    assert_eq!(detect(&site), 1);
    let late = site.student(0);
    // What was held before may still be confirmed; then the penalty keeps them from more.
    let given = late.give_back(1);
    assert_eq!(given["waits_for"], Value::Null, "{given}");
    let said = told(&site, "overdue_closed");
    assert_eq!((&said["how"], &said["late_days"]), (&json!("returned"), &json!(2)), "{said}");
    assert_eq!(said["penalty_until"], "2026-09-06", "{said}");
    let refusal = late.locker(3, "hold").refused(409, "penalty");
    assert_eq!(refusal["until"], "2026-09-06");
    late.post("/api/v1/banks/1/hold").refused(409, "penalty");
    let both = late.get("/api/v1/lockers/me").expect(200).json();
    assert_eq!(both["penalty_until"], "2026-09-06", "{both}");
    let again = site.again();
    again.student(0).locker(3, "hold").refused(409, "penalty");
    again.student(1).locker(3, "hold").expect(201);

    let staff = again.account("STAFF1");
    let list = staff.get("/api/v1/penalties?live=true&q=2024000000").expect(200).json();
    let penalty = &list["penalties"][0];
    assert_eq!((&penalty["late_days"], &penalty["first_on"]), (&json!(2), &json!("2026-09-03")));
    let path = format!("/api/v1/penalties/{}/waive", penalty["penalty_id"]);
    let reason = json!({ "reason": "입원 확인" });
    again.account("STAFF2").post_json(&path, &reason).refused(404, "penalty_not_found");
    staff.post_json(&path, &json!({ "reason": "" })).refused(422, "invalid");
    let waived = staff.post_json(&path, &reason).expect(200).json();
    assert_eq!(waived["penalty_until"], Value::Null, "{waived}");
    staff.post_json(&path, &reason).refused(409, "penalty_waived");
    assert_eq!(mails(&again, "penalty_waived"), 1);
    let late = again.student(0);
    late.locker(4, "hold").expect(201);
    let mine = late.get("/api/v1/me/penalties").expect(200).json();
    assert_eq!(mine["until"], Value::Null, "{mine}");
    assert!(mine["penalties"][0]["waived_at"].is_string(), "{mine}");
    let live = staff.get("/api/v1/penalties?live=true").expect(200).json();
    assert_eq!(live["penalties"], json!([]));
    again.demand_clean();
}

#[test]
fn a_penalty_is_over_behind_its_last_day_and_spares_what_was_held_before() {
    let site = site();
    let early = site.student(0);
    early.rent(1);
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 1);
    let late = site.student(0);
    late.locker(3, "hold").expect(201);
    late.give_back(1);
    late.locker(3, "confirm").expect(200);
    late.give_back(3);
    late.locker(3, "hold").refused(409, "penalty");
    // One day late, twice as many days without.
    site.pass(3 * DAY_MS - 1);
    site.student(0).locker(3, "hold").refused(409, "penalty");
    site.pass(1);
    site.student(0).locker(3, "hold").expect(201);
    site.demand_clean();
}

#[test]
fn who_may_open_late_is_the_policy_of_the_bank() {
    for (policy, before, after) in
        [("never", false, false), ("until_sealed", true, false), ("always", true, true)]
    {
        let site = site_with(&json!({ "late_opening": policy }));
        site.student(0).rent(1);
        site.pass(TO_THE_END_MS);
        assert_eq!(detect(&site), 1);
        let (late, staff) = (site.student(0), site.account("STAFF1"));
        let open = |who: &Client| who.locker(1, "open").code() == "not_wired";
        assert_eq!(open(&late), before, "{policy}");
        let case = cases(&staff, "")["cases"][0].clone();
        step(&staff, &case, "seal", &json!({})).expect(200);
        assert_eq!(open(&late), after, "{policy}, sealed");
        // "I forgot something" is no way around it, also behind a restart.
        let path = "/api/v1/lockers/1/release";
        let given = late.post_json(path, &json!({})).expect(200).json();
        assert_eq!(given["waits_for"], "confirmation", "{given}");
        assert_eq!(open(&late), after, "{policy}, given back");
        let site = site.again();
        assert_eq!(open(&site.student(0)), after, "{policy}, behind a restart");
        site.student(0).give_back(1);
        let closed = cases(&site.account("STAFF1"), "")["cases"][0].clone();
        assert_eq!((&closed["state"], &closed["late_days"]), (&json!("returned"), &json!(1)));
        assert_eq!(closed["renter"]["student_id"], "2024****00");
        let penalties = site.number("SELECT count(*) FROM penalty");
        assert_eq!(penalties, 0, "a bank without a factor has no penalties");
        site.demand_clean();
    }
}

#[test]
fn who_returned_in_time_may_open_again_behind_midnight_and_is_not_late() {
    let site = site_with(&json!({ "late_opening": "never" }));
    site.student(0).rent(1);
    site.pass(TO_THE_END_MS - MINUTE_MS);
    let prompt = site.student(0);
    prompt.locker(1, "release").expect(200);
    site.pass(2 * MINUTE_MS);
    assert_eq!(detect(&site), 0);
    may_open(&prompt, 1);
    site.demand_clean();
}

#[test]
fn staff_leave_the_usual_way_with_a_reason_and_only_for_their_banks() {
    let site = site();
    for n in 0..3 {
        site.student(n).rent(i64::try_from(n).expect("small") + 1);
    }
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 3);
    let (staff, stranger) = (site.account("STAFF1"), site.account("STAFF2"));
    assert_eq!(cases(&stranger, "")["cases"], json!([]));
    stranger.get("/api/v1/overdue/1").refused(404, "overdue_case_not_found");
    stranger.get("/api/v1/overdue?bank_id=1").refused(403, "forbidden");
    site.student(0).get("/api/v1/overdue").refused(403, "forbidden");
    let page = cases(&staff, "?sort=locker&limit=2");
    let case = |locker: i64| case_of(&staff, locker);
    assert_eq!(page["cases"].as_array().map(Vec::len), Some(2), "{page}");
    let next = page["next_cursor"].as_str().expect("a next page");
    let rest = cases(&staff, &format!("?sort=locker&limit=2&cursor={next}"));
    assert_eq!(rest["cases"][0]["locker_id"], 3, "{rest}");
    assert_eq!(rest["next_cursor"], Value::Null);
    staff.get(&format!("/api/v1/overdue?sort=late&cursor={next}")).refused(422, "invalid");
    step(&stranger, &case(1), "seal", &json!({})).refused(404, "overdue_case_not_found");

    // Lifted, and it stays so whatever the rule of the bank says.
    let (why, none) = (json!({ "reason": "전화로 약속함" }), json!({}));
    step(&staff, &case(1), "seal", &none).expect(200);
    step(&staff, &case(1), "seal", &none).refused(409, "overdue_step");
    step(&staff, &case(1), "unseal", &none).refused(422, "invalid");
    step(&staff, &case(1), "unseal", &why).expect(200);
    assert_eq!(mails(&site, "overdue_unsealed"), 1);
    site.pass(3 * DAY_MS);
    assert_eq!(detect(&site), 2, "the two others are sealed");
    let staff = site.account("STAFF1");
    assert_eq!(cases(&staff, "")["counts"]["sealed"], 2);
    may_open(&site.student(0), 1);
    // Collected without a seal: with a reason only.
    let case = |locker: i64| case_of(&staff, locker);
    step(&staff, &case(1), "collect", &bag(None)).refused(422, "invalid");
    let json = ["Content-Type: application/json", "Idempotency-Key: once"];
    let path = format!("/api/v1/overdue/{}/collect", case(1)["case_id"]);
    let body = bag(Some("공사")).to_string();
    staff.call("POST", &path, &json, &body).expect(200);
    let again = staff.call("POST", &path, &json, &body).expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"), "{again:?}");
    assert_eq!(site.number("SELECT count(*) FROM overdue_item"), 2);
    // Let be: no consequences, and it is not noticed again.
    step(&staff, &case(2), "drop", &none).refused(422, "invalid");
    step(&staff, &case(2), "drop", &why).expect(200);
    assert_eq!(told(&site, "overdue_closed")["how"], "dropped");
    assert_eq!(detect(&site), 0);
    may_open(&site.student(1), 2);
    site.student(1).give_back(2);
    site.student(1).locker(5, "hold").expect(201);

    let export = || staff.get("/api/v1/overdue/export?state=open").expect(200).text();
    let text = export();
    assert!(text.starts_with("\u{feff}case_id,state,"), "{text}");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(text.contains("1층 사무실"), "{text}");
    // That of locker 3 counts on: the fourth day.
    assert!(lines.iter().any(|line| line.contains(",3,") && line.contains(",2026-08-31,4,")));
    assert_eq!(site.number("SELECT count(*) FROM audit WHERE action = 'overdue.export'"), 1);
    step(&staff, &case(1), "hand-back", &json!({ "to": "보호자" })).expect(200);
    let text = staff.get("/api/v1/overdue/export").expect(200).text();
    assert!(text.lines().next().is_some_and(|head| head.contains("handed_back,handed_to,")));
    assert!(text.contains(",보호자,"), "{text}");
    site.demand_clean();
}

#[test]
fn a_member_sees_what_is_kept_and_it_is_forgotten_in_time() {
    let site = site();
    site.student(0).rent(1);
    site.student(1).rent(2);
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 2);
    let staff = site.account("STAFF1");
    let case = |locker: i64| case_of(&staff, locker);
    step(&staff, &case(1), "collect", &bag(Some("공사"))).expect(200);
    step(&staff, &case(1), "hand-back", &json!({ "to": "본인" })).expect(200);
    step(&staff, &case(2), "collect", &bag(Some("공사"))).expect(200);
    let data = site.student(0).get("/api/v1/me/data").expect(200).json();
    assert_eq!(data["overdue"][0]["handed_to"], "본인", "{data}");
    assert_eq!(data["overdue_items"].as_array().map(Vec::len), Some(2), "{data}");
    assert_eq!(data["penalties"][0]["last_on"], "2026-09-03", "{data}");
    assert_eq!(data["kept"]["overdue_days"], 365);
    // Deleted behind the penalty: the case stays, and names nothing any more.
    site.pass(3 * DAY_MS);
    let staff = site.account("STAFF1");
    let case = |locker: i64| case_of(&staff, locker);
    site.student(0)
        .call("DELETE", "/api/v1/me", &["Content-Type: application/json"], "{}")
        .expect(204);
    let id = case(1)["case_id"].clone();
    let whole = staff.get(&format!("/api/v1/overdue/{id}")).expect(200).json();
    assert_eq!(whole["renter"]["student_id"], Value::Null, "{whole}");
    assert_eq!((&whole["items"], &whole["handed_to"]), (&json!([]), &Value::Null), "{whole}");
    // A year behind the end of its penalty: the closed one goes, the one with a bag in the office stays.
    site.pass(370 * DAY_MS);
    site.run(site.services.forget_old()).expect("it works");
    for (sql, left) in [
        ("SELECT count(*) FROM overdue_case", 1),
        ("SELECT count(*) FROM overdue_item", 2),
        ("SELECT count(*) FROM penalty", 1),
    ] {
        assert_eq!(site.number(sql), left, "{sql}");
    }
    let rows = "SELECT rows FROM pruning WHERE what = 'overdue'";
    assert_eq!(site.number(rows), 1);
    site.demand_clean();
}

fn job(name: &str) -> usize {
    JOBS.iter().position(|job| job.name == name).expect("in the table")
}
