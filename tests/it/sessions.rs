//! Log-ins through HTTP, on a clock that is moved by hand: browsers and their cookies, going on with
//! a refresh token, what is listed and ended, one device at a time, and the keys behind it all.

use jiff::{SignedDuration, Timestamp};
use lockerd::domain::member::Role;
use lockerd::store::devices;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::http::{Client, Reply, at_once};
use crate::support::inside::{Inside, open_now};
use crate::support::people::Kiosk;
use crate::support::site::{PASSWORD, Plan, Site, student, student_id};

const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";
const ME: &str = "/api/v1/auth/me";
const SESSIONS: &str = "/api/v1/auth/sessions";
const EVERYWHERE: &str = "/api/v1/auth/logout-everywhere";
const ROTATE: &str = "/api/v1/keys/rotate";

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;

fn site(students: usize) -> Inside {
    Inside::start([101], students, open_now)
}

fn configured(settings: &str, students: usize) -> Inside {
    Inside::configured(settings, [101], students, open_now)
}

/// What a page of the site itself sends along.
fn page(client: &Client) -> [String; 2] {
    ["X-Lockerd: 1".to_owned(), format!("Origin: http://{}", client.address)]
}

fn send(client: &Client, path: &str, lines: &[String], body: &str) -> Reply {
    let mut headers: Vec<&str> = lines.iter().map(String::as_str).collect();
    if !body.is_empty() {
        headers.push("Content-Type: application/json");
    }
    client.call("POST", path, &headers, body)
}

/// The cookies that an answer sets: name, value, and the rest of the line.
fn cookies(reply: &Reply) -> Vec<(String, String, String)> {
    let lines = reply.headers.iter().filter(|(name, _)| name == "set-cookie");
    lines
        .map(|(_, line)| {
            let (pair, rest) = line.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a pair");
            (name.to_owned(), value.to_owned(), rest.to_owned())
        })
        .collect()
}

fn cookie(reply: &Reply, name: &str) -> Option<String> {
    cookies(reply).into_iter().find(|(known, ..)| known == name).map(|(_, value, _)| value)
}

/// Logs the n-th student in from a page; the answer.
fn log_in_from_page(client: &Client, n: usize, more: &[String]) -> Reply {
    let lines = [&page(client)[..], more].concat();
    send(client, LOGIN, &lines, &student(n).to_string())
}

fn refresh(client: &Client, token: &Value) -> Reply {
    client.post_json(REFRESH, &json!({ "refresh_token": token }))
}

fn ids(client: &Client, path: &str) -> Vec<i64> {
    let list = client.get(path).expect(200).json();
    let rows = list["sessions"].as_array().expect("a list").iter();
    rows.map(|row| row["session_id"].as_i64().expect("a number")).collect()
}

/// Why each log-in ended, oldest first; `-` for those that did not.
fn ends(site: &Inside) -> Vec<String> {
    let conn = site.sql();
    let mut rows =
        conn.prepare("SELECT coalesce(end_reason, '-') FROM session ORDER BY id").expect("SQL");
    let rows = rows.query_map([], |row| row.get(0)).expect("readable");
    rows.collect::<Result<_, _>>().expect("readable")
}

