//! Mails on their way to a real mail server: protected, refused, put off, cut off, sent again; and
//! what people see of them.

use lockerd::domain::member::Role;
use lockerd::mail::texts::KINDS;
use serde_json::{Value, json};

use crate::support::demo::Demo;
use crate::support::http::Client;
use crate::support::inside::{Inside, open_now};
use crate::support::site::{Plan, Site, student_id};
use crate::support::smtp::{MailServer, Manners, USER};
use crate::support::{http, until};

/// More than the longest wait after a first failure.
const AFTER_ONE_FAILURE_MS: u64 = 37_000;

fn plain() -> MailServer {
    MailServer::start(Manners::default())
}

/// A site in this process on a clock that stands still, whose mails go to this server.
fn inside(server: &MailServer) -> Inside {
    let mail = format!("[auth]\nroster_login = 'full'\n[mail]\n{}", server.config());
    let inside = Inside::configured(&mail, 101..=103, 3, open_now);
    give_addresses(&inside.sql(), 3);
    inside
}

/// A served site whose mails go to this server.
fn site(server: &MailServer, students: usize) -> Site {
    let plan = Plan::default().lockers(1, 101..=110).students(students).admin();
    let mut site = Site::prepare(&plan.mail(&server.config()));
    give_addresses(&site.sql(), students);
    site.serve();
    site
}

/// Every student gets an address; the second one reads English.
fn give_addresses(conn: &rusqlite::Connection, students: usize) {
    for n in 0..students {
        let language = if n == 1 { "en" } else { "ko" };
        let id = student_id(n);
        conn.execute(
            "UPDATE member SET email = ?2, language = ?3 WHERE student_id = ?1",
            [&id, &format!("s{id}@korea.ac.kr"), language],
        )
        .expect("stored");
    }
}

/// Puts a mail into the outbox beside the server, as a run that ended long ago would have.
fn post(conn: &rusqlite::Connection, address: &str, created_ms: i64) -> String {
    let payload = json!({
        "name": "홍길동", "locker_id": 101, "starts_on": "2026-03-02", "ends_on": "2026-06-19"
    });
    let message_id = address.replace('@', ".at.");
    conn.execute(
        "INSERT INTO outbox (kind, address, language, payload, message_id, created_ms, due_ms)
         VALUES ('rental_confirmed', ?1, 'ko', ?2, ?3, ?4, ?4)",
        rusqlite::params![address, payload.to_string(), message_id, created_ms],
    )
    .expect("stored");
    message_id
}

fn state(conn: &rusqlite::Connection) -> Vec<String> {
    let sql = "SELECT kind || CASE WHEN due_ms IS NOT NULL THEN ' due' WHEN sent_ms IS NOT NULL
                 THEN ' sent' WHEN dead_ms IS NOT NULL THEN ' dead' ELSE ' dropped' END
                 || ' ' || attempts FROM outbox ORDER BY id";
    let mut statement = conn.prepare(sql).expect("good SQL");
    let rows = statement.query_map([], |row| row.get(0)).expect("readable");
    rows.collect::<Result<_, _>>().expect("readable")
}

fn last_error(conn: &rusqlite::Connection) -> String {
    let sql = "SELECT coalesce(last_error, '') FROM outbox ORDER BY id DESC LIMIT 1";
    conn.query_row(sql, [], |row| row.get(0)).expect("a row")
}

fn now_ms(inside: &Inside) -> i64 {
    inside.clock.now().as_millisecond()
}

#[track_caller]
fn deliver(inside: &Inside) -> usize {
    inside.run(inside.services.deliver_mails()).expect("delivered or put off")
}

fn admin(inside: &Inside) -> Client {
    inside.add("ADMIN1", Role::Admin, &[]);
    inside.account("ADMIN1")
}

#[track_caller]
fn health(who: &Client) -> Value {
    who.get("/api/v1/health").expect(200).json()["details"]["mail"].clone()
}

