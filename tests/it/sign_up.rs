//! Signing up: the mailed code makes the account, once, and nobody learns who has one already.

use lockerd::domain::member::Role;
use serde_json::{Value, json};

use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::{Inside, open_now};
use crate::support::site::{PASSWORD, student, student_id, student_name, student_phone};

const SIGN_UP: &str = "/api/v1/auth/sign-up";
const CONFIRM: &str = "/api/v1/auth/sign-up/confirm";
const RESEND: &str = "/api/v1/auth/sign-up/resend";
const MAIL: &str = "[mail]\ntransport = 'box'\n";
const JSON: &str = "Content-Type: application/json";

fn open(more: &str) -> Inside {
    let settings = format!("{MAIL}[auth]\nregistration = 'open'\n{more}");
    Inside::configured(&settings, [101], 3, open_now)
}

/// The n-th newcomer.
fn newcomer(n: usize) -> Value {
    json!({
        "student_id": format!("2031{n:06}"),
        "name": "새 학생",
        "phone_number": format!("010-5555-{n:04}"),
        "email": format!("new{n}@korea.ac.kr"),
        "password": PASSWORD,
        "language": "ko",
        "consent": "1",
    })
}

fn begin(site: &Inside, wish: &Value) -> String {
    let reply = site.nobody().post_json(SIGN_UP, wish).expect(202).json();
    assert_eq!(reply["expires_in"], 600);
    reply["sign_up_id"].as_str().expect("an id").to_owned()
}

fn mailed_code(site: &Inside) -> String {
    site.mailed("sign_up_code")["code"].as_str().expect("a code").to_owned()
}

fn confirm(nobody: &Client, id: &str, code: &str) -> Reply {
    nobody.post_json(CONFIRM, &json!({ "sign_up_id": id, "code": code }))
}

/// Another code than this one.
fn other_than(code: &str, n: u32) -> String {
    format!("{:08}", (code.parse::<u32>().expect("digits") + 1 + n) % 100_000_000)
}

/// How many mails of a kind were posted.
fn mails(site: &Inside, kind: &str) -> i64 {
    let sql = "SELECT count(*) FROM outbox WHERE kind = ?1";
    site.sql().query_row(sql, [kind], |row| row.get(0)).expect("a number")
}

#[test]
fn a_mailed_code_makes_an_account_that_is_logged_in() {
    let site = open("");
    let id = begin(&site, &newcomer(1));
    let people = "SELECT count(*) FROM member WHERE student_id = '2031000001'";
    let count = || -> i64 { site.sql().query_row(people, [], |row| row.get(0)).expect("a number") };
    assert_eq!(count(), 0, "nothing is an account before its address was proven");
    let code = mailed_code(&site);
    assert!(code.len() == 8 && code.bytes().all(|it| it.is_ascii_digit()), "{code}");
    let stored: String = site
        .sql()
        .query_row("SELECT group_concat(payload) || hex(code_hash) FROM code", [], |row| row.get(0))
        .expect("a row");
    assert!(!stored.contains(&code) && !stored.contains(PASSWORD), "{stored}");
    // As people paste it.
    let spaced = format!(" {} {} ", &code[..4], &code[4..]);
    let tokens = confirm(&site.nobody(), &id, &spaced).expect(201).json();
    let client = site.nobody().with_token(tokens["access_token"].as_str().expect("a token"));
    let me = client.get("/api/v1/auth/me").expect(200).json();
    assert_eq!(
        (&me["student_id"], &me["email"]),
        (&json!("2031000001"), &json!("new1@korea.ac.kr"))
    );
    assert_eq!((&me["phone_number"], &me["method"]), (&json!("01055550001"), &json!("password")));
    client.rent(101);
    let kept: (String, i64, i64, String) = site
        .sql()
        .query_row(
            "SELECT consent_version, consent_ms, email_verified_ms, language FROM member
             WHERE student_id = '2031000001'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .expect("there");
    let now_ms = site.clock.now().as_millisecond();
    assert_eq!(kept, ("1".to_owned(), now_ms, now_ms, "ko".to_owned()));
    site.account("2031000001");
    let left: String =
        site.sql().query_row("SELECT payload FROM code", [], |row| row.get(0)).expect("a row");
    assert_eq!(left, "{}", "what waited is emptied");
    confirm(&site.nobody(), &id, &code).refused(410, "code_expired");
    assert_eq!(count(), 1);
    site.demand_clean();
}

#[test]
fn of_a_hundred_uses_of_one_code_exactly_one_succeeds() {
    let site = open("");
    let id = begin(&site, &newcomer(1));
    let body = json!({ "sign_up_id": id, "code": mailed_code(&site) }).to_string();
    let nobody = site.nobody();
    let requests = (0..100).map(|_| nobody.request("POST", CONFIRM, &[JSON], &body)).collect();
    let replies = at_once(nobody.address, requests);
    let made = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(made, 1);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        reply.refused(410, "code_expired");
    }
}

