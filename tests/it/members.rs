//! Accounts through HTTP: who may look up and manage whom, and what a change leaves as it was.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply};
use crate::support::inside::{Inside, open_now};
use crate::support::site::{PASSWORD, student, student_id, student_name, student_phone};

const MEMBERS: &str = "/api/v1/members";
const BOX: &str = "[auth]\nroster_login = 'full'\n[mail]\ntransport = 'box'\n";

/// A site with students, a member of staff for bank 1, and an admin.
struct People {
    inside: Inside,
    admin: Client,
    staff: Client,
}

fn people(students: usize) -> People {
    let inside = Inside::configured(BOX, [101, 102], students, open_now);
    inside.add("ADMIN1", Role::Admin, &[]);
    inside.add("STAFF1", Role::Staff, &[1]);
    let (admin, staff) = (inside.account("ADMIN1"), inside.account("STAFF1"));
    People { inside, admin, staff }
}

fn send(client: &Client, method: &str, path: &str, body: &Value) -> Reply {
    client.call(method, path, &["Content-Type: application/json"], &body.to_string())
}

/// The number of the account with this id.
fn number(client: &Client, id: &str) -> i64 {
    let found = client.get(&format!("{MEMBERS}?q={id}")).expect(200).json();
    found["members"][0]["member_id"].as_i64().expect("one")
}

fn path(id: i64, rest: &str) -> String {
    format!("{MEMBERS}/{id}{rest}")
}