#[test]
fn over_starttls_with_a_log_in_both_languages_arrive_intact() {
    let server =
        MailServer::start(Manners { security: "starttls", log_in: true, ..Manners::default() });
    let site = site(&server, 2);
    site.student(0).rent(101);
    site.student(1).rent(102);
    let mut mails = server.wait_for(2);
    mails.sort_by_key(|mail| mail["to"].to_string());
    let (ko, en) = (&mails[0], &mails[1]);
    assert_eq!(ko["to"], json!([format!("s{}@korea.ac.kr", student_id(0))]));
    assert_eq!(ko["subject"], "[고려 사물함] 사물함 101번이 배정되었습니다");
    assert_eq!(ko["from"], "사물함 <lockers@korea.ac.kr>");
    for part in ["text", "html"] {
        let text = ko[part].as_str().expect("text");
        assert!(text.contains("김가가가 님, 사물함 101번을 쓸 수 있습니다."), "{text}");
        let text = en[part].as_str().expect("text");
        assert!(text.contains("you can use locker 102"), "{text}");
    }
    assert_eq!(en["subject"], "[Korea Lockers] Locker 102 is yours");
    for mail in [ko, en] {
        assert_eq!((&mail["encrypted"], &mail["user"]), (&json!(true), &json!(USER)));
        assert_eq!(mail["auto_submitted"], "auto-generated");
        let id = mail["message_id"].as_str().expect("an id");
        let id = id.strip_prefix('<').and_then(|id| id.strip_suffix("@korea.ac.kr>"));
        let id = id.expect("the part before the host");
        let sql = format!("SELECT count(*) FROM outbox WHERE message_id = '{id}'");
        assert_eq!(site.number(&sql), 1);
    }
    until("both are marked", || {
        (state(&site.sql()) == ["rental_confirmed sent 1"; 2]).then_some(())
    });
    // What they said is gone with them.
    assert_eq!(site.number("SELECT count(*) FROM outbox WHERE payload <> '{}'"), 0);
}

#[test]
fn over_tls_from_the_first_byte() {
    let server = MailServer::start(Manners { security: "tls", log_in: true, ..Manners::default() });
    let inside = inside(&server);
    inside.student(0).rent(101);
    assert_eq!(deliver(&inside), 1);
    let mails = server.mails();
    assert_eq!((&mails[0]["encrypted"], &mails[0]["user"]), (&json!(true), &json!(USER)));
}

#[test]
fn a_server_with_another_certificate_gets_neither_password_nor_mail() {
    let trusted =
        MailServer::start(Manners { security: "tls", log_in: true, ..Manners::default() });
    for security in ["tls", "starttls"] {
        let other = MailServer::start(Manners { security, log_in: true, ..Manners::default() });
        let config = trusted.config().replace(&trusted.port.to_string(), &other.port.to_string());
        let config = config.replace("security = 'tls'", &format!("security = '{security}'"));
        let mail = format!("[auth]\nroster_login = 'full'\n[mail]\n{config}");
        let inside = Inside::configured(&mail, 101..=101, 1, open_now);
        give_addresses(&inside.sql(), 1);
        inside.student(0).rent(101);
        assert_eq!(deliver(&inside), 0, "{security}");
        assert_eq!(state(&inside.sql()), ["rental_confirmed due 1"]);
        let error = last_error(&inside.sql());
        assert!(error.contains("certificate"), "{error}");
        assert_eq!(other.records(), [] as [Value; 0], "{security}");
    }
}

#[test]
fn a_server_that_offers_no_encryption_gets_nothing() {
    let server = plain();
    let config = server.config().replace("security = 'none'", "security = 'starttls'");
    let inside = Inside::configured(&format!("[mail]\n{config}"), 101..=101, 0, open_now);
    post(&inside.sql(), "a@korea.ac.kr", now_ms(&inside));
    assert_eq!(deliver(&inside), 0);
    assert!(last_error(&inside.sql()).contains("STARTTLS"), "{}", last_error(&inside.sql()));
    assert_eq!(server.records(), [] as [Value; 0]);
}

