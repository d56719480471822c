//! The audit log for admins: reading, its signed head, and finding what somebody changed in it.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};
use crate::support::site::{Plan, Site};

fn inside() -> (Inside, Client) {
    let inside = Inside::start(101..=103, 2, open_now);
    inside.add("ADMIN1", Role::Admin, &[]);
    let admin = inside.account("ADMIN1");
    (inside, admin)
}

#[track_caller]
fn rows(admin: &Client, query: &str) -> Vec<Value> {
    let page = admin.get(&format!("/api/v1/audit?{query}")).expect(200).json();
    page["rows"].as_array().expect("rows").clone()
}

#[test]
fn admins_read_filter_and_page_who_did_what() {
    let (inside, admin) = inside();
    let student = inside.student(0);
    student.rent(101);
    inside.pass(60_000);
    inside.student(1).rent(102);
    let all = rows(&admin, "limit=200");
    assert!(all.len() >= 6, "{all:?}");
    let ids: Vec<i64> = all.iter().map(|row| row["audit_id"].as_i64().expect("a number")).collect();
    assert!(ids.is_sorted_by(|a, b| a > b), "newest first: {ids:?}");
    let confirms = rows(&admin, "action=rental.confirm");
    assert_eq!(confirms.len(), 2);
    assert_eq!(confirms[0]["subject"], "rental:2");
    let actor = &confirms[1]["actor_id"];
    assert_eq!(confirms[1]["actor_name"], "김가가가");
    let his = rows(&admin, &format!("actor={actor}&action=rental."));
    assert!(his.iter().all(|row| row["subject"] == "rental:1") && his.len() >= 2, "{his:?}");
    assert_eq!(rows(&admin, "subject=rental:1&action=rental.confirm").len(), 1);
    let late = &confirms[0]["at"].as_str().expect("a time");
    assert_eq!(rows(&admin, &format!("from={late}&action=rental.confirm")).len(), 1);
    assert_eq!(rows(&admin, &format!("to={late}&action=rental.confirm")).len(), 1);
    let mut walked = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = admin.get(&format!("/api/v1/audit?limit=2{cursor}")).expect(200).json();
        walked.extend(
            page["rows"].as_array().expect("rows").iter().map(|row| row["audit_id"].clone()),
        );
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(walked, ids);
    let one = admin.get(&format!("/api/v1/audit/{}", ids[0])).expect(200).json();
    assert_eq!(one, all[0]);
    admin.get("/api/v1/audit/99999").refused(404, "audit_row_not_found");
    for query in ["actor=x", "from=yesterday", "to=x", "limit=0", "limit=201", "cursor=x"] {
        admin.get(&format!("/api/v1/audit?{query}")).refused(422, "invalid");
    }
    inside.add("STAFF1", Role::Staff, &[1]);
    for path in ["", "/1", "/head", "/verify", "/export"] {
        let path = format!("/api/v1/audit{path}");
        inside.account("STAFF1").get(&path).refused(403, "forbidden");
        student.get(&path).refused(403, "forbidden");
    }
}

#[test]
fn what_was_changed_is_named_and_a_kept_head_shows_a_new_end() {
    let (inside, admin) = inside();
    inside.student(0).rent(101);
    let head = admin.get("/api/v1/audit/head").expect(200).json();
    let hex = head["head"].as_str().expect("hex").to_owned();
    let verify =
        |query: &str| admin.get(&format!("/api/v1/audit/verify{query}")).expect(200).json();
    let against = format!("?head={hex}");
    for query in ["", &against] {
        let verdict = verify(query);
        assert_eq!(
            (&verdict["intact"], &verdict["hash"]),
            (&json!(true), &head["hash"]),
            "{query}"
        );
    }
    // The newest rows are cut off and the log goes on: the chain alone looks whole.
    let rows = head["rows"].as_i64().expect("a number");
    let sql = inside.sql();
    sql.execute_batch("DROP TRIGGER audit_no_delete; DROP TRIGGER audit_no_update")
        .expect("dropped");
    sql.execute("DELETE FROM audit WHERE id > ?1", [rows - 1]).expect("tampered");
    assert_eq!(verify("")["intact"], true);
    let verdict = verify(&against);
    assert_eq!(verdict["intact"], false);
    assert_eq!(verdict["bad_row"]["audit_id"], rows);
    assert!(verdict["bad_row"]["reason"].as_str().is_some_and(|it| it.contains("cut off")));
    sql.execute("UPDATE audit SET action = 'rental.return' WHERE id = 2", []).expect("tampered");
    let bad = verify("")["bad_row"].clone();
    assert_eq!((&bad["audit_id"], &bad["action"]), (&json!(2), &json!("rental.return")));
    assert!(bad["at"].is_string());
    let other = format!("{}{}", &hex[..209], if hex.ends_with('0') { "1" } else { "0" });
    for wrong in ["x", &hex[..100], &other] {
        admin.get(&format!("/api/v1/audit/verify?head={wrong}")).refused(422, "invalid");
    }
}

