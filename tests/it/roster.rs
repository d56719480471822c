//! Rosters through HTTP: what an import does, says and refuses, and what becomes of who is gone.

use encoding_rs::EUC_KR;
use lockerd::domain::member::Role;
use lockerd::service::members::Actor;
use lockerd::service::members::import::ImportOptions;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply, Wire};
use crate::support::inside::{Inside, open_now};
use crate::support::site::{student_id, student_name, student_phone};
use crate::support::until;

const IMPORT: &str = "/api/v1/members/import";
const CSV: [&str; 1] = ["Content-Type: text/csv"];

fn site(students: usize) -> (Inside, Client) {
    let inside = Inside::start([101, 102, 103], students, open_now);
    inside.add("STAFF1", Role::Staff, &[1]);
    let staff = inside.account("STAFF1");
    (inside, staff)
}

fn import(client: &Client, query: &str, text: &str) -> Reply {
    client.call("POST", &format!("{IMPORT}?{query}"), &CSV, text)
}

/// The given students as a roster has them.
fn roster(students: impl IntoIterator<Item = usize>) -> String {
    let rows = students
        .into_iter()
        .map(|n| format!("{},{},{}\n", student_id(n), student_name(n), student_phone(n)));
    rows.fold("학번,이름,전화번호\n".to_owned(), |text, row| text + &row)
}

fn counts(report: &Value) -> [i64; 6] {
    ["new", "changed", "unchanged", "returning", "leavers", "refused"]
        .map(|name| report[name].as_i64().expect("a number"))
}

#[test]
fn a_preview_says_what_an_import_does_and_a_second_one_does_nothing() {
    let (inside, staff) = site(2);
    inside.student(0).rent(101);
    let file = format!(
        "학번;성명;연락처;이메일;학과\n{};김개명;010-9999-0000;k@korea.ac.kr;수학과\n\
         2030000001;새사람;;;\n2030000002;;;;\nSTAFF1;다른이;;;\n",
        student_id(0)
    );
    // As Excel in Korean writes it; bytes, since a test's request is text otherwise.
    let (cp949, ..) = EUC_KR.encode(&file);
    let take = |dry_run| {
        let options = ImportOptions { dry_run, ..ImportOptions::default() };
        let taken = inside.services.import_roster_file(Actor::CommandLine, cp949.to_vec(), options);
        serde_json::to_value(inside.run(taken).expect("a roster")).expect("JSON")
    };
    let preview = take(true);
    assert_eq!((&preview["encoding"], &preview["rows"]), (&json!("cp949"), &json!(4)));
    assert_eq!(counts(&preview), [1, 1, 1, 0, 0, 1], "{preview}");
    assert_eq!(preview["changes"][0]["student_id"], student_id(0));
    assert_eq!(
        preview["changes"][0]["fields"][0],
        json!({ "field": "name", "before": student_name(0), "after": "김개명" })
    );
    assert_eq!(
        (&preview["errors"][0]["line"], &preview["errors"][0]["field"]),
        (&json!(4), &json!("name"))
    );
    assert_eq!(preview["errors"][0]["reason"], "invalid");
    assert_eq!(preview["notes"][0]["line"], 5, "staff are not changed by a roster");
    assert_eq!(preview["notes"][0]["reason"], "staff");
    let before: i64 =
        inside.sql().query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).expect("rows");
    let report = import(&staff, "dry_run=true", &file).expect(200).json();
    assert_eq!((counts(&report), &report["encoding"]), (counts(&preview), &json!("utf-8")));
    let after: i64 =
        inside.sql().query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).expect("rows");
    assert_eq!(before, after, "a preview writes nothing");
    let report = import(&staff, "", &file).expect(200).json();
    assert_eq!(counts(&report), counts(&preview));
    let report = import(&staff, "", &file).expect(200).json();
    assert_eq!(counts(&report), [0, 0, 3, 0, 0, 1], "the second time nothing is left to do");
    assert_eq!(inside.history(), [format!("101 {} active -", student_id(0))]);
    let body =
        json!({ "student_id": student_id(0), "name": "김개명", "phone_number": "01099990000" });
    assert_eq!(inside.nobody().log_in(&body).mine()["locker_id"], 101);
    inside.demand_clean();
}