#[test]
fn a_wrong_password_is_the_sites_fault_and_no_mail_dies_of_it() {
    let server = MailServer::start(Manners { security: "tls", log_in: true, ..Manners::default() });
    let config = server.config();
    let (kept, _) = config.split_once("password_file").expect("a password");
    let config = format!("[mail]\n{kept}password = 'wrong'\n");
    let inside = Inside::configured(&config, 101..=101, 0, open_now);
    post(&inside.sql(), "a@korea.ac.kr", now_ms(&inside));
    assert_eq!(deliver(&inside), 0);
    assert_eq!(state(&inside.sql()), ["rental_confirmed due 1"]);
    assert!(last_error(&inside.sql()).contains("535"), "{}", last_error(&inside.sql()));
    assert!(!last_error(&inside.sql()).contains("wrong"), "the password stays secret");
    let admin = admin(&inside);
    assert_eq!(health(&admin)["status"], "unreachable");
    let overall = || admin.get("/api/v1/health").json()["status"].clone();
    assert_eq!(overall(), "ok", "not at once");
    inside.pass(11 * 60_000);
    assert_eq!(overall(), "degraded");
}

#[test]
fn one_that_is_put_off_comes_later_as_the_same_mail() {
    let server = MailServer::start(Manners { more: &["--greylist"], ..Manners::default() });
    let inside = inside(&server);
    let posted =
        ["a", "b"].map(|name| post(&inside.sql(), &format!("{name}@korea.ac.kr"), now_ms(&inside)));
    assert_eq!(deliver(&inside), 0);
    assert_eq!(state(&inside.sql()), ["rental_confirmed due 1"; 2]);
    assert!(last_error(&inside.sql()).contains("451"), "{}", last_error(&inside.sql()));
    assert_eq!(deliver(&inside), 0, "not before its time");
    inside.pass(AFTER_ONE_FAILURE_MS);
    assert_eq!(deliver(&inside), 2);
    let ids: Vec<Value> = server.mails().iter().map(|mail| mail["message_id"].clone()).collect();
    assert_eq!(ids, posted.map(|id| json!(format!("<{id}@korea.ac.kr>"))));
    // Written when it was posted, not when it went out.
    assert_eq!(server.mails()[0]["date"], "Mon, 24 Aug 2026 01:00:00 +0000");
    assert_eq!(deliver(&inside), 0);
    assert_eq!(server.mails().len(), 2);
}

#[test]
fn mails_of_one_run_share_a_connection_and_codes_come_first() {
    let server = plain();
    let inside = inside(&server);
    for n in 0..120 {
        post(&inside.sql(), &format!("p{n}@korea.ac.kr"), now_ms(&inside));
    }
    post_code(&inside, "code@korea.ac.kr");
    assert_eq!(deliver(&inside), 121);
    let mails = server.mails();
    assert_eq!(mails[0]["to"], json!(["code@korea.ac.kr"]));
    assert!(mails[0]["text"].as_str().expect("text").contains("12345678"));
    assert!(mails.iter().all(|mail| mail["connection"] == 1), "{mails:?}");
}

/// A mail with a code, as the use-cases post it.
fn post_code(inside: &Inside, address: &'static str) {
    use lockerd::service::mails::{Mail, post};
    use lockerd::store::Lane;
    use lockerd::store::outbox::Recipient;
    let vault = inside.services.vault.clone();
    let write = inside.services.store.write(Lane::Change, move |tx| {
        let mail = Mail {
            kind: "sign_up_code",
            to: Recipient::Address(address, "ko"),
            payload: json!({ "name": "홍길동", "minutes": 10 }),
            secret: Some(json!({ "code": "12345678" })),
        };
        post(tx, &vault, &mail)
    });
    inside.run(write).expect("posted");
}