#[test]
fn a_browser_gets_its_tokens_in_a_cookie_that_no_script_reads() {
    let site = site(1);
    let client = site.nobody();
    let reply = log_in_from_page(&client, 0, &[]).expect(200);
    let body = reply.json();
    assert!(body["access_token"].is_string() && body.get("refresh_token").is_none(), "{body}");
    let set = cookies(&reply);
    assert_eq!(set.len(), 2, "{set:?}");
    let (name, token, rest) = &set[0];
    assert_eq!(name, "lockerd_refresh");
    assert_eq!(rest, "Path=/api/v1/auth; Max-Age=86400; HttpOnly; SameSite=Strict");
    let (name, secret, rest) = &set[1];
    assert_eq!((name.as_str(), secret.len()), ("lockerd_device", 43));
    assert_eq!(rest, "Path=/api/v1; Max-Age=31536000; HttpOnly; SameSite=Strict");
    // Going on: the cookie and an empty body.
    let mut lines = page(&client).to_vec();
    lines.push(format!("Cookie: other=1; lockerd_refresh={token}; lockerd_device={secret}"));
    let next = send(&client, REFRESH, &lines, "").expect(200);
    assert!(next.json().get("refresh_token").is_none());
    let newer = cookie(&next, "lockerd_refresh").expect("a new one");
    assert_ne!(&newer, token);
    assert_eq!(cookie(&next, "lockerd_device"), None);
    // A program with no such header sees neither the cookie nor gets one.
    let plain = [format!("Cookie: lockerd_refresh={newer}")];
    send(&client, REFRESH, &plain, "").refused(415, "unsupported_type");
    let reply = client.post_json(LOGIN, &student(0)).expect(200);
    assert!(reply.json()["refresh_token"].is_string() && cookies(&reply).is_empty());
    send(&client, REFRESH, &page(&client), "").refused(401, "unauthenticated");
    // Logging out takes the cookie back.
    let mine = client.with_token(next.json()["access_token"].as_str().expect("a token"));
    let gone = send(&mine, "/api/v1/auth/logout", &page(&mine), "").expect(204);
    let set = cookies(&gone);
    assert_eq!(set.len(), 1);
    assert_eq!((set[0].0.as_str(), set[0].1.as_str()), ("lockerd_refresh", ""));
    assert!(set[0].2.starts_with("Path=/api/v1/auth; Max-Age=0; "), "{set:?}");
    lines[2] = format!("Cookie: lockerd_refresh={newer}");
    send(&client, REFRESH, &lines, "").refused(401, "session_ended");
}

#[test]
fn pages_of_other_sites_get_nothing_by_cookie() {
    let site = site(1);
    let client = site.nobody();
    let token = cookie(&log_in_from_page(&client, 0, &[]).expect(200), "lockerd_refresh");
    let kept = format!("Cookie: lockerd_refresh={}", token.expect("a cookie"));
    let line = |text: &str| text.to_owned();
    let own = format!("Origin: http://{}", client.address);
    for foreign in [
        vec![line("X-Lockerd: 1")],
        vec![line("X-Lockerd: 1"), line("Origin: null")],
        vec![line("X-Lockerd: 1"), line("Origin: http://evil.example")],
        vec![line("X-Lockerd: 1"), own.replace("http:", "https:")],
        vec![line("X-Lockerd: 1"), format!("{own}1")],
        vec![line("X-Lockerd: 1"), own.clone(), line("Sec-Fetch-Site: same-site")],
        vec![line("X-Lockerd: 1"), own.clone(), line("Sec-Fetch-Site: cross-site")],
    ] {
        let lines = [&foreign[..], std::slice::from_ref(&kept)].concat();
        send(&client, REFRESH, &lines, "").refused(403, "foreign_origin");
        let reply = send(&client, LOGIN, &lines, &student(0).to_string());
        reply.refused(403, "foreign_origin");
        assert!(cookies(&reply).is_empty());
    }
    // Without the header there is no cookie either, whatever page asks.
    send(&client, REFRESH, &[own, kept.clone()], "").refused(415, "unsupported_type");
    // None of all this harmed the log-in.
    let mut lines = page(&client).to_vec();
    lines.extend([kept, line("Sec-Fetch-Site: same-origin")]);
    send(&client, REFRESH, &lines, "").expect(200);
}

