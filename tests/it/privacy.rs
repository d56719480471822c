//! Deleting accounts, one's own data, and how long things are kept, on a clock that is moved by hand.

use lockerd::domain::id::MemberId;
use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply};
use crate::support::inside::{Inside, open_now};
use crate::support::site::{PASSWORD, student_id, student_name, student_phone};

const ME: &str = "/api/v1/me";
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
const SETTINGS: &str = "[auth]\nroster_login = 'full'\n[mail]\ntransport = 'box'\n[retention]\n\
    openings_days = 10\nmembers_days = 30\nsessions_days = 5\nalarms_days = 20\nmails_days = 3\n";

fn site(students: usize) -> Inside {
    Inside::configured(SETTINGS, [101, 102], students, open_now)
}

fn delete(client: &Client, path: &str, body: &Value) -> Reply {
    client.call("DELETE", path, &["Content-Type: application/json"], &body.to_string())
}

fn texts(inside: &Inside, sql: &str) -> Vec<String> {
    let conn = inside.sql();
    let mut statement = conn.prepare(sql).expect("good SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("readable");
    rows.collect::<Result<_, _>>().expect("readable")
}

fn count(inside: &Inside, sql: &str) -> i64 {
    inside.sql().query_row(sql, [], |row| row.get(0)).expect("a number")
}

/// Every text of every table, the audit log included.
fn everything(inside: &Inside) -> String {
    let tables = texts(
        inside,
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    );
    let conn = inside.sql();
    let mut all = String::new();
    for table in tables {
        let mut statement = conn.prepare(&format!("SELECT * FROM {table}")).expect("readable");
        let columns = statement.column_count();
        let mut rows = statement.query([]).expect("readable");
        while let Some(row) = rows.next().expect("readable") {
            for column in 0..columns {
                if let rusqlite::types::ValueRef::Text(text) = row.get_ref(column).expect("there") {
                    all += &String::from_utf8_lossy(text);
                    all.push('\n');
                }
            }
        }
    }
    all
}

#[test]
fn a_deleted_account_leaves_nothing_personal_anywhere_and_its_rentals_stay_countable() {
    let inside = site(0);
    let id = inside.add("2031000001", Role::Student, &[]);
    let line = "UPDATE member SET phone = '01055556666', name = '김삭제', department = '철학과'";
    inside.sql().execute(line, []).expect("stored");
    let body = json!({ "id": "2031000001", "password": PASSWORD });
    let agent = ["Content-Type: application/json", "User-Agent: my-own-browser"];
    let nobody = inside.nobody();
    let reply = nobody.call("POST", "/api/v1/auth/login", &agent, &body.to_string()).expect(200);
    let member = nobody.with_token(reply.json()["access_token"].as_str().expect("a token"));
    member.rent(101);
    delete(&member, ME, &json!({ "password": PASSWORD })).refused(409, "still_renting");
    // Given back, but not empty yet as far as anybody knows: whose things are inside must be known.
    member.locker(101, "release").expect(200);
    let refused =
        delete(&member, ME, &json!({ "password": PASSWORD })).refused(409, "still_renting");
    assert_eq!(refused["locker_id"], 101);
    member.give_back(101);
    member.locker(102, "hold").expect(201);
    let refused =
        delete(&member, ME, &json!({ "password": PASSWORD })).refused(409, "still_renting");
    assert_eq!(refused["locker_id"], 102);
    // A hold whose time is up holds nobody.
    inside.pass(61_000);
    delete(&member, ME, &json!({ "password": "not the password" })).refused(401, "bad_credentials");
    inside.pass(2_000);
    delete(&member, ME, &json!({})).refused(401, "bad_credentials");
    delete(&member, ME, &json!({ "password": PASSWORD })).expect(204);
    member.get("/api/v1/auth/me").refused(401, "session_ended");
    nobody.post_json("/api/v1/auth/login", &body).refused(401, "bad_credentials");
    assert_eq!(inside.history().len(), 2, "what was rented can still be counted");
    // The last mail goes to the former address; when it was sent it is forgotten in its turn.
    let farewell =
        texts(&inside, "SELECT address || ' ' || kind FROM outbox WHERE address IS NOT NULL");
    assert_eq!(farewell, ["2031000001@korea.ac.kr account_deleted"]);
    inside.sql().execute("DELETE FROM outbox WHERE address IS NOT NULL", []).expect("deleted");
    let all = everything(&inside);
    for personal in
        ["2031000001", "김삭제", "01055556666", "철학과", "korea.ac.kr", "my-own-browser", "argon2"]
    {
        assert!(!all.contains(personal), "{personal} is still there");
    }
    let left =
        format!("SELECT student_id FROM member WHERE id = {id} AND anonymised_ms IS NOT NULL");
    assert_eq!(texts(&inside, &left), [format!("left-{id}")]);
    // Whoever comes next may have the same id and address.
    inside.add("2031000001", Role::Student, &[]);
    inside.demand_clean();
}

#[test]
fn who_has_no_password_deletes_with_a_fresh_log_in_and_admins_with_a_reason() {
    let inside = site(2);
    inside.add("ADMIN1", Role::Admin, &[]);
    inside.add("STAFF1", Role::Staff, &[1]);
    let admin = inside.account("ADMIN1");
    let student = inside.student(0);
    student.call("DELETE", ME, &[], "").refused(415, "unsupported_type");
    inside.pass(11 * 60_000);
    delete(&student, ME, &json!({})).refused(401, "session_ended");
    delete(&inside.student(0), ME, &json!({})).expect(204);
    inside.student(1).rent(101);
    let found = admin.get(&format!("/api/v1/members?q={}", student_id(1))).expect(200).json();
    let path = format!("/api/v1/members/{}", found["members"][0]["member_id"]);
    delete(&admin, &path, &json!({ "reason": "" })).refused(422, "invalid");
    delete(&admin, &path, &json!({ "reason": "졸업" })).refused(409, "still_renting");
    inside.student(1).give_back(101);
    delete(&inside.account("STAFF1"), &path, &json!({ "reason": "졸업" }))
        .refused(403, "forbidden");
    delete(&admin, &path, &json!({ "reason": "졸업" })).expect(204);
    delete(&admin, &path, &json!({ "reason": "졸업" })).refused(404, "member_not_found");
    delete(&admin, ME, &json!({ "password": PASSWORD })).refused(409, "last_admin");
    let left = admin.get("/api/v1/members?state=left").expect(200).json();
    assert_eq!((&left["total"], &left["members"][0]["name"]), (&json!(2), &json!("")));
}

#[test]
fn my_data_is_a_file_with_everything_about_me_and_nobody_else() {
    let inside = site(2);
    inside.student(1).rent(102);
    let me = inside.student(0);
    me.rent(101);
    me.call("PATCH", ME, &["Content-Type: application/json"], "{\"language\":\"en\"}").expect(204);
    me.call("PATCH", ME, &["Content-Type: application/json"], "{\"language\":\"fr\"}")
        .refused(422, "invalid");
    let reply = me.get("/api/v1/me/data").expect(200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let name = reply.header("content-disposition").expect("a name");
    assert_eq!(name, "attachment; filename=\"my-data.json\"");
    let (text, data) = (reply.text(), reply.json());
    assert_eq!(data["account"]["phone_number"], student_phone(0));
    assert_eq!(data["account"]["language"], "en");
    assert_eq!(data["kept"]["openings_days"], 10);
    assert_eq!(data["rentals"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&data["rentals"][0]["locker_id"], &data["rentals"][0]["state"]),
        (&json!(101), &json!("active"))
    );
    assert!(data["rentals"][0]["returned_at"].is_null());
    me.locker(101, "release").expect(200);
    let later = me.get("/api/v1/me/data").expect(200).json();
    assert_eq!(later["rentals"][0]["state"], "returned");
    assert!(later["rentals"][0]["returned_at"].is_string(), "{later}");
    assert_eq!(data["sessions"][0]["method"], "roster");
    assert_eq!(data["mails"][0]["kind"], "rental_confirmed");
    let actions: Vec<&str> = data["audit"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["action"].as_str())
        .collect();
    for action in ["member.add", "session.open", "rental.confirm", "member.change"] {
        assert!(actions.contains(&action), "{action} is missing: {actions:?}");
    }
    assert!(!text.contains(&student_name(1)) && !text.contains("hash"), "{text}");
}

/// Stores an opening of long ago beside the server.
fn store_opening(inside: &Inside, locker: i64, member: MemberId, days_ago: i64, outcome: &str) {
    let at_ms = inside.clock.now().as_millisecond() - days_ago * 86_400_000;
    let sql = "INSERT INTO opening (id, locker_id, member_id, opened_as, requested_ms, sent_ms,
                   acknowledged_ms, outcome)
               VALUES (?1, ?2, ?3, 'staff', ?4, ?4 + 10, ?4 + 50, ?5)";
    let id = uuid::Uuid::now_v7().to_string();
    inside
        .sql()
        .execute(sql, rusqlite::params![id, locker, member.0, at_ms, outcome])
        .expect("stored");
}

#[test]
fn old_openings_go_and_the_figures_of_their_locks_stay() {
    let inside = site(1);
    let admin_id = inside.add("ADMIN1", Role::Admin, &[]);
    inside.student(0).rent(101);
    // Whole days count of what is forgotten: none lies on the border of the second question.
    for days_ago in (5..35).filter(|days_ago| *days_ago != 25) {
        store_opening(&inside, 102, admin_id, days_ago, "door_did_not_open");
    }
    for days_ago in [20, 30] {
        store_opening(&inside, 101, admin_id, days_ago, "opened");
    }
    let admin = inside.account("ADMIN1");
    let figures = |days: u32| {
        let reply = admin.get(&format!("/api/v1/locks?days={days}")).expect(200).json();
        reply["locks"].clone()
    };
    let before = [figures(90), figures(25)];
    inside.run(inside.services.forget_old()).expect("forgotten");
    assert_eq!([figures(90), figures(25)], before);
    assert_eq!(before[0].as_array().map(Vec::len), Some(2), "{before:?}");
    // Ten days are kept, and of a rented locker the last opening.
    assert_eq!(count(&inside, "SELECT count(*) FROM opening WHERE locker_id = 102"), 6);
    assert_eq!(count(&inside, "SELECT count(*) FROM opening WHERE locker_id = 101"), 1);
    let retention = admin.get("/api/v1/retention").expect(200).json();
    assert_eq!(retention["kept"]["openings_days"], 10);
    let row = &retention["forgotten"][0];
    assert_eq!((&row["what"], &row["rows"]), (&json!("openings"), &json!(24)));
    assert_eq!(inside.run(inside.services.forget_old()).expect("nothing"), 0);
    inside.student(0).get("/api/v1/retention").refused(403, "forbidden");
    inside.demand_clean();
}

#[test]
fn what_is_over_is_forgotten_in_its_time_and_nothing_else() {
    let inside = site(3);
    let admin_id = inside.add("ADMIN1", Role::Admin, &[]);
    inside.add("STAFF1", Role::Staff, &[1]);
    let staff = inside.account("STAFF1");
    for n in 0..2 {
        inside.student(n).rent(101 + i64::try_from(n).expect("small"));
    }
    // Two of three are gone from the roster; one of them still has things in a locker.
    let file = format!("student_id,name\n{},{}\n", student_id(1), student_name(1));
    let mark = "/api/v1/members/import?leavers=mark";
    staff.call("POST", mark, &["Content-Type: text/csv"], &file).expect(200);
    inside.student(2).post("/api/v1/auth/logout").expect(204);
    let at_ms = inside.clock.now().as_millisecond();
    inside
        .sql()
        .execute_batch(&format!(
            "INSERT INTO alarm (kind, severity, subject, locker_id, bank_id, raised_ms,
                 last_seen_ms, count, evidence, cleared_ms, clear_reason, acknowledged_ms,
                 acknowledged_by, acknowledge_note)
               VALUES ('left_open', 'info', 'locker:101', 101, 1, {at_ms}, {at_ms}, 1, '{{}}', {at_ms},
                       'door_closed', {at_ms}, {admin_id}, 'x');
             INSERT INTO alarm (kind, severity, subject, locker_id, bank_id, raised_ms,
                 last_seen_ms, count, evidence)
               VALUES ('jammed', 'info', 'locker:102', 102, 1, {at_ms}, {at_ms}, 1, '{{}}');
             INSERT INTO alarm_step (alarm_id, at_ms, step) VALUES (1, {at_ms}, 'raised');
             UPDATE outbox SET sent_ms = {at_ms}, due_ms = NULL;
             INSERT INTO mass_opening (id, member_id, reason, state, started_ms, ended_ms)
               VALUES ('01900000-0000-7000-8000-000000000000', {admin_id}, 'x', 'done', 1, 2);
             INSERT INTO mass_opening_locker (mass_opening_id, position, locker_id)
               VALUES ('01900000-0000-7000-8000-000000000000', 0, 101);
             INSERT INTO mass_opening_bank (mass_opening_id, bank_id, running)
               VALUES ('01900000-0000-7000-8000-000000000000', 1, 0);"
        ))
        .expect("consistent");
    store_opening(&inside, 101, admin_id, 2, "opened");
    store_opening(&inside, 101, admin_id, 1, "opened");
    let of_order = "UPDATE opening SET mass_opening_id = '01900000-0000-7000-8000-000000000000'
                    WHERE requested_ms = (SELECT min(requested_ms) FROM opening)";
    inside.sql().execute(of_order, []).expect("stored");
    let forget = || inside.run(inside.services.forget_old()).expect("forgotten");
    assert_eq!(forget(), 0, "nothing is old enough");
    let mut forgotten = Vec::new();
    for day in [4, 6, 9, 21, 31] {
        let passed = inside.clock.now().as_millisecond() - at_ms;
        inside.pass(day * DAY_MS - u64::try_from(passed).expect("forward"));
        forget();
        forgotten = texts(&inside, "SELECT what || ' ' || rows FROM pruning ORDER BY at_ms, what");
    }
    assert_eq!(
        forgotten,
        ["mails 2", "sessions 1", "openings 1", "sessions 3", "alarms 1", "members 1"],
        "each in its time"
    );
    let states = "SELECT student_id || ' ' || (anonymised_ms IS NOT NULL) FROM member
                  WHERE role = 'student' ORDER BY id";
    let left = texts(&inside, "SELECT id || '' FROM member WHERE anonymised_ms IS NOT NULL");
    assert_eq!(
        texts(&inside, states),
        [
            format!("{} 0", student_id(0)),
            format!("{} 0", student_id(1)),
            format!("left-{} 1", left[0])
        ],
        "who still has a locker stays"
    );
    assert_eq!(texts(&inside, "SELECT kind FROM alarm"), ["jammed"], "a live alarm stays");
    let order = "/api/v1/mass-openings/01900000-0000-7000-8000-000000000000";
    let order = inside.account("ADMIN1").get(order).expect(200).json();
    assert_eq!(order["counts"]["opened"], 1, "{order}");
    inside.demand_clean();
}