#[test]
fn a_refused_address_is_dead_at_once_and_staff_see_it() {
    let server = plain();
    let inside = inside(&server);
    post(&inside.sql(), "nobody@korea.ac.kr", now_ms(&inside));
    post(&inside.sql(), "somebody@korea.ac.kr", now_ms(&inside));
    assert_eq!(deliver(&inside), 1, "one that is refused keeps no other back");
    assert_eq!(state(&inside.sql()), ["rental_confirmed dead 1", "rental_confirmed sent 1"]);
    let admin = admin(&inside);
    assert_eq!((&health(&admin)["dead"], &health(&admin)["due"]), (&json!(1), &json!(0)));
    let list = admin.get("/api/v1/mails?state=dead").expect(200).json();
    let mail = &list["mails"][0];
    assert_eq!((&mail["state"], &mail["address"]), (&json!("dead"), &json!("no***@korea.ac.kr")));
    let error = mail["last_error"].as_str().expect("why");
    assert!(error.contains("550"), "{error}");
    let shown = list.to_string();
    assert!(!shown.contains("nobody@") && !shown.contains("홍길동"), "{shown}");
    let path = format!("/api/v1/mails/{}", mail["mail_id"]);
    admin.post(&format!("{path}/retry")).expect(204);
    assert_eq!(state(&inside.sql())[0], "rental_confirmed due 0");
    admin.post(&format!("{path}/retry")).refused(404, "mail_not_found");
    admin.call("DELETE", &path, &[], "").expect(204);
    assert_eq!(state(&inside.sql())[0], "rental_confirmed dropped 0");
    admin.call("DELETE", &path, &[], "").refused(404, "mail_not_found");
    admin.post("/api/v1/mails/999/retry").refused(404, "mail_not_found");
    assert_eq!((deliver(&inside), health(&admin)["dead"].clone()), (0, json!(0)));
    let noted = admin.get("/api/v1/audit?action=mail.").expect(200).json();
    let actions: Vec<&Value> =
        noted["rows"].as_array().expect("rows").iter().map(|row| &row["action"]).collect();
    assert_eq!(actions, ["mail.drop", "mail.retry"]);
    inside.demand_clean();
}

#[test]
fn a_server_that_relays_to_nobody_outside_keeps_no_other_mail_back() {
    let server = plain();
    let inside = inside(&server);
    post(&inside.sql(), "outside@elsewhere.org", now_ms(&inside));
    for n in 0..3 {
        post(&inside.sql(), &format!("p{n}@korea.ac.kr"), now_ms(&inside));
    }
    assert_eq!(deliver(&inside), 3);
    assert_eq!(state(&inside.sql())[0], "rental_confirmed due 1", "it waits alone");
    assert_eq!(state(&inside.sql())[1..], ["rental_confirmed sent 1"; 3]);
    let admin = admin(&inside);
    assert_eq!((&health(&admin)["status"], &health(&admin)["due"]), (&json!("ok"), &json!(1)));
    let due = admin.get("/api/v1/mails?state=due").expect(200).json();
    assert!(due["mails"][0]["last_error"].as_str().is_some_and(|it| it.contains("530")), "{due}");
}

#[test]
fn a_server_that_wants_a_log_in_first_makes_everything_wait() {
    let server = MailServer::start(Manners { security: "tls", log_in: true, ..Manners::default() });
    let config = server.config();
    let (without, _) = config.split_once("user").expect("a log-in");
    let inside = Inside::configured(&format!("[mail]\n{without}"), 101..=101, 0, open_now);
    for n in 0..3 {
        post(&inside.sql(), &format!("p{n}@korea.ac.kr"), now_ms(&inside));
    }
    assert_eq!(deliver(&inside), 0);
    assert_eq!(state(&inside.sql()), ["rental_confirmed due 1"; 3]);
    assert!(last_error(&inside.sql()).contains("530"), "{}", last_error(&inside.sql()));
    assert_eq!(health(&admin(&inside))["status"], "unreachable");
}

#[test]
fn a_code_that_is_posted_during_a_run_goes_before_the_mails_that_wait() {
    let server = MailServer::start(Manners { more: &["--hang-s", "1"], ..Manners::default() });
    let inside = inside(&server);
    for n in 0..3 {
        post(&inside.sql(), &format!("p{n}@korea.ac.kr"), now_ms(&inside));
    }
    std::thread::scope(|scope| {
        let run = scope.spawn(|| deliver(&inside));
        until("the first is on its way", || (!server.mails().is_empty()).then_some(()));
        post_code(&inside, "code@korea.ac.kr");
        assert_eq!(run.join().expect("no panic"), 4);
    });
    let to: Vec<Value> = server.mails().iter().map(|mail| mail["to"][0].clone()).collect();
    assert_eq!(to, ["p0@korea.ac.kr", "code@korea.ac.kr", "p1@korea.ac.kr", "p2@korea.ac.kr"]);
}