#[test]
fn known_ids_and_addresses_are_answered_like_new_ones_and_their_owner_is_told() {
    let site = open("");
    site.add("A1001", Role::Student, &[]);
    let fresh = site.nobody().post_json(SIGN_UP, &newcomer(1)).expect(202);
    let mut by_id = newcomer(2);
    by_id["student_id"] = json!("A1001");
    let mut by_email = newcomer(3);
    by_email["email"] = json!("A1001@korea.ac.kr");
    for (n, wish) in [by_id, by_email].iter().enumerate() {
        let reply = site.nobody().post_json(SIGN_UP, wish).expect(202);
        let shape = |reply: &Reply| {
            let body = reply.json();
            let keys: Vec<String> = body.as_object().expect("an object").keys().cloned().collect();
            (keys, body["expires_in"].clone(), body["sign_up_id"].to_string().len())
        };
        assert_eq!(shape(&reply), shape(&fresh));
        assert_eq!(mails(&site, "sign_up_known"), i64::try_from(n).expect("small") + 1);
        // No code fits it, also not the one that somebody else got.
        let id = reply.json()["sign_up_id"].as_str().expect("an id").to_owned();
        confirm(&site.nobody(), &id, &mailed_code(&site)).refused(422, "code_wrong");
        site.nobody().post_json(RESEND, &json!({ "sign_up_id": id })).expect(202);
    }
    assert_eq!(mails(&site, "sign_up_code"), 1);
    let waits = "SELECT count(*) FROM code WHERE payload LIKE '%argon2%'";
    let waiting: i64 = site.sql().query_row(waits, [], |row| row.get(0)).expect("a number");
    assert_eq!(waiting, 1, "the password of somebody who cannot sign up is not kept");
}

#[test]
fn a_code_has_five_tries_and_ten_minutes() {
    let site = open("");
    let id = begin(&site, &newcomer(1));
    let code = mailed_code(&site);
    for n in 0..5 {
        confirm(&site.nobody(), &id, &other_than(&code, n)).refused(422, "code_wrong");
    }
    confirm(&site.nobody(), &id, &code).refused(410, "code_expired");
    let id = begin(&site, &newcomer(2));
    let code = mailed_code(&site);
    site.pass(599_999);
    confirm(&site.nobody(), &id, "").refused(422, "code_wrong");
    site.pass(1);
    confirm(&site.nobody(), &id, &code).refused(410, "code_expired");
    for id in ["", "x", "00000000-0000-4000-8000-000000000000"] {
        confirm(&site.nobody(), id, &code).refused(410, "code_expired");
    }
}