#[test]
fn a_table_is_taken_along_and_that_is_noted() {
    let (inside, admin) = inside();
    inside.student(0).rent(101);
    let reply = admin.get("/api/v1/audit/export?action=rental.").expect(200);
    assert_eq!(reply.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(reply.header("content-disposition").is_some_and(|it| it.contains("audit.csv")));
    assert_eq!(reply.header("link"), None);
    assert_eq!(&reply.body[..3], b"\xEF\xBB\xBF", "Excel sees that it is UTF-8");
    let text = reply.text();
    assert!(text.lines().count() >= 3 && text.contains("김가가가"), "{text}");
    assert!(text.lines().skip(1).all(|line| line.contains("rental.")), "{text}");
    let noted = rows(&admin, "action=audit.export");
    assert_eq!(noted.len(), 1);
    assert_eq!(noted[0]["detail"]["action"], "rental.");
}

#[test]
fn the_command_line_proves_the_log_beside_a_running_server_and_on_a_copy() {
    let mut site = Site::start(&Plan::default().lockers(1, 101..=102).students(1).admin());
    site.student(0).rent(101);
    let head = site.command(&["audit", "head"], "").ok().out.trim().to_owned();
    assert_eq!(head.len(), 210, "{head}");
    let told = site.command(&["audit", "verify", "--head", &head, "--json"], "").ok().out;
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["intact"], true);
    let json = site.command(&["audit", "head", "--json"], "").ok().out;
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["head"], head);
    site.stop();
    // A copy elsewhere: without the key the public key is enough, or the key by name.
    let copy = site.path("copy.db");
    std::fs::copy(site.database(), &copy).expect("copied");
    let verify = |more: &[&str]| {
        let copy = copy.display().to_string();
        let base = ["audit", "verify", "--database", &copy, "--head", &head];
        site.command(&[&base[..], more].concat(), "")
    };
    let public = json["public_key"].as_str().expect("hex");
    verify(&["--public-key", public]).ok();
    verify(&["--key", &site.data_dir().join("audit.key").display().to_string()]).ok();
    assert!(verify(&[]).failed().err.contains("--key"));
    assert!(verify(&["--public-key", &"0".repeat(64)]).failed().err.contains("not signed by"));
    // Somebody with the file writes the end anew.
    let conn = rusqlite::Connection::open(&copy).expect("opened");
    conn.execute_batch(
        "DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE id = (SELECT max(id) FROM audit)",
    )
    .expect("tampered");
    drop(conn);
    let done = verify(&["--public-key", public]).failed();
    assert!(done.err.contains("cut off"), "{done:?}");
    let done = verify(&["--public-key", public, "--json"]);
    assert_eq!(done.code, Some(1));
    let told: Value = serde_json::from_str(&done.out).expect("JSON");
    assert_eq!(told["intact"], false);
    assert!(!site.data_dir().join("audit.key.new").exists());
}

#[test]
fn looking_makes_no_key() {
    let site = Site::prepare(&Plan::default().lockers(1, [101]).admin());
    let key = site.data_dir().join("audit.key");
    std::fs::remove_file(&key).expect("it was made by init");
    site.command(&["audit", "verify"], "").ok();
    assert!(site.command(&["audit", "head"], "").failed().err.contains("audit.key"));
    assert!(!key.exists());
}