#[test]
fn a_connection_that_breaks_in_the_middle_loses_nothing_and_doubles_nothing() {
    let server = MailServer::start(Manners { more: &["--close-once"], ..Manners::default() });
    let inside = inside(&server);
    for name in ["a", "b", "c"] {
        post(&inside.sql(), &format!("{name}@korea.ac.kr"), now_ms(&inside));
    }
    // The others of the run go over a new connection.
    assert_eq!(deliver(&inside), 2);
    inside.pass(AFTER_ONE_FAILURE_MS);
    assert_eq!(deliver(&inside), 1);
    let mut to: Vec<String> = server.mails().iter().map(|mail| mail["to"].to_string()).collect();
    to.sort();
    assert_eq!(to, ["[\"a@korea.ac.kr\"]", "[\"b@korea.ac.kr\"]", "[\"c@korea.ac.kr\"]"]);
}

#[test]
fn a_server_that_is_gone_makes_everything_wait_and_its_return_ends_that() {
    let mut server = plain();
    let inside = inside(&server);
    server.fall();
    for n in 0..3 {
        post(&inside.sql(), &format!("p{n}@korea.ac.kr"), now_ms(&inside));
    }
    assert_eq!(deliver(&inside), 0);
    assert_eq!(state(&inside.sql()), ["rental_confirmed due 1"; 3], "one look, all wait");
    inside.pass(AFTER_ONE_FAILURE_MS);
    assert_eq!(deliver(&inside), 0);
    server.rise();
    // They wait two minutes now; a new one finds the server back, and the others follow.
    post(&inside.sql(), "new@korea.ac.kr", now_ms(&inside));
    assert_eq!(deliver(&inside), 4);
    assert_eq!(health(&admin(&inside))["status"], "ok");
}

#[test]
fn given_up_after_three_days_and_a_code_when_it_is_not_good_any_more() {
    let mut server = plain();
    let inside = inside(&server);
    server.fall();
    post(&inside.sql(), "p@korea.ac.kr", now_ms(&inside));
    post_code(&inside, "code@korea.ac.kr");
    assert_eq!(inside.mailed("sign_up_code")["code"], "12345678", "sealed, and ours to open");
    deliver(&inside);
    for _ in 0..13 {
        inside.pass(60_000);
        deliver(&inside);
    }
    assert!(state(&inside.sql())[1].starts_with("sign_up_code dead"), "{:?}", state(&inside.sql()));
    assert!(last_error(&inside.sql()).contains("not good any more"));
    let mut hours = 0;
    while state(&inside.sql())[0].contains("due") {
        inside.pass(3_600_000);
        deliver(&inside);
        hours += 1;
        assert!(hours <= 24 * 5, "{:?}", state(&inside.sql()));
    }
    assert!((72..=100).contains(&hours), "{hours} hours");
    assert!(state(&inside.sql())[0].starts_with("rental_confirmed dead"));
    // A code that is gone cannot be sent anew.
    let dead = "UPDATE outbox SET dead_ms = 1, due_ms = NULL, sealed = NULL
                WHERE kind = 'password_reset'";
    let forgot = json!({ "id": student_id(0) });
    let set = "UPDATE member SET password_hash = 'x' WHERE student_id = ?1";
    inside.sql().execute(set, [student_id(0)]).expect("stored");
    inside.nobody().post_json("/api/v1/auth/password/forgot", &forgot).expect(202);
    assert_eq!(inside.sql().execute(dead, []).expect("stored"), 1);
    let admin = admin(&inside);
    let list = admin.get("/api/v1/mails?state=dead").expect(200).json();
    let of = |kind: &str| {
        let mails = list["mails"].as_array().expect("mails").iter();
        mails.clone().find(|mail| mail["kind"] == kind).expect("there")["mail_id"].clone()
    };
    let retry = |id: Value| admin.post(&format!("/api/v1/mails/{id}/retry"));
    retry(of("sign_up_code")).refused(410, "code_expired");
    retry(of("password_reset")).refused(410, "code_expired");
    retry(of("rental_confirmed")).expect(204);
    server.rise();
    assert_eq!(deliver(&inside), 1);
}