#[test]
fn who_gave_a_locker_back_is_not_forgotten_before_it_is_empty() {
    let inside = site(2);
    inside.add("STAFF1", Role::Staff, &[1]);
    inside.student(0).rent(101);
    let file = format!("student_id,name\n{},{}\n", student_id(1), student_name(1));
    let mark = "/api/v1/members/import?leavers=mark";
    let staff = inside.account("STAFF1");
    staff.call("POST", mark, &["Content-Type: text/csv"], &file).expect(200);
    inside.pass(31 * DAY_MS);
    let late = inside.student(0);
    assert_eq!(late.locker(101, "release").expect(200).json()["waits_for"], "confirmation");
    let nameless = "SELECT count(*) FROM member WHERE anonymised_ms IS NOT NULL";
    inside.run(inside.services.forget_old()).expect("forgotten");
    assert_eq!(count(&inside, nameless), 0);
    late.give_back(101);
    inside.run(inside.services.forget_old()).expect("forgotten");
    assert_eq!(count(&inside, nameless), 1);
    inside.demand_clean();
}

#[test]
fn an_alarm_that_nobody_acknowledged_is_kept_for_twice_the_term() {
    let inside = site(0);
    let at_ms = inside.clock.now().as_millisecond();
    let admin = inside.add("ADMIN1", Role::Admin, &[]);
    inside
        .sql()
        .execute_batch(&format!(
            "INSERT INTO alarm (kind, severity, subject, locker_id, bank_id, raised_ms,
                 last_seen_ms, count, evidence, cleared_ms, clear_reason)
               VALUES ('left_open', 'info', 'locker:101', 101, 1, 1, 1, 1, '{{}}', {at_ms},
                       'door_closed'),
                      ('forced_open', 'info', 'locker:101', 101, 1, 1, 1, 1, '{{}}', {at_ms},
                       'door_closed'),
                      ('jammed', 'info', 'locker:102', 102, 1, 1, 1, 1, '{{}}', {at_ms}, 'calm');
             UPDATE alarm SET acknowledged_ms = {at_ms}, acknowledged_by = {admin},
                 acknowledge_note = 'x' WHERE kind = 'left_open';"
        ))
        .expect("consistent");
    let left_on_day = |day: u64| {
        let passed = inside.clock.now().as_millisecond() - at_ms;
        inside.pass(day * DAY_MS - u64::try_from(passed).expect("forward"));
        inside.run(inside.services.forget_old()).expect("forgotten");
        texts(&inside, "SELECT kind FROM alarm ORDER BY id").join(" ")
    };
    assert_eq!(left_on_day(19), "left_open forced_open jammed");
    assert_eq!(left_on_day(21), "forced_open jammed");
    assert_eq!(left_on_day(39), "forced_open jammed");
    // Whoever acknowledges one late has seen it.
    let late = "UPDATE alarm SET acknowledged_ms = 1, acknowledged_by = 1, acknowledge_note = 'x'
                WHERE kind = 'jammed'";
    inside.sql().execute(late, []).expect("stored");
    assert_eq!(left_on_day(40), "forced_open");
    assert_eq!(left_on_day(41), "");
}

