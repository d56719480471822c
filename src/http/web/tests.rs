//! Files as a build makes them, asked for as browsers and others do.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use warp::http::HeaderMap;
use warp::http::header::{ACCEPT_ENCODING, IF_NONE_MATCH};

use super::files::Raw;
use super::*;
use crate::http::encoding::Accepted;

const START: &str = "<!doctype html><script>start()</script>";

fn file(name: &str, text: &'static str, kind: &str) -> (String, Raw) {
    let (data, hash) = (text.as_bytes().into(), Sha256::digest(text).into());
    (name.to_owned(), Raw { data, hash, kind: kind.to_owned() })
}

fn built() -> Folder {
    let files = Files::new([
        file("index.html", START, "text/html"),
        file("index.html.br", "page in br", "application/octet-stream"),
        file("index.html.gz", "page in gzip", "application/gzip"),
        file("_app/immutable/entry/start.Ab12.js", "start", "text/javascript"),
        file("_app/immutable/entry/start.Ab12.js.gz", "smaller", "application/gzip"),
        file("_app/version.json", "{}", "application/json"),
        file("manifest.webmanifest", "{ }", "application/manifest+json"),
    ]);
    Folder::new(files, "_app/immutable/", "_app/")
}

type Asked<'a> = &'a [(HeaderName, &'a str)];

fn ask(path: &str, headers: Asked<'_>) -> Result<Response, Problem> {
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| (name.clone(), value.parse().expect("good"))).collect();
    built().answer(path, &Method::GET, &Head::of(headers))
}

fn got(path: &str, headers: Asked<'_>) -> BTreeMap<String, String> {
    let response = ask(path, headers).unwrap_or_else(|_| panic!("{path} is there"));
    let mut found = BTreeMap::from([("status".to_owned(), response.status().as_str().to_owned())]);
    for (name, value) in response.headers() {
        found.insert(name.to_string(), value.to_str().expect("text").to_owned());
    }
    found
}

fn is_missing(path: &str, headers: Asked<'_>) -> bool {
    ask(path, headers).is_err()
}

const PAGES: (HeaderName, &str) = (ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8");

#[test]
fn the_smallest_form_is_sent_that_the_client_takes() {
    for (accepted, encoding) in
        [("gzip, br", Some("br")), ("gzip", Some("gzip")), ("identity", None), ("br;q=0", None)]
    {
        let page = got("/", &[(ACCEPT_ENCODING, accepted)]);
        assert_eq!(page.get("content-encoding").map(String::as_str), encoding, "{accepted}");
        assert_eq!(page["vary"], "accept, accept-encoding");
        assert_eq!(page["content-type"], "text/html; charset=utf-8");
    }
    // There is no brotli of this one.
    let script = got("/_app/immutable/entry/start.Ab12.js", &[(ACCEPT_ENCODING, "gzip, br")]);
    assert_eq!(script["content-encoding"], "gzip");
    assert_eq!(script["content-type"], "text/javascript; charset=utf-8");
    // A copy is no file of its own.
    assert!(is_missing("/index.html.br", &[]));
}

#[test]
fn each_form_has_its_tag_and_who_knows_it_is_sent_nothing() {
    let tags: Vec<String> = ["br", "gzip", ""]
        .iter()
        .map(|form| got("/", &[(ACCEPT_ENCODING, form)])["etag"].clone())
        .collect();
    assert!(tags[0] != tags[1] && tags[1] != tags[2] && tags[0] != tags[2], "{tags:?}");
    for known in [tags[0].clone(), format!("\"x\", {}", tags[0]), format!("W/{}", tags[0])] {
        let asked = [(ACCEPT_ENCODING, "br"), (IF_NONE_MATCH, known.as_str())];
        let answer = got("/deep/link", &[&asked[..], &[PAGES]].concat());
        assert_eq!(answer["status"], "304", "{known}");
        assert_eq!((&answer["etag"], answer["cache-control"].as_str()), (&tags[0], "no-cache"));
        assert!(!answer.contains_key("content-encoding"));
    }
    let other = [(ACCEPT_ENCODING, "gzip"), (IF_NONE_MATCH, tags[0].as_str())];
    assert_eq!(got("/", &other)["status"], "200", "the tag of another form");
}

#[test]
fn what_changes_its_name_is_kept_for_ever_and_nothing_else() {
    for (path, lasting) in [
        ("/_app/immutable/entry/start.Ab12.js", IMMUTABLE),
        ("/_app/version.json", "no-cache"),
        ("/manifest.webmanifest", "no-cache"),
        ("/index.html", "no-cache"),
        ("/", "no-cache"),
    ] {
        assert_eq!(got(path, &[])["cache-control"], lasting, "{path}");
    }
}

#[test]
fn a_place_within_the_app_is_its_page_and_a_missing_file_is_missing() {
    for path in ["/lockers", "/bank/3", "/bank/3/", "/%EC%82%AC", "/a/../b"] {
        let page = got(path, &[PAGES]);
        assert_eq!((page["status"].as_str(), &page["etag"]), ("200", &got("/", &[])["etag"]));
        assert!(page.contains_key("content-security-policy"), "{path}");
        // A program that takes anything is told the truth.
        assert!(is_missing(path, &[(ACCEPT, "*/*")]), "{path}");
        assert!(is_missing(path, &[(ACCEPT, "text/html;q=0")]), "{path}");
        assert!(is_missing(path, &[]), "{path}");
    }
    for path in [
        "/_app/immutable/entry/start.Old.js",
        "/_app/nothing",
        "/_app/../Cargo.toml",
        "/_app/%2e%2e/%2e%2e/Cargo.toml",
        "/../../Cargo.toml",
        "/favicon.ico",
        "//index.html",
    ] {
        assert!(is_missing(path, &[PAGES]), "{path}");
    }
    for method in [Method::POST, Method::PUT, Method::DELETE] {
        for path in ["/", "/_app/version.json", "/bank/3"] {
            let head =
                Head::of(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(PAGES.1))]));
            assert!(built().answer(path, &method, &head).is_err(), "{method} {path}");
        }
    }
    assert!(built().answer("/", &Method::HEAD, &Head::of(HeaderMap::new())).is_ok());
}