#[test]
fn staff_find_everybody_in_pages_and_see_no_secret() {
    let site = people(7);
    let mut seen = Vec::new();
    let mut cursor = String::new();
    for _ in 0..4 {
        let page = site.staff.get(&format!("{MEMBERS}?sort=name&limit=3{cursor}")).expect(200);
        assert!(!page.text().contains("argon2") && !page.text().contains("hash"), "no secret");
        let page = page.json();
        assert_eq!(page["total"], 9);
        let rows = page["members"].as_array().expect("rows").clone();
        seen.extend(rows.iter().map(|row| row["name"].as_str().expect("a name").to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let mut sorted = seen.clone();
    sorted.sort();
    assert_eq!((seen.len(), &seen), (9, &sorted), "each once, in order");
    site.inside.student(3).rent(101);
    let phone = &student_phone(3)[3..];
    let found = site.staff.get(&format!("{MEMBERS}?q={phone}&role=student")).expect(200).json();
    assert_eq!(
        (&found["total"], &found["members"][0]["student_id"]),
        (&json!(1), &json!("2024****03"))
    );
    assert_eq!(found["members"][0]["rentals"][0]["locker_id"], 101);
    assert_eq!(found["members"][0]["state"], "not_signed_up");
    let staff = number(&site.staff, "STAFF1");
    let detail = site.staff.get(&path(staff, "")).expect(200).json();
    assert_eq!((&detail["banks"], &detail["second_factor"]), (&json!([1]), &json!(false)));
    assert_eq!((&detail["signed_up"], &detail["active"]), (&json!(true), &json!(true)));
    assert_eq!(detail["consent"], Value::Null);
    for (query, code) in [
        ("state=asleep", 422),
        ("role=king", 422),
        ("sort=age", 422),
        ("limit=0", 422),
        ("limit=101", 422),
        ("cursor=%00", 422),
        ("cursor=W10", 422),
        ("colour=red", 400),
    ] {
        assert_eq!(site.staff.get(&format!("{MEMBERS}?{query}")).status, code, "{query}");
    }
    site.staff.get(&path(999, "")).refused(404, "member_not_found");
    site.inside.student(0).get(MEMBERS).refused(403, "forbidden");
}

#[test]
fn staff_manage_students_and_admins_everybody() {
    let site = people(1);
    let (student, staff) = (number(&site.admin, &student_id(0)), number(&site.admin, "STAFF1"));
    let reason = json!({ "reason": "x" });
    for (method, rest, body) in [
        ("PATCH", "", json!({ "name": "다른 이" })),
        ("POST", "/disable", reason.clone()),
        ("POST", "/enable", json!({})),
        ("POST", "/reset-password", json!({})),
    ] {
        send(&site.staff, method, &path(staff, rest), &body).refused(403, "forbidden");
        let reply = send(&site.staff, method, &path(student, rest), &body);
        assert!(matches!(reply.status, 200 | 204), "{method} {rest}: {}", reply.text());
    }
    for (method, rest, body) in [
        ("PUT", "/role", json!({ "role": "staff" })),
        ("PUT", "/banks", json!({ "banks": [1] })),
        ("DELETE", "", reason),
    ] {
        send(&site.staff, method, &path(student, rest), &body).refused(403, "forbidden");
    }
    let new = |id: &str, role: &str| json!({ "student_id": id, "name": "새 사람", "role": role });
    send(&site.staff, "POST", MEMBERS, &new("N100", "student")).expect(201);
    send(&site.staff, "POST", MEMBERS, &new("N200", "staff")).refused(403, "forbidden");
    let banks = json!({ "student_id": "N300", "name": "x", "role": "staff", "banks": [1] });
    let made = send(&site.admin, "POST", MEMBERS, &banks).expect(201).json();
    let made = made["member_id"].as_i64().expect("a number");
    assert_eq!(site.admin.get(&path(made, "")).expect(200).json()["banks"], json!([1]));
    send(&site.admin, "POST", MEMBERS, &json!({ "student_id": "N400", "name": "x", "banks": [1] }))
        .refused(422, "invalid");
    // The same request again makes nobody twice.
    let keyed = ["Content-Type: application/json", "Idempotency-Key: k1"];
    let body = new("N500", "student").to_string();
    let first = site.staff.call("POST", MEMBERS, &keyed, &body).expect(201).json();
    let again = site.staff.call("POST", MEMBERS, &keyed, &body).expect(201);
    assert_eq!((again.header("idempotency-replayed"), again.json()), (Some("true"), first));
}

#[test]
fn what_a_glance_could_take_away_is_covered_until_somebody_asks_and_that_is_written_down() {
    let site = people(3);
    let id = number(&site.staff, &student_id(1));
    let told = || site.inside.number("SELECT count(*) FROM audit WHERE action = 'member.reveal'");
    let covered = json!(["2024****01", format!("010****{}", &student_phone(1)[7..]), true]);
    let of = |row: &Value| json!([row["student_id"], row["phone_number"], row["covered"]]);
    let list = |question: &str| {
        let page = site.staff.get(&format!("{MEMBERS}?{question}")).expect(200).json();
        page["members"].as_array().expect("rows").clone()
    };
    assert_eq!(of(&site.staff.get(&path(id, "")).expect(200).json()), covered);
    // The whole id finds one, a part of it as many as have it.
    let found = list(&format!("student_id={}", student_id(1)));
    assert_eq!(found.iter().map(of).collect::<Vec<_>>(), [covered]);
    assert_eq!(list("student_id=202400000").len(), 0);
    assert_eq!(list("role=student").len(), 3);
    // Who works here is no secret among those who work here; how to reach them is covered.
    let staff = &list("student_id=staff1")[0];
    let reached = (&staff["student_id"], &staff["email"]);
    assert_eq!(reached, (&json!("STAFF1"), &json!("st****@korea.ac.kr")));
    assert_eq!(told(), 0, "nothing was shown yet");

    let shown = site.staff.post(&path(id, "/reveal")).expect(200).json();
    assert_eq!(shown["student_id"], student_id(1));
    assert_eq!(shown["phone_number"], student_phone(1));
    let audit = format!(
        "SELECT count(*) FROM audit WHERE action = 'member.reveal' AND subject = 'member:{id}'
           AND actor_id = (SELECT id FROM member WHERE student_id = 'STAFF1')"
    );
    assert_eq!((told(), site.inside.number(&audit)), (1, 1));
    // A list that is shown whole names those whom it showed.
    let rows = list("role=student&reveal=true");
    assert!(rows.iter().all(|row| row["covered"] == false), "{rows:?}");
    assert_eq!(rows[1]["student_id"], student_id(1));
    let named = "SELECT json_array_length(detail, '$.members') FROM audit
                 WHERE action = 'member.reveal' AND subject = 'site:1'";
    assert_eq!((told(), site.inside.number(named)), (2, 3));
    site.inside.student(0).post(&path(id, "/reveal")).refused(403, "forbidden");
    site.staff.post(&path(999, "/reveal")).refused(404, "member_not_found");
    assert_eq!(told(), 2);
}

#[test]
fn a_change_keeps_rental_and_history_and_a_conflict_names_the_field() {
    let site = people(2);
    site.inside.student(0).rent(101);
    let id = number(&site.staff, &student_id(0));
    let change = |body: Value| send(&site.staff, "PATCH", &path(id, ""), &body);
    let reply = change(json!({
        "student_id": "2030000001", "name": "김개명", "phone_number": "010-9999-0000",
        "email": "new@korea.ac.kr", "department": "수학과", "language": "en",
    }));
    let all = ["student_id", "name", "phone_number", "email", "department", "language"];
    assert_eq!(reply.expect(200).json()["changed"], json!(all));
    assert_eq!(change(json!({ "name": "김개명" })).expect(200).json()["changed"], json!([]));
    let body =
        json!({ "student_id": "2030000001", "name": "김개명", "phone_number": "01099990000" });
    assert_eq!(site.inside.nobody().log_in(&body).mine()["locker_id"], 101);
    assert_eq!(site.inside.history(), ["101 2030000001 active -"]);
    for (body, code) in [
        (json!({ "student_id": student_id(1) }), "student_id_taken"),
        (json!({ "phone_number": student_phone(1) }), "phone_taken"),
        (json!({ "email": "staff1@korea.ac.kr" }), "email_taken"),
    ] {
        change(body).refused(409, code);
    }
    for body in
        [json!({ "phone_number": "12" }), json!({ "language": "fr" }), json!({ "name": " " })]
    {
        change(body).refused(422, "invalid");
    }
    change(json!({ "shoe_size": 9 })).refused(400, "bad_json");
    // An address that somebody else typed is proven by nobody.
    let proven = "UPDATE member SET email_verified_ms = 1 WHERE student_id = '2030000001'";
    site.inside.sql().execute(proven, []).expect("stored");
    change(json!({ "email": "other@korea.ac.kr", "phone_number": "" })).expect(200);
    let now = site.staff.get(&path(id, "")).expect(200).json();
    assert_eq!((&now["email_verified_at"], &now["phone_number"]), (&Value::Null, &Value::Null));
    // The log says which fields, never what stood in them.
    let details: String = site
        .inside
        .sql()
        .query_row(
            "SELECT group_concat(detail) FROM audit WHERE action LIKE 'member.%'",
            [],
            |row| row.get(0),
        )
        .expect("rows");
    assert!(details.contains("phone_number") && !details.contains("9999"), "{details}");
    assert!(!details.contains("김개명") && !details.contains("korea.ac.kr"), "{details}");
    site.inside.demand_clean();
}

#[test]
fn a_role_changes_at_once_and_never_the_last_admin_s() {
    let site = people(1);
    let (admin, staff) = (number(&site.admin, "ADMIN1"), number(&site.admin, "STAFF1"));
    let give = |id: i64, role: &str| {
        send(&site.admin, "PUT", &path(id, "/role"), &json!({ "role": role }))
    };
    give(admin, "student").refused(409, "last_admin");
    send(&site.admin, "POST", &path(admin, "/disable"), &json!({ "reason": "x" }))
        .refused(403, "forbidden");
    send(&site.admin, "DELETE", &path(admin, ""), &json!({ "reason": "x" }))
        .refused(409, "last_admin");
    give(staff, "king").refused(422, "invalid");
    // The token that said staff is dead with the role.
    give(staff, "student").expect(204);
    site.staff.get(MEMBERS).refused(401, "session_ended");
    let student = site.inside.account("STAFF1");
    student.get(MEMBERS).refused(403, "forbidden");
    assert_eq!(site.admin.get(&path(staff, "")).expect(200).json()["banks"], json!([]));
    send(&site.admin, "PUT", &path(staff, "/banks"), &json!({ "banks": [1] }))
        .refused(422, "invalid");
    give(staff, "admin").expect(204);
    // A disabled admin keeps nobody from being the last.
    send(&site.admin, "POST", &path(staff, "/disable"), &json!({ "reason": "x" })).expect(204);
    give(admin, "staff").refused(409, "last_admin");
    send(&site.admin, "POST", &path(staff, "/enable"), &json!({})).expect(204);
    give(admin, "staff").expect(204);
    site.admin.get(MEMBERS).refused(401, "session_ended");
}

#[test]
fn whoever_is_disabled_is_out_at_once_and_keeps_the_locker() {
    let site = people(1);
    let login = "/api/v1/auth/login";
    let tokens = site.inside.nobody().post_json(login, &student(0)).expect(200).json();
    let renter = site.inside.student(0);
    renter.rent(101);
    let id = number(&site.staff, &student_id(0));
    send(&site.staff, "PATCH", &path(id, ""), &json!({ "email": "a@korea.ac.kr" })).expect(200);
    let disable = |reason: &str| {
        send(&site.staff, "POST", &path(id, "/disable"), &json!({ "reason": reason }))
    };
    disable(" ").refused(422, "invalid");
    disable(&"x".repeat(501)).refused(422, "invalid");
    disable("학생증 분실").expect(204);
    disable("학생증 분실, 다시").expect(204);
    renter.get("/api/v1/lockers/me").refused(401, "session_ended");
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    site.inside.nobody().post_json("/api/v1/auth/refresh", &refresh).refused(401, "session_ended");
    site.inside.nobody().post_json(login, &student(0)).refused(403, "account_disabled");
    let seen = site.staff.get(&path(id, "")).expect(200).json();
    assert_eq!((&seen["state"], &seen["active"]), (&json!("disabled"), &json!(false)));
    assert_eq!(seen["disabled"]["reason"], "학생증 분실, 다시");
    assert_eq!(seen["rentals"][0]["locker_id"], 101);
    send(&site.staff, "POST", &path(id, "/enable"), &json!({})).expect(204);
    send(&site.staff, "POST", &path(id, "/enable"), &json!({})).expect(204);
    assert_eq!(site.inside.student(0).mine()["locker_id"], 101);
    let mails: String = site
        .inside
        .sql()
        .query_row("SELECT group_concat(kind) FROM outbox WHERE kind LIKE 'account%'", [], |row| {
            row.get(0)
        })
        .expect("rows");
    assert_eq!(mails, "account_disabled,account_enabled", "told once each");
}

#[test]
fn a_new_password_is_mailed_or_handed_over_and_set_once() {
    let site = people(1);
    let id = number(&site.staff, &student_id(0));
    let reset = || site.staff.post(&path(id, "/reset-password")).expect(200).json();
    let set = |reset_id: &Value, code: &Value, password: &str| {
        let mut body = json!({ "reset_id": reset_id, "code": code, "password": password });
        body["consent"] = json!("1");
        site.inside.nobody().post_json("/api/v1/auth/password/reset", &body)
    };
    let (old, handed) = (reset(), reset());
    set(&handed["reset_id"], &handed["code"], PASSWORD).expect(204);
    // With it all others are over.
    for reset in [old, handed] {
        set(&reset["reset_id"], &reset["code"], PASSWORD).refused(410, "code_expired");
    }
    site.inside.account(&student_id(0)).get(MEMBERS).refused(403, "forbidden");
    send(&site.staff, "PATCH", &path(id, ""), &json!({ "email": "a@korea.ac.kr" })).expect(200);
    let mailed = reset();
    assert_eq!(mailed["code"], Value::Null, "the code is in the mail");
    let code = site.inside.mailed("password_reset")["code"].clone();
    // Another address: what went to the old one is good no more.
    send(&site.staff, "PATCH", &path(id, ""), &json!({ "email": "b@korea.ac.kr" })).expect(200);
    set(&mailed["reset_id"], &code, PASSWORD).refused(410, "code_expired");
    site.staff.post(&path(999, "/reset-password")).refused(404, "member_not_found");
}

#[test]
fn an_exported_file_opens_in_excel_and_comes_back_as_a_roster() {
    let site = people(3);
    let id = number(&site.staff, &student_id(0));
    let odd = json!({ "name": "=SUM(A1)", "department": "-1,\"x\"" });
    send(&site.staff, "PATCH", &path(id, ""), &odd).expect(200);
    let file = site.staff.get(&format!("{MEMBERS}/export?role=student")).expect(200);
    assert_eq!(file.header("content-type"), Some("text/csv; charset=utf-8"));
    let name = file.header("content-disposition").expect("a name");
    assert!(name.starts_with("attachment"), "{name}");
    let text = file.text();
    assert!(text.starts_with('\u{feff}'), "without it Excel reads another encoding");
    assert!(text.contains("\"'=SUM(A1)\"") && text.contains("\"'-1,\"\"x\"\"\""), "{text}");
    assert!(text.contains(&student_name(1)) && !text.contains("STAFF1"), "{text}");
    let back = site.staff.call(
        "POST",
        &format!("{MEMBERS}/import?dry_run=true"),
        &["Content-Type: text/csv"],
        &text,
    );
    let report = back.expect(200).json();
    assert_eq!((&report["unchanged"], &report["changed"]), (&json!(3), &json!(0)), "{report}");
    let audited: String = site
        .inside
        .sql()
        .query_row("SELECT detail FROM audit WHERE action = 'member.export'", [], |row| row.get(0))
        .expect("one row");
    assert!(audited.contains("\"rows\":3"), "{audited}");
    site.inside.student(1).get(&format!("{MEMBERS}/export")).refused(403, "forbidden");
}

#[test]
fn a_first_password_needs_consent_and_a_mailed_code_proves_the_address() {
    let site = people(2);
    let nobody = site.inside.nobody();
    let set = |reset: &Value, code: &Value, consent: Value| {
        let mut body = json!({ "reset_id": reset["reset_id"], "code": code, "password": PASSWORD });
        if consent != Value::Null {
            body["consent"] = consent;
        }
        nobody.post_json("/api/v1/auth/password/reset", &body)
    };
    let kept = |n: usize| -> (Option<String>, bool, bool) {
        let sql = "SELECT consent_version, consent_ms IS NOT NULL, email_verified_ms IS NOT NULL
                   FROM member WHERE student_id = ?1";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        site.inside.sql().query_row(sql, [student_id(n)], row).expect("there")
    };
    // Handed over: nothing is known of an address.
    let id = number(&site.staff, &student_id(0));
    let reset = site.staff.post(&path(id, "/reset-password")).expect(200).json();
    let refused = set(&reset, &reset["code"], Value::Null).refused(422, "consent_needed");
    assert_eq!(refused["version"], "1");
    set(&reset, &reset["code"], json!("0")).refused(422, "consent_needed");
    set(&reset, &json!("x"), Value::Null).refused(422, "code_wrong");
    set(&reset, &reset["code"], json!("1")).expect(204);
    assert_eq!(kept(0), (Some("1".to_owned()), true, false));
    // The next password is the account's own affair.
    let reset = site.staff.post(&path(id, "/reset-password")).expect(200).json();
    set(&reset, &reset["code"], Value::Null).expect(204);
    assert_eq!(kept(0), (Some("1".to_owned()), true, false));
    let id = number(&site.staff, &student_id(1));
    send(&site.staff, "PATCH", &path(id, ""), &json!({ "email": "a@korea.ac.kr" })).expect(200);
    let reset = site.staff.post(&path(id, "/reset-password")).expect(200).json();
    let code = site.inside.mailed("password_reset")["code"].clone();
    set(&reset, &code, json!("1")).expect(204);
    assert_eq!(kept(1), (Some("1".to_owned()), true, true));
}