#[test]
fn behind_tls_the_cookies_say_so() {
    let public = "public_url = 'https://lockers.example.ac.kr'\n";
    let roster = "[auth]\nroster_login = 'full'\n";
    let site = configured(&format!("{public}{roster}"), 1);
    let client = site.nobody();
    let own = ["X-Lockerd: 1".to_owned(), "Origin: https://lockers.example.ac.kr".to_owned()];
    let reply = send(&client, LOGIN, &own, &student(0).to_string()).expect(200);
    let set = cookies(&reply);
    assert_eq!(set[0].0, "__Secure-lockerd_rt");
    assert_eq!(set[1].0, "lockerd_device");
    assert!(set.iter().all(|(.., rest)| rest.ends_with("; SameSite=Strict; Secure")), "{set:?}");
    let with = |name: &str| [&own[..], &[format!("Cookie: {name}={}", set[0].1)]].concat();
    send(&client, REFRESH, &with("lockerd_refresh"), "").refused(401, "unauthenticated");
    send(&client, REFRESH, &with("__Secure-lockerd_rt"), "").expect(200);
    drop(site);
    // A proxy that is trusted says how the request came to it; the site needs no address then.
    let site = configured(&format!("trusted_proxies = ['127.0.0.1']\n{roster}"), 1);
    let client = site.nobody();
    let lines = |scheme: &str, told: &str| {
        let own = format!("Origin: {scheme}://{}", client.address);
        vec!["X-Lockerd: 1".to_owned(), own, format!("X-Forwarded-Proto: {told}")]
    };
    let log_in = |lines: &[String]| send(&client, LOGIN, lines, &student(0).to_string());
    let reply = log_in(&lines("https", "https")).expect(200);
    assert!(cookie(&reply, "__Secure-lockerd_rt").is_some());
    let reply = log_in(&lines("http", "http")).expect(200);
    assert!(cookie(&reply, "lockerd_refresh").is_some());
    for (scheme, told) in [("http", "https"), ("https", "http")] {
        log_in(&lines(scheme, told)).refused(403, "foreign_origin");
    }
    drop(site);
    let site = self::site(1);
    let client = site.nobody();
    let own = format!("Origin: https://{}", client.address);
    let lines = ["X-Lockerd: 1".to_owned(), own, "X-Forwarded-Proto: https".to_owned()];
    send(&client, LOGIN, &lines, &student(0).to_string()).refused(403, "foreign_origin");
}

