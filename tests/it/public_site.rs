//! What every page asks for at its start: the site with its numbers, for everybody, always as it is now.

use std::io::Read;

use flate2::read::GzDecoder;
use jiff::SignedDuration;
use lockerd::domain::options::Options;
use serde_json::{Value, json};

use crate::support::inside::{Inside, open_now, term};
use crate::support::site::student_name;

const SITE: &str = "/api/v1/site";

/// The places without the clock in their windows, which may be of a moment ago.
fn without_clocks(mut locations: Value) -> Value {
    for location in locations.as_array_mut().expect("locations") {
        for bank in location["banks"].as_array_mut().expect("banks") {
            bank["window"].as_object_mut().expect("a window").remove("server_time");
        }
    }
    locations
}

fn window(site: &Value) -> &Value {
    &site["locations"][0]["banks"][0]["window"]["state"]
}

#[test]
fn everybody_sees_the_numbers_and_nobody_behind_them() {
    let site = Inside::start(1..=4, 2, open_now);
    let (nobody, renter) = (site.nobody(), site.student(0));
    let reply = nobody.get(SITE).expect(200);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("etag"), None, "a clock is never the same again");
    let first = reply.json();
    assert_eq!(first["server_time"], "2026-08-24T01:00:00Z");
    assert_eq!(first["time_zone"], "Asia/Seoul");
    assert_eq!(first["locations"][0]["banks"][0]["free"], 4);
    renter.rent(1);
    renter.with_token("garbage").get(SITE).expect(200);
    site.student(1).locker(2, "hold").expect(201);
    let numbers = || {
        let text = nobody.get(SITE).expect(200).text();
        for person in [student_name(0), student_name(1)] {
            assert!(!text.contains(&person), "{text}");
        }
        let seen: Value = serde_json::from_str(&text).expect("JSON");
        let summary = renter.get("/api/v1/lockers/summary").expect(200).json();
        let of = without_clocks(seen["locations"].clone());
        assert_eq!(of, without_clocks(summary["locations"].clone()));
        let bank = &seen["locations"][0]["banks"][0];
        [&bank["free"], &bank["held"], &bank["taken"]].map(|it| it.as_i64().expect("a number"))
    };
    assert_eq!(numbers(), [2, 1, 1]);
    // Time alone changes it, too.
    site.pass(60_001);
    assert_eq!(numbers(), [3, 0, 1]);
}

#[test]
fn windows_open_and_are_shut_by_the_clock_alone() {
    let site = Inside::start(1..=2, 0, |now| {
        term(now + SignedDuration::from_secs(30), now + SignedDuration::from_hours(48))
    });
    let asked = || site.nobody().get(SITE).expect(200).json();
    assert_eq!(window(&asked()), "before");
    site.pass(29_000);
    assert_eq!(window(&asked()), "before");
    site.pass(1_000);
    let opened = asked();
    assert_eq!(window(&opened), "open");
    assert_eq!(opened["server_time"], "2026-08-24T01:00:30Z");
    site.clock.distrust();
    assert_eq!(window(&asked()), "clock_untrusted");
}

#[test]
fn it_says_how_people_get_in_and_whom_to_call() {
    let ways = |settings: &str| {
        let site = Inside::configured(settings, [1], 0, open_now);
        let seen = site.nobody().get(SITE).expect(200).json();
        json!([seen["sign_up"], seen["roster_login"], seen["phone"]])
    };
    assert_eq!(ways(""), json!(["closed", "off", null]));
    let auth = "[auth]\nregistration = 'roster'\nroster_login = 'claim'\n";
    // No code can be mailed, so nobody can sign up.
    assert_eq!(ways(auth), json!(["closed", "claim", null]));
    let mail = "[mail]\ntransport = 'box'\n[site]\nphone = '02-3290-1114'\n";
    assert_eq!(ways(&format!("{auth}{mail}")), json!(["roster", "claim", "02-3290-1114"]));
    let open = auth.replace("'roster'", "'open'").replace("'claim'", "'full'");
    assert_eq!(ways(&format!("{open}{mail}")), json!(["open", "full", "02-3290-1114"]));
}

#[test]
fn it_says_what_a_bank_offers_and_of_which_domains_addresses_must_be() {
    let settings = "[auth]\nroster_login = 'full'\nemail_domains = ['korea.ac.kr']\n";
    let site = Inside::configured(settings, 1..=2, 1, open_now);
    let seen = || site.nobody().get(SITE).expect(200).json();
    assert_eq!(seen()["email_domains"], json!(["korea.ac.kr"]));
    let plain = seen()["locations"][0]["banks"][0]["rules"].clone();
    assert_eq!((&plain["hold_seconds"], &plain["swaps"]), (&json!(60), &json!(false)));
    assert_eq!((&plain["penalty_factor"], &plain["return_by_door"]), (&json!(0), &json!(false)));
    site.offer(1, Options { swaps: true, offer_minutes: 30, ..Options::default() });
    let generous = seen()["locations"][0]["banks"][0]["rules"].clone();
    assert_eq!((&generous["swaps"], &generous["offer_minutes"]), (&json!(true), &json!(30)));
    // And of one's own locker where it stands.
    let renter = site.student(0);
    renter.rent(2);
    let mine = renter.get("/api/v1/lockers/me").expect(200).json()["locker"].clone();
    assert_eq!((&mine["bank_id"], &mine["location"]["ko"]), (&json!(1), &json!("정보관")));
    assert_eq!((&mine["in_service"], &mine["door_since"]), (&json!(true), &Value::Null));
    let me = renter.get("/api/v1/auth/me").expect(200).json();
    assert_eq!((&me["language"], &me["has_password"]), (&json!("ko"), &json!(false)));
}

#[test]
fn answers_come_in_gzip_to_who_takes_it() {
    let site = Inside::start(1..=60, 1, open_now);
    let student = site.student(0);
    student.rent(7);
    let takes = ["Accept-Encoding: br, gzip"];
    // Shared behind a head of one's own, shared whole, nobody else's.
    for path in ["/api/v1/lockers", SITE, "/api/v1/banks/1/map"] {
        let plain = student.get(path).expect(200);
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let packed = student.call("GET", path, &takes, "").expect(200);
        assert_eq!(packed.header("content-encoding"), Some("gzip"), "{path}");
        for reply in [&plain, &packed] {
            assert_eq!(reply.header("vary"), Some("accept-encoding"), "{path}");
        }
        assert!(packed.body.len() < plain.body.len(), "{path}: {}", packed.body.len());
        let mut text = String::new();
        GzDecoder::new(packed.body.as_slice()).read_to_string(&mut text).expect("gzip");
        assert_eq!(text, plain.text(), "{path}");
        if let Some(tag) = packed.header("etag") {
            let known = format!("If-None-Match: {tag}");
            student.call("GET", path, &[takes[0], &known], "").expect(304);
        }
    }
    let short = student.call("GET", "/api/v1/lockers/me", &takes, "").expect(200);
    assert_eq!(short.header("content-encoding"), None, "not worth it");
}