#[test]
fn a_code_that_is_sent_again_replaces_the_former_a_few_times_an_hour() {
    let site = open("[limits]\nmails = 3\n");
    let id = begin(&site, &newcomer(1));
    let first = mailed_code(&site);
    site.pass(540_000);
    let again = json!({ "sign_up_id": id });
    let reply = site.nobody().post_json(RESEND, &again).expect(202).json();
    assert_eq!((&reply["sign_up_id"], &reply["expires_in"]), (&json!(id), &json!(600)));
    let second = mailed_code(&site);
    assert_ne!(first, second);
    confirm(&site.nobody(), &id, &first).refused(422, "code_wrong");
    site.nobody().post_json(RESEND, &again).expect(202);
    let held = site.nobody().post_json(RESEND, &again);
    held.refused(429, "too_many_requests");
    assert_eq!(held.header("retry-after"), Some("3060"));
    // Nor by beginning anew for the same address.
    site.nobody().post_json(SIGN_UP, &newcomer(1)).refused(429, "too_many_requests");
    site.nobody().post_json(SIGN_UP, &newcomer(2)).expect(202);
    site.pass(550_000);
    let last = {
        let sql = "SELECT count(*) FROM outbox WHERE kind = 'sign_up_code'";
        let count: i64 = site.sql().query_row(sql, [], |row| row.get(0)).expect("a number");
        assert_eq!(count, 4);
        third_of_four(&site)
    };
    confirm(&site.nobody(), &id, &last).expect(201);
    site.nobody().post_json(RESEND, &again).refused(410, "code_expired");
}

/// The code in the mail before the newest.
fn third_of_four(site: &Inside) -> String {
    let sql = "SELECT message_id, sealed FROM outbox WHERE kind = 'sign_up_code'
               ORDER BY id DESC LIMIT 1 OFFSET 1";
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let (id, sealed): (String, Vec<u8>) = site.sql().query_row(sql, [], row).expect("there");
    let text = site.services.vault.open(&format!("outbox:{id}"), &sealed).expect("sealed here");
    let text: Value = serde_json::from_slice(&text).expect("JSON");
    text["code"].as_str().expect("a code").to_owned()
}

#[test]
fn sign_ups_of_one_address_are_limited() {
    let site = open("[limits]\nsign_ups = 5\n");
    for n in 0..5 {
        begin(&site, &newcomer(n));
    }
    site.nobody().post_json(SIGN_UP, &newcomer(9)).refused(429, "too_many_requests");
    site.pass(3_600_000);
    begin(&site, &newcomer(9));
}

#[test]
fn what_is_wrong_with_a_sign_up_is_said() {
    let site = open("email_domains = ['korea.ac.kr', 'kookmin.ac.kr']\n");
    let with = |key: &str, value: &str| {
        let mut wish = newcomer(1);
        wish[key] = json!(value);
        site.nobody().post_json(SIGN_UP, &wish)
    };
    let refused = with("consent", "0").refused(422, "consent_needed");
    assert_eq!(refused["version"], "1");
    for (key, value) in [
        ("student_id", "1"),
        ("name", " "),
        ("phone_number", ""),
        ("phone_number", "12"),
        ("email", ""),
        ("email", "nowhere"),
        ("email", "me@elsewhere.org"),
        ("email", "me@notkorea.ac.kr"),
        ("language", "fr"),
    ] {
        with(key, value).refused(422, "invalid");
    }
    let too_long = "가".repeat(257);
    for (password, reason) in [
        ("short one", "short"),
        (too_long.as_str(), "long"),
        ("password1234", "common"),
        ("2031000001!", "common"),
        ("lockerd2026", "common"),
    ] {
        let refused = with("password", password).refused(422, "password_weak");
        assert_eq!(refused["reason"], reason, "{password}");
    }
    with("email", "me@KOOKMIN.ac.kr").expect(202);
}

#[test]
fn a_phone_of_somebody_else_is_told_to_whoever_has_proven_their_address() {
    let site = open("");
    let mut wish = newcomer(1);
    wish["phone_number"] = json!(student_phone(0));
    let id = begin(&site, &wish);
    let code = mailed_code(&site);
    confirm(&site.nobody(), &id, &code).refused(409, "phone_taken");
}