#[test]
fn numbers_that_change_hands_are_taken_in_one_go() {
    let (inside, staff) = site(3);
    let file = format!(
        "student_id,name,phone\n{},{},{}\n{},{},{}\n{},{},010-5555-5555\n2030000001,새사람,{}\n",
        student_id(0),
        student_name(0),
        student_phone(1),
        student_id(1),
        student_name(1),
        student_phone(0),
        student_id(2),
        student_name(2),
        student_phone(2),
    );
    let report = import(&staff, "", &file).expect(200).json();
    assert_eq!(counts(&report), [1, 3, 0, 0, 0, 0], "{report}");
    let phones: String = inside
        .sql()
        .query_row(
            "SELECT group_concat(phone) FROM (SELECT phone FROM member WHERE role = 'student'
             ORDER BY student_id)",
            [],
            |row| row.get(0),
        )
        .expect("rows");
    let wanted =
        [student_phone(1), student_phone(0), "01055555555".to_owned(), student_phone(2)].join(",");
    assert_eq!(phones, wanted);
    let taken = format!("student_id,name,phone\n2030000002,또사람,{}\n", student_phone(0));
    let report = import(&staff, "", &taken).expect(200).json();
    assert_eq!(counts(&report), [0, 0, 0, 0, 0, 1]);
    let error = &report["errors"][0];
    assert_eq!((&error["field"], &error["reason"]), (&json!("phone"), &json!("taken")));
}

#[test]
fn who_is_gone_can_only_empty_and_return_until_a_roster_has_them_again() {
    let (inside, staff) = site(4);
    let (renter, other) = (inside.student(0), inside.student(1));
    renter.rent(101);
    other.locker(102, "hold").expect(201);
    let preview = import(&staff, "leavers=mark&dry_run=true", &roster([2, 3])).expect(200).json();
    assert_eq!(counts(&preview), [0, 0, 2, 0, 2, 0]);
    assert_eq!(preview["leaving"], json!([student_id(0), student_id(1)]));
    let report = import(&staff, "leavers=keep", &roster([2, 3])).expect(200).json();
    assert_eq!(counts(&report), [0, 0, 2, 0, 0, 0], "only when asked for");
    let report = import(&staff, "leavers=mark", &roster([2, 3])).expect(200).json();
    assert_eq!(counts(&report)[4], 2);
    // The token of before is good, what it may do is not the same.
    other.locker(102, "confirm").refused(403, "leaving");
    other.locker(102, "release-hold").expect(200);
    other.locker(103, "hold").refused(403, "leaving");
    other.post("/api/v1/banks/1/hold").refused(403, "leaving");
    // No board hangs on it: that it was asked at all means that opening is allowed.
    renter.locker(101, "open").refused(409, "not_wired");
    let seen = staff.get("/api/v1/members?state=leaving&q=2024000000").expect(200).json();
    assert_eq!(seen["members"][0]["rentals"][0]["locker_id"], 101);
    assert!(seen["members"][0]["leaving_since"].is_string(), "{seen}");
    // Who is gone already is not gone a second time.
    let report = import(&staff, "leavers=mark", &roster([2, 3])).expect(200).json();
    assert_eq!(counts(&report)[4], 0);
    // Another locker in place of a broken one would be a claim as well.
    inside.sql().execute("UPDATE locker SET in_service = 0 WHERE id = 101", []).expect("stored");
    renter.locker(101, "replace").refused(403, "leaving");
    renter.give_back(101);
    inside.sql().execute("UPDATE locker SET in_service = 1 WHERE id = 101", []).expect("stored");
    let report = import(&staff, "leavers=mark", &roster([0, 1, 2, 3])).expect(200).json();
    assert_eq!(counts(&report), [0, 0, 2, 2, 0, 0]);
    inside.student(0).rent(101);
    inside.demand_clean();
}

#[test]
fn the_wrong_file_does_not_empty_the_roster() {
    let (inside, staff) = site(90);
    let mark = |more: &str| import(&staff, &format!("leavers=mark{more}"), &roster(0..50));
    let preview = mark("&dry_run=true").expect(200).json();
    assert_eq!((&preview["leavers"], &preview["confirm_leavers"]), (&json!(40), &json!(40)));
    let refused = mark("").refused(409, "roster_shrinks");
    assert_eq!(refused["leavers"], 40);
    mark("&confirm_leavers=39").refused(409, "roster_shrinks");
    let nobody = staff.get("/api/v1/members?state=leaving").expect(200).json();
    assert_eq!(nobody["total"], 0);
    assert_eq!(mark("&confirm_leavers=40").expect(200).json()["leavers"], 40);
    let gone = staff.get("/api/v1/members?state=leaving").expect(200).json();
    assert_eq!(gone["total"], 40);
    inside.demand_clean();
}