#[test]
fn who_has_no_address_is_told_nothing_and_that_bothers_nobody() {
    let server = plain();
    let inside = inside(&server);
    inside.sql().execute_batch("UPDATE member SET email = NULL").expect("stored");
    inside.student(0).rent(101);
    assert_eq!(deliver(&inside), 0);
    assert_eq!(state(&inside.sql()), ["rental_confirmed dropped 0"]);
    assert_eq!(health(&admin(&inside))["dead"], 0);
}

#[test]
fn a_site_without_mail_piles_nothing_up() {
    let inside = Inside::start(101..=102, 1, open_now);
    inside.student(0).rent(101);
    for n in 0..70 {
        post(&inside.sql(), &format!("p{n}@korea.ac.kr"), now_ms(&inside));
    }
    assert_eq!(deliver(&inside), 0);
    assert_eq!(state(&inside.sql()), vec!["rental_confirmed dropped 0"; 71]);
    let admin = admin(&inside);
    assert_eq!(health(&admin)["status"], "off");
    let test = json!({ "to": "a@korea.ac.kr" });
    admin.post_json("/api/v1/mails/test", &test).refused(409, "mail_off");
    admin.get("/mailbox").refused(404, "not_found");
    admin.get("/api/v1/mailbox").refused(404, "not_found");
}

#[test]
fn what_a_crash_cut_off_after_the_server_took_it_comes_again_as_the_same_mail() {
    let server = MailServer::start(Manners { more: &["--hang-s", "60"], ..Manners::default() });
    let mut site = site(&server, 1);
    site.student(0).rent(101);
    // The server has it and has not said so yet.
    let first = server.wait_for(1);
    site.kill();
    assert_eq!(state(&site.sql()), ["rental_confirmed due 0"]);
    site.serve();
    let mails = server.wait_for(2);
    assert_eq!(mails[1]["message_id"], first[0]["message_id"]);
    assert_eq!(mails[1]["date"], first[0]["date"]);
    until("it is marked", || (state(&site.sql()) == ["rental_confirmed sent 1"]).then_some(()));
    assert_eq!(server.mails().len(), 2, "and not once more");
    site.demand_clean();
}

#[test]
fn a_server_that_was_away_gets_everything_after_a_restart_of_the_site() {
    let mut server = plain();
    server.fall();
    let mut site = site(&server, 2);
    site.student(0).rent(101);
    until("an attempt failed", || (state(&site.sql()) == ["rental_confirmed due 1"]).then_some(()));
    site.stop();
    server.rise();
    site.serve();
    site.student(1).rent(102);
    assert_eq!(server.wait_for(2).len(), 2);
    until("both are marked", || {
        state(&site.sql()).iter().all(|row| row.contains(" sent ")).then_some(())
    });
}

#[test]
fn a_server_that_never_answers_holds_nobody_up() {
    let server = MailServer::start(Manners { more: &["--hang-s", "60"], ..Manners::default() });
    let mut site = site(&server, 4);
    site.student(0).rent(101);
    server.wait_for(1);
    // The one task that sends hangs; everything else goes on, also the end.
    for n in 1..4 {
        site.student(n).rent(101 + i64::try_from(n).expect("small"));
    }
    let admin = site.account("ADMIN");
    let due = admin.get("/api/v1/mails?state=due").expect(200).json();
    assert_eq!(due["mails"].as_array().expect("mails").len(), 4);
    site.stop();
    site.demand_clean();
}

#[test]
fn an_admin_hears_what_the_server_says_to_a_test_mail() {
    let mut server = plain();
    let inside = inside(&server);
    let admin = admin(&inside);
    let test = |to: &str, language: &str| {
        let body = json!({ "to": to, "language": language });
        admin.post_json("/api/v1/mails/test", &body)
    };
    let told = test("a@korea.ac.kr", "en").expect(200).json();
    assert_eq!(told["accepted"], true);
    assert!(told["said"].as_str().expect("text").starts_with("250"), "{told}");
    assert_eq!(server.mails()[0]["subject"], "[Korea Lockers] Test mail");
    let told = test("nobody@korea.ac.kr", "ko").expect(200).json();
    assert_eq!(told["accepted"], false);
    assert!(told["said"].as_str().expect("text").contains("550"), "{told}");
    server.fall();
    let told = test("a@korea.ac.kr", "ko").expect(200).json();
    assert!(told["said"].as_str().expect("text").contains("refused"), "{told}");
    test("nonsense", "ko").refused(422, "invalid");
    test("a@korea.ac.kr", "fr").refused(422, "invalid");
    let rows = admin.get("/api/v1/audit?action=mail.test").expect(200).json();
    assert_eq!(rows["rows"].as_array().expect("rows").len(), 3);
    assert!(!rows.to_string().contains("nobody@korea"), "{rows}");
}