#[test]
fn on_a_roster_site_only_whom_the_roster_has_gets_an_account() {
    let site =
        Inside::configured(&format!("{MAIL}[auth]\nregistration = 'roster'\n"), [101], 3, open_now);
    let wish = |n: usize, email: &str| {
        let mut wish = newcomer(n);
        wish["student_id"] = json!(student_id(n));
        wish["name"] = json!(student_name(n));
        wish["phone_number"] = json!(student_phone(n));
        wish["email"] = json!(email);
        wish
    };
    // Strangers, and known ids with other data: the same answer, no mail, no code.
    let stranger = newcomer(9);
    let mut other_name = wish(0, "zero@korea.ac.kr");
    other_name["name"] = json!("아무개");
    let mut other_phone = wish(0, "zero2@korea.ac.kr");
    other_phone["phone_number"] = json!("01000000000");
    let set = "UPDATE member SET email = 'known@korea.ac.kr' WHERE student_id = ?1";
    site.sql().execute(set, [student_id(1)]).expect("stored");
    for bad in [&stranger, &other_name, &other_phone, &wish(1, "not-known@korea.ac.kr")] {
        begin(&site, bad);
        assert_eq!(mails(&site, "sign_up_code"), 0);
    }
    for (n, email) in [(0, "any@korea.ac.kr"), (1, "known@korea.ac.kr")] {
        let id = begin(&site, &wish(n, email));
        confirm(&site.nobody(), &id, &mailed_code(&site)).expect(201);
        let me = site.account(&student_id(n)).get("/api/v1/auth/me").expect(200).json();
        assert_eq!(me["email"], email);
    }
    let count = "SELECT count(*) FROM member";
    let count: i64 = site.sql().query_row(count, [], |row| row.get(0)).expect("a number");
    assert_eq!(count, 3, "rows of the roster are filled, none is added");
    // They have an account now.
    begin(&site, &wish(0, "any@korea.ac.kr"));
    assert_eq!(mails(&site, "sign_up_code"), 2);
    assert_eq!(mails(&site, "sign_up_known"), 1);
}

#[test]
fn two_sign_ups_for_one_id_make_one_account() {
    let site = open("");
    let mut second = newcomer(2);
    second["student_id"] = json!("2031000001");
    let one = begin(&site, &newcomer(1));
    let one_code = mailed_code(&site);
    let two = begin(&site, &second);
    let two_code = mailed_code(&site);
    confirm(&site.nobody(), &two, &two_code).expect(201);
    confirm(&site.nobody(), &one, &one_code).refused(409, "student_id_taken");
}

#[test]
fn a_closed_site_takes_nobody() {
    let site = Inside::configured("[auth]\nroster_login = 'full'\n", [101], 1, open_now);
    let nobody = site.nobody();
    nobody.post_json(SIGN_UP, &newcomer(1)).refused(403, "registration_closed");
    let again = json!({ "sign_up_id": "x" });
    nobody.post_json(RESEND, &again).refused(403, "registration_closed");
    confirm(&nobody, "x", "1").refused(403, "registration_closed");
    nobody.post_json("/api/v1/auth/login", &student(0)).expect(200);
}

#[test]
fn a_site_without_mail_says_that_it_cannot() {
    let site = Inside::configured("[auth]\nregistration = 'open'\n", [101], 0, open_now);
    site.nobody().post_json(SIGN_UP, &newcomer(1)).refused(409, "mail_off");
    let again = json!({ "sign_up_id": "x" });
    site.nobody().post_json(RESEND, &again).refused(409, "mail_off");
    site.add("A1001", Role::Student, &[]);
    let forgot = json!({ "id": "A1001" });
    site.nobody().post_json("/api/v1/auth/password/forgot", &forgot).refused(409, "mail_off");
    let wish = json!({ "email": "x@korea.ac.kr", "password": PASSWORD });
    site.account("A1001").post_json("/api/v1/auth/email", &wish).refused(409, "mail_off");
}

#[test]
fn the_privacy_notice_names_the_terms_or_is_the_sites_own() {
    let site = Inside::configured("[retention]\nopenings_days = 77\n", [101], 0, open_now);
    let notice = site.nobody().get("/api/v1/privacy-notice").expect(200).json();
    assert_eq!(notice["version"], "1");
    for language in ["ko", "en"] {
        assert!(notice[language].as_str().is_some_and(|it| it.contains("77")), "{notice}");
    }
    let place = tempfile::tempdir().expect("a place");
    let path = place.path().join("notice.txt");
    std::fs::write(&path, "우리 안내문").expect("written");
    let own = format!("[privacy]\nversion = '2026-1'\nnotice_ko = '{}'\n", path.display());
    let site = Inside::configured(&own, [101], 0, open_now);
    let notice = site.nobody().get("/api/v1/privacy-notice").expect(200).json();
    assert_eq!((&notice["version"], &notice["ko"]), (&json!("2026-1"), &json!("우리 안내문")));
}