#[test]
fn of_a_hundred_uses_of_one_refresh_token_exactly_one_succeeds() {
    let site = site(2);
    let client = site.nobody();
    let tokens = client.post_json(LOGIN, &student(0)).expect(200).json();
    let body = json!({ "refresh_token": tokens["refresh_token"] }).to_string();
    let request = client.request("POST", REFRESH, &["Content-Type: application/json"], &body);
    let replies = at_once(client.address, vec![request; 100]);
    let next = the_one(&replies).json();
    assert_eq!(ends(&site), ["-"], "nothing was revoked");
    refresh(&client, &next["refresh_token"]).expect(200);

    let token = cookie(&log_in_from_page(&client, 1, &[]).expect(200), "lockerd_refresh");
    let mut lines = page(&client).to_vec();
    lines.push(format!("Cookie: lockerd_refresh={}", token.expect("a cookie")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let replies = at_once(client.address, vec![client.request("POST", REFRESH, &lines, ""); 100]);
    assert!(cookie(the_one(&replies), "lockerd_refresh").is_some());
    let set = replies.iter().filter(|reply| !cookies(reply).is_empty()).count();
    assert_eq!(set, 1, "whoever lost keeps the cookie that the winner got");
    assert_eq!(ends(&site), ["-", "-"]);
}

/// The one success; all others lost the race and nothing else.
#[track_caller]
fn the_one(replies: &[Reply]) -> &Reply {
    let (won, lost): (Vec<&Reply>, Vec<_>) = replies.iter().partition(|it| it.status == 200);
    assert_eq!((won.len(), lost.len()), (1, replies.len() - 1));
    for reply in lost {
        reply.refused(409, "refresh_superseded");
    }
    won[0]
}

#[test]
fn an_old_refresh_token_is_a_lost_answer_for_ten_seconds_and_a_theft_after_them() {
    let site = site(1);
    let client = site.nobody();
    let log_in = || client.post_json(LOGIN, &student(0)).expect(200).json();
    let first = log_in();
    let second = refresh(&client, &first["refresh_token"]).expect(200).json();
    site.pass(10_000);
    refresh(&client, &first["refresh_token"]).refused(409, "refresh_superseded");
    client.with_token(second["access_token"].as_str().expect("text")).get(ME).expect(200);
    site.pass(1);
    refresh(&client, &first["refresh_token"]).refused(401, "session_ended");
    // The whole family is dead, also the access token that is out and the newest refresh token.
    client
        .with_token(second["access_token"].as_str().expect("text"))
        .get(ME)
        .refused(401, "session_ended");
    refresh(&client, &second["refresh_token"]).refused(401, "session_ended");
    // One older than the one before is theft at once.
    let oldest = log_in();
    let older = refresh(&client, &oldest["refresh_token"]).expect(200).json();
    let newest = refresh(&client, &older["refresh_token"]).expect(200).json();
    refresh(&client, &older["refresh_token"]).refused(409, "refresh_superseded");
    refresh(&client, &oldest["refresh_token"]).refused(401, "session_ended");
    refresh(&client, &newest["refresh_token"]).refused(401, "session_ended");
    assert_eq!(ends(&site), ["token_reuse", "token_reuse"]);
    site.demand_clean();
}

#[test]
fn a_log_in_expires_a_day_after_its_last_refresh_and_that_is_written_down() {
    let site = site(2);
    let client = site.nobody();
    let first = client.post_json(LOGIN, &student(0)).expect(200).json();
    site.pass(24 * HOUR_MS - 1);
    let second = refresh(&client, &first["refresh_token"]).expect(200).json();
    site.pass(24 * HOUR_MS);
    refresh(&client, &second["refresh_token"]).refused(401, "session_ended");
    assert_eq!(ends(&site), ["-"]);
    site.student(1);
    assert_eq!(site.run(site.services.end_expired_sessions()).expect("written"), 1);
    assert_eq!(site.run(site.services.end_expired_sessions()).expect("written"), 0);
    assert_eq!(ends(&site), ["expired", "-"]);
    site.demand_clean();
}

#[test]
fn whoever_is_kept_out_or_gone_cannot_go_on() {
    for change in ["disabled_ms = 1, disabled_reason = 'x'", "left_ms = 1"] {
        let site = site(1);
        let client = site.nobody();
        let log_in = || client.post_json(LOGIN, &student(0)).expect(200).json();
        let (here, there) = (log_in(), log_in());
        site.sql().execute_batch(&format!("UPDATE member SET {change}")).expect("changed");
        refresh(&client, &here["refresh_token"]).refused(401, "session_ended");
        assert_eq!(ends(&site), ["account_changed", "account_changed"], "{change}");
        for tokens in [here, there] {
            let token = tokens["access_token"].as_str().expect("text");
            client.with_token(token).get(ME).refused(401, "session_ended");
        }
    }
}

#[test]
fn a_device_is_known_again_by_a_secret_of_which_only_the_hash_is_stored() {
    let site = site(2);
    let client = site.nobody();
    let secret = cookie(&log_in_from_page(&client, 0, &[]).expect(200), "lockerd_device");
    let secret = secret.expect("a secret");
    let known = [format!("Cookie: lockerd_device={secret}")];
    for n in [0, 1] {
        let reply = log_in_from_page(&client, n, &known).expect(200);
        assert_eq!(cookie(&reply, "lockerd_device"), None, "it has one");
    }
    let conn = site.sql();
    let count = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a number");
    assert_eq!(count("SELECT count(*) FROM device"), 1);
    assert_eq!(count("SELECT count(*) FROM member_device"), 2);
    assert_eq!(count("SELECT count(*) FROM session WHERE device_id = 1"), 3);
    let bytes = data_encoding::BASE64URL_NOPAD.decode(secret.as_bytes()).expect("its own text");
    let hash = Sha256::digest(bytes).into();
    assert!(devices::find(&conn, &hash).expect("readable").is_some());
    // A secret that was not drawn here is not taken, nor is anything without this site's page.
    for planted in ["A".repeat(43), "x".to_owned()] {
        let reply = log_in_from_page(&client, 0, &[format!("Cookie: lockerd_device={planted}")])
            .expect(200);
        let given = cookie(&reply, "lockerd_device").expect("one of its own");
        assert_ne!(given, planted);
    }
    send(&client, LOGIN, &known, &student(0).to_string()).expect(200);
    assert_eq!(count("SELECT count(*) FROM device"), 3);
    assert_eq!(count("SELECT count(*) FROM session WHERE device_id IS NULL"), 1);
    // Nobody keeps a cookie for longer than a year.
    site.pass(365 * 24 * HOUR_MS);
    assert_eq!(site.run(site.services.forget_devices()).expect("done"), 0);
    log_in_from_page(&client, 1, &known).expect(200);
    site.pass(1);
    assert_eq!(site.run(site.services.forget_devices()).expect("done"), 2);
    assert_eq!(count("SELECT count(*) FROM device"), 1);
    assert_eq!(count("SELECT count(*) FROM session WHERE device_id IS NULL"), 3);
    site.demand_clean();
    // Wrong data leaves nothing behind.
    let wrong = json!({ "id": "2024000000", "password": "wrong" }).to_string();
    let reply = send(&client, LOGIN, &page(&client), &wrong);
    assert!(cookies(&reply).is_empty(), "{reply:?}");
    assert_eq!(count("SELECT count(*) FROM device"), 1);
}

#[test]
fn my_log_ins_are_listed_with_their_device_and_last_use_and_ended_one_by_one() {
    let site = site(2);
    let nobody = site.nobody();
    let log_in = |agent: &str| {
        let lines = [format!("User-Agent: {agent}")];
        let reply = send(&nobody, LOGIN, &lines, &student(0).to_string()).expect(200).json();
        nobody.with_token(reply["access_token"].as_str().expect("a token"))
    };
    let phone = log_in("a phone");
    site.pass(MINUTE_MS);
    let desk = log_in("a desk");
    let other = site.student(1);
    site.pass(2 * MINUTE_MS);
    phone.get(ME).expect(200);
    site.pass(MINUTE_MS);
    let list = desk.get(SESSIONS).expect(200).json();
    let rows = list["sessions"].as_array().expect("a list");
    assert_eq!(rows.len(), 2, "{list}");
    let start: Timestamp = "2026-08-24T01:00:00Z".parse().expect("a time");
    let at = |minutes| (start + SignedDuration::from_mins(minutes)).to_string();
    assert_eq!(
        rows[1],
        json!({
            "session_id": 1, "current": false, "method": "roster", "strong": false, "kiosk": null,
            "issued_at": at(0), "last_used_at": at(3), "expires_at": at(24 * 60),
            "user_agent": "a phone", "address": "127.0.0.1",
        })
    );
    assert_eq!((&rows[0]["current"], &rows[0]["last_used_at"]), (&json!(true), &json!(at(4))));
    // Writing it down changes nothing of what is seen, and outlives the memory.
    assert_eq!(site.run(site.services.write_last_used()).expect("written"), 2);
    assert_eq!(desk.get(SESSIONS).expect(200).json(), list);
    let stored: i64 = site
        .sql()
        .query_row("SELECT last_used_ms FROM session WHERE id = 1", [], |row| row.get(0))
        .expect("a row");
    assert_eq!(stored, (start + SignedDuration::from_mins(3)).as_millisecond());
    // Somebody else's, an unknown and an ended one look the same.
    for id in [3, 99] {
        desk.call("DELETE", &format!("{SESSIONS}/{id}"), &[], "").refused(404, "session_not_found");
    }
    desk.call("DELETE", &format!("{SESSIONS}/1"), &[], "").expect(204);
    desk.call("DELETE", &format!("{SESSIONS}/1"), &[], "").refused(404, "session_not_found");
    phone.get(ME).refused(401, "session_ended");
    assert_eq!(ids(&desk, SESSIONS), [2]);
    assert_eq!(ids(&other, SESSIONS), [3]);
    site.demand_clean();
}

#[test]
fn logging_out_everywhere_spares_this_one_when_asked() {
    let site = site(2);
    let (one, two, three) = (site.student(0), site.student(0), site.student(0));
    let other = site.student(1);
    let reply = one.post_json(EVERYWHERE, &json!({ "keep_this": true })).expect(200);
    assert_eq!(reply.json(), json!({ "ended": 2 }));
    for gone in [&two, &three] {
        gone.get(ME).refused(401, "session_ended");
    }
    one.post_json(EVERYWHERE, &json!({ "keep": true })).refused(400, "bad_json");
    one.get(ME).expect(200);
    assert_eq!(one.post(EVERYWHERE).expect(200).json(), json!({ "ended": 1 }));
    one.get(ME).refused(401, "session_ended");
    other.get(ME).expect(200);
    assert_eq!(
        ends(&site),
        ["log_out_everywhere", "log_out_everywhere", "log_out_everywhere", "-"]
    );
}

#[test]
fn one_device_at_a_time_where_the_site_wants_it() {
    let site = configured("[auth]\nroster_login = 'full'\nsingle_device = true\n", 2);
    site.add("STAFF", Role::Staff, &[1]);
    let (first, other) = (site.student(0), site.student(1));
    first.get(ME).expect(200);
    let second = site.student(0);
    first.get(ME).refused(401, "session_ended");
    second.get(ME).expect(200);
    other.get(ME).expect(200);
    let (here, there) = (site.account("STAFF"), site.account("STAFF"));
    here.get(ME).expect(200);
    there.get(ME).expect(200);
    assert_eq!(ends(&site), ["other_device", "-", "-", "-", "-"]);
}

#[test]
fn the_oldest_log_in_makes_room_when_there_are_too_many() {
    let site = site(1);
    let first = site.student(0);
    let second = site.student(0);
    for _ in 0..49 {
        site.student(0);
    }
    first.get(ME).refused(401, "session_ended");
    assert_eq!(ids(&second, SESSIONS).len(), 50);
}

#[test]
fn claiming_by_the_roster_or_at_a_kiosk_shows_nobodys_log_ins() {
    let site = configured("[auth]\nroster_login = 'claim'\n", 1);
    let weak = site.student(0);
    weak.get(SESSIONS).refused(403, "password_needed");
    weak.post(EVERYWHERE).refused(403, "password_needed");
    weak.call("DELETE", &format!("{SESSIONS}/1"), &[], "").refused(403, "password_needed");
    site.add("STAFF", Role::Staff, &[1]);
    let desk = site.account("STAFF");
    let member = weak.get(ME).expect(200).json()["member_id"].clone();
    let path = format!("/api/v1/members/{member}/one-time-code");
    let given = desk.post_json(&path, &json!({ "reason": "no phone" })).expect(201).json();
    let screen = Kiosk::pair(&desk, "로비", &[1]);
    let kiosk = screen.sign_in(&student_id(0), given["code"].as_str().expect("a code"));
    kiosk.get(SESSIONS).refused(403, "not_at_kiosk");
    kiosk.post(EVERYWHERE).refused(403, "not_at_kiosk");
    kiosk.call("DELETE", &format!("{SESSIONS}/1"), &[], "").refused(403, "not_at_kiosk");
    weak.post("/api/v1/auth/logout").expect(204);
}

#[test]
fn staff_log_students_out_and_admins_everybody() {
    let site = site(2);
    let staff_id = site.add("STAFF", Role::Staff, &[1]);
    let admin_id = site.add("ADMIN", Role::Admin, &[]);
    let (staff, admin) = (site.account("STAFF"), site.account("ADMIN"));
    let (one, two, other) = (site.student(0), site.student(0), site.student(1));
    let member = one.get(ME).expect(200).json()["member_id"].as_i64().expect("a number");
    let of = |member: i64| format!("/api/v1/members/{member}/sessions");
    assert_eq!(ids(&staff, &of(member)), [4, 3]);
    for (who, whose) in [(&staff, admin_id.0), (&staff, staff_id.0)] {
        who.get(&of(whose)).refused(403, "forbidden");
        who.call("DELETE", &of(whose), &[], "").refused(403, "forbidden");
        who.call("DELETE", &format!("{}/2", of(whose)), &[], "").refused(403, "forbidden");
    }
    staff.get(&of(999)).refused(404, "member_not_found");
    one.get(&of(member)).refused(403, "forbidden");
    // Another member's log-in is not found below this one.
    staff.call("DELETE", &format!("{}/5", of(member)), &[], "").refused(404, "session_not_found");
    staff.call("DELETE", &format!("{}/3", of(member)), &[], "").expect(204);
    one.get(ME).refused(401, "session_ended");
    two.get(ME).expect(200);
    let reply = staff.call("DELETE", &of(member), &[], "").expect(200);
    assert_eq!(reply.json(), json!({ "ended": 1 }));
    two.get(ME).refused(401, "session_ended");
    other.get(ME).expect(200);
    assert_eq!(ids(&admin, &of(staff_id.0)), [1]);
    admin.call("DELETE", &of(staff_id.0), &[], "").expect(200);
    staff.get(ME).refused(401, "session_ended");
    let row = "SELECT group_concat(actor_id || ' ' || action || ' ' || subject, ', ')
               FROM audit WHERE action GLOB 'session.end*'";
    let told: String = site.sql().query_row(row, [], |row| row.get(0)).expect("rows");
    let (staff, admin) = (staff_id.0, admin_id.0);
    assert_eq!(
        told,
        format!(
            "{staff} session.end session:3, {staff} session.end_all member:{member}, \
             {admin} session.end_all member:{staff}"
        )
    );
    site.demand_clean();
}

#[test]
fn everybody_is_logged_out_at_once_but_the_admin_who_did_it() {
    // More than one slice of the writer.
    let site = site(1_200);
    site.add("ADMIN", Role::Admin, &[]);
    let admin = site.account("ADMIN");
    let issued = site.run(site.services.issue_student_tokens()).expect("issued");
    let clients: Vec<Client> =
        issued.iter().map(|(_, token)| admin.with_token(token.clone())).collect();
    clients[0].get(ME).expect(200);
    let path = "/api/v1/sessions/log-out-everybody";
    admin.post_json(path, &json!({ "reason": " " })).refused(422, "invalid");
    clients[0].post_json(path, &json!({ "reason": "x" })).refused(403, "forbidden");
    let reply = admin.post_json(path, &json!({ "reason": "keys were lost" })).expect(200);
    assert_eq!(reply.json(), json!({ "ended": 1_200 }));
    for client in clients.iter().step_by(100) {
        client.get(ME).refused(401, "session_ended");
    }
    admin.get(ME).expect(200);
    site.student(0).get(ME).expect(200);
    let told: i64 = site
        .sql()
        .query_row(
            "SELECT sum(json_extract(detail, '$.count')) FROM audit
             WHERE action = 'session.end_everybody'
               AND json_extract(detail, '$.reason') = 'keys were lost'",
            [],
            |row| row.get(0),
        )
        .expect("rows");
    assert_eq!(told, 1_200);
    assert_eq!(
        admin.post_json(path, &json!({ "reason": "again" })).expect(200).json(),
        json!({ "ended": 1 })
    );
    site.demand_clean();
}

#[test]
fn authenticating_asks_the_database_nothing() {
    let site = site(1);
    let client = site.student(0);
    client.get("/api/v1/lockers").expect(200);
    // From here on no question to the database finds its table.
    let conn = site.sql();
    let tables: Vec<String> = conn
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")
        .and_then(|mut rows| rows.query_map([], |row| row.get(0))?.collect())
        .expect("readable");
    assert!(tables.len() > 20, "{tables:?}");
    for table in tables {
        conn.execute_batch(&format!("ALTER TABLE {table} RENAME TO gone_{table}"))
            .expect("renamed");
    }
    client.get("/api/v1/lockers").expect(200);
    client.get("/api/v1/lockers/101").expect(200);
    client.get("/api/v1/lockers/summary").expect(200);
    // One that does ask shows that asking would be seen.
    client.get(ME).refused(500, "internal");
}

#[test]
fn a_new_key_signs_and_tokens_of_the_one_before_live_out_their_time() {
    let site = site(2);
    let admin_id = site.add("ADMIN", Role::Admin, &[]);
    let (admin, before) = (site.account("ADMIN"), site.student(0));
    before.post(ROTATE).refused(403, "forbidden");
    let reply = admin.post(ROTATE).expect(200).json();
    let until = Timestamp::from_millisecond(site.clock.now().as_millisecond() + 1_830_000);
    assert_eq!(reply["previous_until"], until.expect("a time").to_string());
    let after = site.student(1);
    let kid = |client: &Client| {
        let head = client.token.as_deref().expect("a token").split('.').next().expect("a head");
        let head = data_encoding::BASE64URL_NOPAD.decode(head.as_bytes()).expect("its own text");
        let head: Value = serde_json::from_slice(&head).expect("JSON");
        assert_eq!((&head["typ"], &head["alg"]), (&json!("at+jwt"), &json!("HS256")));
        head["kid"].clone()
    };
    assert_eq!(kid(&after), reply["key_id"]);
    assert_ne!(kid(&before), kid(&after));
    admin.post(ROTATE).refused(409, "keys_rotating");
    site.pass(30 * MINUTE_MS - 1);
    before.get(ME).expect(200);
    after.get(ME).expect(200);
    site.pass(MINUTE_MS);
    before.get(ME).refused(401, "unauthenticated");
    assert_eq!(site.run(site.services.look_after_keys()).expect("done"), 1);
    assert_eq!(site.run(site.services.look_after_keys()).expect("done"), 0);
    // For a key that was stolen: nothing of it is believed any more, log-ins go on.
    let admin = site.account("ADMIN");
    let tokens = site.nobody().post_json(LOGIN, &student(0)).expect(200).json();
    let stolen = admin.with_token(tokens["access_token"].as_str().expect("text"));
    stolen.get(ME).expect(200);
    let reply = admin.post_json(ROTATE, &json!({ "at_once": true })).expect(200).json();
    assert_eq!(reply["previous_until"], Value::Null);
    stolen.get(ME).refused(401, "unauthenticated");
    admin.get(ME).refused(401, "unauthenticated");
    refresh(&stolen, &tokens["refresh_token"]).expect(200);
    let conn = site.sql();
    let mut rows = conn
        .prepare("SELECT actor_id, detail FROM audit WHERE action = 'keys.rotate' ORDER BY id")
        .expect("SQL");
    let rows: Vec<(i64, String)> = rows
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("readable")
        .collect::<Result<_, _>>()
        .expect("readable");
    assert_eq!(rows.len(), 2);
    for ((actor, detail), at_once) in rows.iter().zip([false, true]) {
        let detail: Value = serde_json::from_str(detail).expect("JSON");
        assert_eq!((*actor, &detail["at_once"]), (admin_id.0, &json!(at_once)));
    }
    site.demand_clean();
}

#[test]
fn keys_are_rotated_from_the_command_line_with_and_without_a_server() {
    let mut site = Site::prepare(&Plan::default().lockers(1, [101]).students(1).admin());
    let key = |site: &Site| std::fs::read(site.data_dir().join("token.key")).expect("a key");
    let first = key(&site);
    let done = site.command(&["keys", "rotate"], "").ok();
    assert!(done.out.starts_with("rotated: key "), "{done:?}");
    let second = key(&site);
    assert_ne!(first, second);
    site.serve();
    let client = site.account("ADMIN");
    // A moment ago is too soon, also for the server that was started in between.
    let done = site.command(&["keys", "rotate"], "");
    assert!(done.code == Some(1) && done.err.contains("keys_rotating"), "{done:?}");
    client.get(ME).expect(200);
    assert_eq!(key(&site), second);
    let done = site.command(&["keys", "rotate", "--at-once"], "").ok();
    assert!(done.out.starts_with("rotated: key "), "{done:?}");
    assert_ne!(key(&site), second);
    client.get(ME).refused(401, "unauthenticated");
    let again = site.nobody().log_in(&json!({ "id": "ADMIN", "password": PASSWORD }));
    site.kill();
    site.serve();
    site.again(&again).get(ME).expect(200);
    let mut left: Vec<String> = std::fs::read_dir(site.data_dir())
        .expect("readable")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.contains("key"))
        .collect();
    left.sort();
    assert_eq!(left, ["audit.key", "token.key", "vault.key"]);
    site.demand_clean();
}