#[test]
fn mails_are_paged_and_for_staff_only() {
    let server = plain();
    let inside = inside(&server);
    for n in 0..5 {
        post(&inside.sql(), &format!("p{n}@korea.ac.kr"), now_ms(&inside));
    }
    inside.add("STAFF1", Role::Staff, &[1]);
    let staff = inside.account("STAFF1");
    let first = staff.get("/api/v1/mails?limit=3").expect(200).json();
    let cursor = first["next_cursor"].as_str().expect("more");
    let rest = staff.get(&format!("/api/v1/mails?limit=3&cursor={cursor}")).expect(200).json();
    assert_eq!(rest["mails"].as_array().expect("mails").len(), 2);
    assert_eq!(rest["next_cursor"], Value::Null);
    for query in ["state=x", "limit=0", "limit=101", "limit=x", "cursor=x"] {
        staff.get(&format!("/api/v1/mails?{query}")).refused(422, "invalid");
    }
    inside.student(0).get("/api/v1/mails").refused(403, "forbidden");
    let test = json!({ "to": "a@korea.ac.kr" });
    staff.post_json("/api/v1/mails/test", &test).refused(403, "forbidden");
}

#[test]
fn the_daily_mail_comes_once_a_day_with_a_head_that_proves_the_log() {
    let server = plain();
    let inside = inside(&server);
    let admin = admin(&inside);
    let daily = || inside.run(inside.services.write_daily_mail()).expect("written or not due");
    // The clock stands at ten in the morning; seven is past.
    assert_eq!((daily(), daily()), (1, 0));
    assert_eq!(deliver(&inside), 1);
    inside.student(0).rent(101);
    let wrong = json!({ "id": "ADMIN1", "password": "not the right one at all" });
    inside.nobody().post_json("/api/v1/auth/login", &wrong).refused(401, "bad_credentials");
    inside.pass(20 * 3_600_000);
    assert_eq!(daily(), 0, "six in the morning");
    inside.pass(3_600_000);
    assert_eq!(daily(), 1);
    inside.pass(5 * 24 * 3_600_000);
    assert_eq!((daily(), daily()), (1, 0), "after days off there is one");
    deliver(&inside);
    let mails = server.mails();
    let daily: Vec<&Value> =
        mails.iter().filter(|mail| mail["to"] == json!(["admin1@korea.ac.kr"])).collect();
    assert_eq!(daily.len(), 3, "{mails:?}");
    let text = daily[1]["text"].as_str().expect("text");
    assert_eq!(daily[1]["subject"], "[고려 사물함] 2026-08-25 일일 보고");
    assert!(text.contains("거절된 로그인: 1건"), "{text}");
    let head = text.split("--head ").nth(1).and_then(|it| it.split_whitespace().next());
    let head = head.expect("a head");
    let admin =
        admin.log_in(&json!({ "id": "ADMIN1", "password": crate::support::site::PASSWORD }));
    let verdict = admin.get(&format!("/api/v1/audit/verify?head={head}")).expect(200).json();
    assert_eq!(verdict["intact"], true);
}

