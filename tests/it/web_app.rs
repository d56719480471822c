//! The web app over the wire, as the real program serves it; with what `make ui` built, which these tests
//! need.

use crate::support::demo::Demo;
use crate::support::http::{Client, Reply, Wire};
use crate::support::site::{Plan, Site};

const PAGES: &str = "Accept: text/html,application/xhtml+xml,*/*;q=0.8";

#[track_caller]
fn page(of: &Client, path: &str, headers: &[&str]) -> Reply {
    let reply = of.call("GET", path, &[&[PAGES], headers].concat(), "");
    assert!(
        reply.header("etag").is_some(),
        "no web app in this program: make ui, then build again"
    );
    reply
}

/// The address of the file that the page begins the app with.
#[track_caller]
fn start_of(page: &str) -> String {
    let at = page.find("/_app/immutable/entry/app.").expect("the app");
    page[at..].split('"').next().expect("its end").to_owned()
}

#[test]
fn a_page_is_sent_for_each_place_and_its_files_for_ever() {
    let site = Site::start(&Plan::default().lockers(1, 1..=2));
    let nobody = site.nobody();
    let first = page(&nobody, "/", &[]).expect(200);
    let text = first.text();
    assert!(text.starts_with("<!doctype html>"), "{text}");
    assert_eq!(first.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    assert_eq!(first.header("x-content-type-options"), Some("nosniff"));
    let policy = first.header("content-security-policy").expect("a policy").to_owned();
    assert!(policy.contains("script-src 'self' 'sha256-"), "{policy}");
    let deep = page(&nobody, "/bank/3/locker/101", &[]).expect(200);
    assert_eq!(deep.text(), text);
    assert_eq!(deep.header("content-security-policy"), Some(policy.as_str()));

    let start = start_of(&text);
    let script = nobody.get(&start).expect(200);
    assert_eq!(script.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
    assert_eq!(script.header("content-encoding"), None);
    let mut lengths = vec![script.body.len()];
    for encoding in ["gzip", "br"] {
        let asked = format!("Accept-Encoding: {encoding}");
        let smaller = nobody.call("GET", &start, &[&asked], "").expect(200);
        assert_eq!(smaller.header("content-encoding"), Some(encoding));
        assert_eq!(smaller.header("vary"), Some("accept, accept-encoding"));
        lengths.push(smaller.body.len());
    }
    assert!(lengths.is_sorted_by(|longer, shorter| longer > shorter), "{lengths:?}");

    let tag = first.header("etag").expect("a tag");
    let known = page(&nobody, "/help", &[&format!("If-None-Match: {tag}")]).expect(304);
    assert!(known.body.is_empty());
    let mut wire = Wire::connect(nobody.address);
    wire.send("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("sent");
    let head = String::from_utf8(wire.rest()).expect("text").to_lowercase();
    assert!(head.starts_with("http/1.1 200") && head.ends_with("\r\n\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}\r\n", text.len())), "{head}");
}

#[test]
fn what_is_no_page_stays_what_it_is() {
    let site = Site::start(&Plan::default().lockers(1, 1..=2));
    let nobody = site.nobody();
    for path in [
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/nothing",
        "/api/v2/lockers",
        "/problems/nonsense",
        "/problems",
        "/mailbox",
        "/_app/immutable/old.js",
        "/_app/../Cargo.toml",
        "/_app/%2e%2e/Cargo.toml",
        "/robots.txt",
        // Of a demonstration alone.
        "/demo",
        "/demo/",
        "/demo/index.html",
        "/demo/api/site",
        "/demo/api/state",
        "/demo/api/kiosk",
    ] {
        nobody.call("GET", path, &[PAGES], "").refused(404, "not_found");
    }
    nobody.call("GET", "/api/v1/lockers", &[PAGES], "").refused(401, "unauthenticated");
    let refused = nobody.call("POST", "/icon.svg", &[PAGES], "");
    refused.refused(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("GET, HEAD"));
    for path in ["/bank/3", "/api/v2/lockers"] {
        nobody.call("POST", path, &[PAGES], "").refused(404, "not_found");
    }
}

#[test]
fn a_demonstration_has_its_front_page_with_boards_to_play_with() {
    let demo = Demo::start();
    let people = demo.nobody.get("/demo/api/site").expect(200).json();
    assert_eq!(people["faces"], serde_json::json!(["student", "kiosk", "staff"]));
    for role in ["student", "staff", "admin"] {
        let all = people["people"].as_array().expect("people");
        let one = all.iter().find(|it| it["role"] == role).expect(role);
        assert!(one["name"].is_string(), "{one}");
        let log_in = serde_json::json!({ "id": one["id"], "password": one["password"] });
        let somebody = demo.nobody.log_in(&log_in);
        assert_eq!(somebody.get("/api/v1/auth/me").expect(200).json()["role"], role);
    }
    let state = demo.nobody.get("/demo/api/state").expect(200).json();
    assert!(state["buses"].is_array(), "{state}");
    let open = serde_json::json!({ "action": "open" });
    demo.nobody.post_json("/demo/api/doors/bus1/0/1", &open).expect(200);
    demo.nobody.post_json("/demo/api/doors/bus1/0/1", &serde_json::json!({})).expect(400);
    assert_eq!(demo.nobody.get("/demo/api/nothing").status, 404);
    demo.nobody.get("/demo/nothing.js").refused(404, "not_found");
    demo.nobody.get("/demo/api/kiosk").refused(405, "method_not_allowed");
    let first = demo.nobody.post("/demo/api/kiosk").expect(201).json();
    let again = demo.nobody.post("/demo/api/kiosk").expect(201).json();
    assert_eq!(first["kiosk_id"], again["kiosk_id"], "there is one");
    let pair = |code: &serde_json::Value| {
        demo.nobody.post_json("/api/v1/kiosk/pair", &serde_json::json!({ "code": code }))
    };
    pair(&first["pairing_code"]).refused(422, "code_wrong");
    assert_eq!(pair(&again["pairing_code"]).expect(200).json()["kiosk_id"], first["kiosk_id"]);
    // The app is there as elsewhere.
    page(&demo.nobody, "/", &[]).expect(200);
}