#[test]
fn mails_to_addresses_of_an_account_go_with_it() {
    let inside = site(0);
    inside.add("2031000001", Role::Student, &[]);
    let member = inside.account("2031000001");
    let wish = json!({ "email": "first@korea.ac.kr", "password": PASSWORD });
    let begun = member.post_json("/api/v1/auth/email", &wish).expect(202).json();
    let code = inside.mailed("email_change_code")["code"].clone();
    let confirm = json!({ "change_id": begun["change_id"], "code": code });
    member.post_json("/api/v1/auth/email/confirm", &confirm).expect(204);
    let wish = json!({ "email": "second@korea.ac.kr", "password": PASSWORD });
    member.post_json("/api/v1/auth/email", &wish).expect(202);
    let waiting = "SELECT address || ' ' || kind FROM outbox WHERE sent_ms IS NULL ORDER BY id";
    assert_eq!(
        texts(&inside, waiting),
        [
            "first@korea.ac.kr email_change_code",
            "2031000001@korea.ac.kr email_changed",
            "second@korea.ac.kr email_change_code"
        ]
    );
    // One of them is through: it stays as a date.
    let sent = "UPDATE outbox SET sent_ms = 1, due_ms = NULL, payload = '{}', sealed = NULL
                WHERE kind = 'email_changed'";
    inside.sql().execute(sent, []).expect("stored");
    delete(&member, ME, &json!({ "password": PASSWORD })).expect(204);
    assert_eq!(texts(&inside, waiting), ["first@korea.ac.kr account_deleted"]);
    inside.sql().execute("DELETE FROM outbox WHERE kind = 'account_deleted'", []).expect("gone");
    assert!(!everything(&inside).contains("korea.ac.kr"), "an address is still there");
    inside.demand_clean();
}