#[test]
fn mails_about_sign_ups_with_somebody_elses_data_have_a_budget_of_their_own() {
    let site = open("");
    site.add("A1001", Role::Student, &[]);
    site.add("A1002", Role::Student, &[]);
    for n in 0..7 {
        let mut by_id = newcomer(n);
        by_id["student_id"] = json!("A1001");
        begin(&site, &by_id);
    }
    let wish = json!({ "email": "a1001@korea.ac.kr", "password": PASSWORD });
    site.account("A1002").post_json("/api/v1/auth/email", &wish).expect(202);
    assert_eq!(mails(&site, "sign_up_known"), 5, "whoever asks: at most five an hour");
    let forgot = json!({ "id": "A1001" });
    site.nobody().post_json("/api/v1/auth/password/forgot", &forgot).expect(202);
    assert_eq!(mails(&site, "password_reset"), 1, "the owner's own are untouched");
}

/// Takes phone number and address of a student away.
fn forget_contact(site: &Inside, n: usize) {
    let set = "UPDATE member SET phone = NULL, email = NULL WHERE student_id = ?1";
    assert_eq!(site.sql().execute(set, [student_id(n)]).expect("stored"), 1);
}

/// A sign-up of the n-th student of the roster.
fn of_roster(n: usize) -> Value {
    let mut wish = newcomer(n);
    wish["student_id"] = json!(student_id(n));
    wish["name"] = json!(student_name(n));
    wish
}

#[test]
fn on_a_roster_site_id_and_name_alone_claim_no_account() {
    let site =
        Inside::configured(&format!("{MAIL}[auth]\nregistration = 'roster'\n"), [101], 3, open_now);
    forget_contact(&site, 0);
    begin(&site, &of_roster(0));
    assert_eq!(mails(&site, "sign_up_code"), 0);
    // The address is enough where the roster has one, and the number is kept then.
    let set = "UPDATE member SET email = 'new0@korea.ac.kr' WHERE student_id = ?1";
    site.sql().execute(set, [student_id(0)]).expect("stored");
    let id = begin(&site, &of_roster(0));
    confirm(&site.nobody(), &id, &mailed_code(&site)).expect(201);
    let me = site.account(&student_id(0)).get("/api/v1/auth/me").expect(200).json();
    assert_eq!(me["phone_number"], "01055550000");
    // Taken away while the code was on its way.
    let mut wish = of_roster(1);
    wish["phone_number"] = json!(student_phone(1));
    let id = begin(&site, &wish);
    forget_contact(&site, 1);
    confirm(&site.nobody(), &id, &mailed_code(&site)).refused(410, "code_expired");
}

#[test]
fn on_an_open_site_a_row_without_a_number_is_filled_and_keeps_the_number_given() {
    let site = open("");
    forget_contact(&site, 0);
    let id = begin(&site, &of_roster(0));
    confirm(&site.nobody(), &id, &mailed_code(&site)).expect(201);
    let me = site.account(&student_id(0)).get("/api/v1/auth/me").expect(200).json();
    assert_eq!(
        (&me["phone_number"], &me["email"]),
        (&json!("01055550000"), &json!("new0@korea.ac.kr"))
    );
    forget_contact(&site, 1);
    let mut taken = of_roster(1);
    taken["phone_number"] = json!(student_phone(2));
    let id = begin(&site, &taken);
    confirm(&site.nobody(), &id, &mailed_code(&site)).refused(409, "phone_taken");
}

#[test]
fn a_mail_with_a_sign_up_code_says_nothing_that_somebody_typed() {
    let site = open("");
    let mut wish = newcomer(1);
    wish["name"] = json!("https://phish.example");
    begin(&site, &wish);
    assert_eq!(site.run(site.services.deliver_mails()).expect("delivered"), 1);
    let sent = &site.services.mailbox().expect("a box")[0];
    let whole = format!("{} {} {}", sent.letter.subject, sent.letter.text, sent.letter.html);
    assert!(whole.contains("10분") && !whole.contains("phish"), "{whole}");
}