#[test]
fn pages_are_locked_down_and_files_need_no_policy() {
    let page = got("/", &[]);
    let hash = data_encoding::BASE64.encode(&Sha256::digest("start()"));
    let policy = &page["content-security-policy"];
    assert!(policy.contains(&format!("script-src 'self' 'sha256-{hash}';")), "{policy}");
    assert_eq!(page["referrer-policy"], "no-referrer");
    assert_eq!(page["cross-origin-opener-policy"], "same-origin");
    assert!(page["permissions-policy"].contains("camera=()"));
    assert!(!got("/_app/version.json", &[]).contains_key("content-security-policy"));
}

#[test]
fn a_program_without_the_app_says_how_to_build_it() {
    let folder = Folder::new(Files::default(), "_app/immutable/", "_app/");
    let head = Head::of(HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/html"))]));
    let page = folder.answer("/", &Method::GET, &head).unwrap_or_else(|_| panic!("a page"));
    assert_eq!(page.headers()[CONTENT_SECURITY_POLICY], policy::OF_NOTHING);
    assert!(folder.answer("/bank/3", &Method::GET, &head).is_err());
}

/// What was really built, if it was: `make test` builds it before.
#[test]
fn the_built_app_has_what_it_is_served_by() {
    let app = Folder::app();
    let on_disk = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/build/index.html");
    assert_eq!(app.files.get(PAGE).is_some(), on_disk.exists(), "what was built is compiled in");
    let Some(page) = app.files.get(PAGE) else { return };
    assert_eq!(page.text().matches("<script").count(), 1, "the one that starts the app");
    let policy = app.policy.as_ref().and_then(|it| it.to_str().ok()).expect("a policy");
    assert!(policy.contains("script-src 'self' 'sha256-"), "{policy}");
    let hashed: Vec<&str> = app.files.names().filter(|it| it.starts_with(app.immutable)).collect();
    assert!(hashed.iter().any(|it| it.contains("/entry/start.")), "{hashed:?}");
    for name in hashed {
        let file = app.files.get(name).expect("listed");
        let smaller = file.choose(Accepted { brotli: true, gzip: true });
        assert_eq!(smaller.1, Some("br"), "{name}");
    }
}