#[test]
fn every_kind_of_mail_that_is_posted_has_a_text() {
    let (mut posted, mut all) = (Vec::new(), String::new());
    let mut open = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/service")];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(path).expect("readable").map(|it| it.expect("it").path()),
            );
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("readable");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (mark, end) in [("Mail {", "kind: \""), ("outbox::insert(", "tx.conn, \"")] {
            for (at, _) in text.match_indices(mark) {
                let near: String = text[at..].chars().take(120).collect();
                let Some((_, rest)) = near.split_once(end) else { continue };
                posted.extend(rest.split('"').next().map(str::to_owned));
            }
        }
        all.push_str(text);
    }
    assert!(posted.len() >= 3, "the walker finds them: {posted:?}");
    for kind in posted {
        assert!(KINDS.contains(&kind.as_str()) || kind.starts_with("alarm."), "{kind} has no text");
    }
    // Those whose kind stands in a table or is handed on.
    for kind in KINDS {
        let named = all.contains(&format!("\"{kind}\"")) || kind.starts_with("alarm.");
        assert!(named, "nobody posts {kind}");
    }
}

#[test]
fn the_demos_mailbox_shows_what_is_not_sent() {
    // Before the daily mail is due, which would be the first.
    let demo = Demo::with(&["--begins-at", "2026-09-01T05:00"]);
    assert!(demo.told["mailbox_url"].as_str().is_some_and(|url| url.ends_with("/mailbox")));
    let page = demo.nobody.get("/mailbox").expect(200);
    assert!(page.text().contains("아직 메일이 없습니다"), "{}", page.text());
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let english = demo.nobody.call("GET", "/mailbox", &["Accept-Language: en"], "").expect(200);
    assert!(english.text().contains("No mail yet"), "{}", english.text());
    let admin = &demo.told["accounts"]["admin"];
    let admin = demo.nobody.log_in(&json!({ "id": admin["id"], "password": admin["password"] }));
    admin.post_json("/api/v1/mails/test", &json!({ "to": "a@korea.ac.kr" })).expect(200);
    let list = demo.nobody.get("/mailbox").expect(200).text();
    assert!(list.contains("시험 메일") && list.contains("href=\"/mailbox/1?lang=ko\""), "{list}");
    let mail = demo.nobody.get("/mailbox/1?lang=en").expect(200).text();
    assert!(mail.contains("<iframe sandbox src=\"/mailbox/1/html\""), "{mail}");
    let html: http::Reply = demo.nobody.get("/mailbox/1/html").expect(200);
    assert!(html.header("content-security-policy").is_some_and(|it| it.contains("; sandbox;")));
    let json = demo.nobody.get("/api/v1/mailbox").expect(200).json();
    assert_eq!(json["mails"][0]["number"], 1);
    assert_eq!(demo.nobody.get("/api/v1/mailbox/1").expect(200).json(), json["mails"][0]);
    demo.nobody.get("/mailbox/2").refused(404, "mail_not_found");
    demo.nobody.get("/api/v1/mailbox/2").refused(404, "mail_not_found");
}

#[test]
fn nothing_of_a_mail_is_in_the_log() {
    let server = plain();
    let mut site = site(&server, 1);
    site.student(0).rent(101);
    let now_ms = jiff::Timestamp::UNIX_EPOCH.as_millisecond();
    post(&site.sql(), "nobody@korea.ac.kr", now_ms);
    until("both are through", || {
        let states = state(&site.sql());
        let through = states.iter().any(|it| it.contains("sent"))
            && states.iter().any(|it| it.contains("dead"));
        through.then_some(())
    });
    let log = site.process().log();
    assert!(log.contains("given up"), "{log}");
    for secret in ["nobody@", "@korea.ac.kr", "홍길동", "김가가가", "사물함 101"] {
        assert!(!log.contains(secret), "{secret} is in the log: {log}");
    }
}

#[test]
fn checking_tries_every_text_of_the_site() {
    let site = Site::prepare(&Plan::default().lockers(1, [101]).admin());
    let texts = site.path("texts");
    std::fs::create_dir(&texts).expect("made");
    let config = std::fs::read_to_string(site.config()).expect("readable");
    let config = format!("{config}[mail]\ntemplates = '{}'\n", texts.display());
    std::fs::write(site.config(), config).expect("written");
    site.command(&["check"], "").ok();
    std::fs::write(texts.join("password_reset.ko.txt"), "x\n\n{{ cdoe }}").expect("written");
    let done = site.command(&["check"], "").failed();
    assert!(done.err.contains("password_reset.ko.txt"), "{done:?}");
}