#[test]
fn what_is_no_roster_is_refused_and_two_at_once_wait_for_each_other() {
    let (inside, staff) = site(1);
    import(&staff, "", "name,phone\nx,1\n").refused(422, "invalid");
    import(&staff, "leavers=eat", "student_id,name\nA100,x\n").refused(422, "invalid");
    import(&staff, "dry_run=maybe", "student_id,name\nA100,x\n").refused(422, "invalid");
    import(&staff, "colour=red", "student_id,name\nA100,x\n").refused(400, "bad_request");
    staff.post_json(IMPORT, &json!({})).refused(415, "unsupported_type");
    let head = staff.request("PUT", IMPORT, &[CSV[0], "Content-Length: 99999999"], "");
    let reply = Wire::connect(staff.address).call(head.replacen("PUT", "POST", 1));
    reply.expect("an answer").refused(413, "too_large");
    import(&inside.student(0), "", "student_id,name\nA100,x\n").refused(403, "forbidden");
    inside
        .nobody()
        .call("POST", IMPORT, &CSV, "student_id,name\nA100,x\n")
        .refused(401, "unauthenticated");
    let options = ImportOptions::default();
    let [one, two] = [0, 1].map(|start| {
        let rows: Vec<usize> = (start * 700..start * 700 + 700).collect();
        let file = roster(rows).into_bytes();
        inside.services.import_roster_file(Actor::CommandLine, file, options)
    });
    let both = inside.run(async { tokio::join!(one, two) });
    let codes = [both.0.err(), both.1.err()].map(|it| it.map(|error| error.code.name()));
    assert!(codes.iter().flatten().all(|code| *code == "overloaded"), "{codes:?}");
    assert!(codes.contains(&None), "one of them is taken");
}

#[test]
fn lines_that_cannot_be_read_make_leaving_a_question() {
    let (inside, staff) = site(4);
    // The quote of line 3 takes line 4 in; with it two of four are not on the list.
    let file = format!(
        "student_id,name,phone\n{},{},\n{},\"{},\n{},{},\"\n{},{},\n",
        student_id(0),
        student_name(0),
        student_id(1),
        student_name(1),
        student_id(2),
        student_name(2),
        student_id(3),
        student_name(3)
    );
    let preview = import(&staff, "leavers=mark&dry_run=true", &file).expect(200).json();
    assert_eq!((&preview["errors"][0]["line"], &preview["refused"]), (&json!(3), &json!(1)));
    let error = preview["errors"][0]["error"].as_str().expect("why");
    assert!(error.contains("line 3"), "{error}");
    assert_eq!(preview["errors"][0]["reason"], "open_quote");
    assert_eq!(preview["leaving"], json!([student_id(2)]));
    assert_eq!(preview["confirm_leavers"], 1);
    import(&staff, "leavers=mark", &file).refused(409, "roster_shrinks");
    // A line whose student id cannot be read may be anybody's.
    let file = roster([0, 1, 2]) + "12,아무개,\n";
    import(&staff, "leavers=mark", &file).refused(409, "roster_shrinks");
    let nobody = staff.get("/api/v1/members?state=leaving").expect(200).json();
    assert_eq!(nobody["total"], 0);
    let report = import(&staff, "leavers=mark&confirm_leavers=1", &file).expect(200).json();
    assert_eq!(counts(&report), [0, 0, 3, 0, 1, 1]);
    // Without leavers nothing is asked, nor where only the name is wrong.
    import(&staff, "", &file).expect(200);
    let file = roster([0, 1]) + &format!("{},,\n", student_id(2));
    import(&staff, "leavers=mark", &file).expect(200);
    inside.demand_clean();
}

#[test]
fn an_import_goes_on_when_nobody_waits_for_it_any_more() {
    let (inside, staff) = site(3);
    let file = roster(10..8_010);
    let noted = || -> i64 {
        let sql = "SELECT count(*) FROM audit WHERE action = 'roster.import'";
        inside.sql().query_row(sql, [], |row| row.get(0)).expect("a number")
    };
    let before = noted();
    let mut wire = Wire::connect(staff.address);
    let request = staff.request("POST", &format!("{IMPORT}?leavers=mark"), &CSV, &file);
    wire.send(request).expect("sent");
    let people = || -> i64 {
        let sql = "SELECT count(*) FROM member WHERE on_roster = 1";
        inside.sql().query_row(sql, [], |row| row.get(0)).expect("a number")
    };
    until("it has begun", || (people() > 3).then_some(()));
    drop(wire);
    assert!(people() < 8_000, "the test was too slow to leave in the middle");
    until("it is through", || (noted() > before).then_some(()));
    assert_eq!(people(), 8_000, "who was there before has left");
    inside.demand_clean();
}
