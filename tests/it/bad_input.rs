//! Whatever comes in or is missing: a clear problem document or one clear line, never a panic,
//! never a leak.

use std::fs::File;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use data_encoding::BASE64URL_NOPAD;
use lockerd::sim::{SimBoard, SimBus};
use rustix::fs::FlockOperation;
use serde_json::{Value, json};

use crate::support::boards::{Boards, bus_toml, cu16_toml};
use crate::support::demo::gildong;
use crate::support::http::{Client, Reply, Wire};
use crate::support::process::{lockerd, run};
use crate::support::site::{Plan, Site};
use crate::support::until;

const LOG_IN: &str = "/api/v1/auth/login";
const JSON: &str = "Content-Type: application/json";

/// How long the server waits for a request's head, and for its body.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may wait to be read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How much later than its timeout a busy machine may notice.
const SLACK: Duration = Duration::from_secs(4);

fn small_site() -> Site {
    Site::start(&Plan::default().lockers(1, 1..=5).students(3))
}

/// The requests that are wrong by themselves, each with the refusal that it must get.
fn wrong_bodies(nobody: &Client) -> Vec<(Reply, u16, &'static str)> {
    let log_in = |headers: &[&str], body: &str| nobody.call("POST", LOG_IN, headers, body);
    let good = gildong().to_string();
    let long = format!("{{\"id\":\"{}\"}}", "x".repeat(5_000));
    let deep = "[".repeat(4_000);
    vec![
        (log_in(&[JSON], "not json"), 400, "bad_json"),
        (log_in(&[JSON], ""), 400, "bad_json"),
        (log_in(&[JSON], &deep), 400, "bad_json"),
        (log_in(&[JSON], "\u{0}\u{1}"), 400, "bad_json"),
        (log_in(&[JSON], "[1, 2]"), 400, "bad_json"),
        (log_in(&[JSON], r#"{"id": 7, "password": "x"}"#), 400, "bad_json"),
        (log_in(&[JSON], r#"{"id": "A", "password": "x", "admin": true}"#), 400, "bad_json"),
        (log_in(&["Content-Type: text/plain"], &good), 415, "unsupported_type"),
        (
            log_in(&["Content-Type: application/x-www-form-urlencoded"], "id=A"),
            415,
            "unsupported_type",
        ),
        (log_in(&[], &good), 415, "unsupported_type"),
        (log_in(&[JSON], &long), 413, "too_large"),
    ]
}

#[test]
fn a_wrong_body_is_refused_with_its_reason() {
    let site = small_site();
    for (n, (reply, status, code)) in wrong_bodies(&site.nobody()).into_iter().enumerate() {
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "case {n}: {reply:?}");
        reply.refused(status, code);
    }
    // The type may carry a parameter.
    let body = json!({ "id": "NOBODY", "password": "x" }).to_string();
    let typed = ["Content-Type: application/json; charset=utf-8"];
    site.nobody().call("POST", LOG_IN, &typed, &body).refused(401, "bad_credentials");
}

#[test]
fn a_body_without_a_length_or_of_a_false_one_is_refused() {
    let site = small_site();
    let mut wire = Wire::connect(site.nobody().address);
    let head = format!("POST {LOG_IN} HTTP/1.1\r\nHost: x\r\n{JSON}\r\n");
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
    wire.call(chunked).expect("an answer").refused(411, "length_required");
    // Larger than it may be: the answer does not wait for the body.
    let mut wire = Wire::connect(site.nobody().address);
    let begun = Instant::now();
    let huge = format!("{head}Content-Length: 99999999\r\n\r\n");
    wire.call(huge).expect("an answer").refused(413, "too_large");
    assert!(begun.elapsed() < HEAD_TIMEOUT);
    for nonsense in ["-1", "x", "1e3"] {
        let mut wire = Wire::connect(site.nobody().address);
        let request = format!("{head}Content-Length: {nonsense}\r\n\r\n{{}}");
        assert_eq!(wire.call(request).expect("an answer").status, 400, "{nonsense}");
    }
}

#[test]
fn what_cannot_be_done_says_why() {
    let site = small_site();
    let student = site.student(0);
    for what in ["hold", "confirm", "release-hold", "release", "open"] {
        student.locker(999, what).refused(404, "locker_not_found");
    }
    student.get("/api/v1/lockers/999").refused(404, "locker_not_found");
    student.locker(1, "confirm").refused(409, "hold_expired");
    student.locker(1, "release").refused(404, "not_your_locker");
    student.locker(1, "open").refused(404, "not_your_locker");
    let missing = "01900000-0000-7000-8000-000000000000";
    student.get(&format!("/api/v1/openings/{missing}")).refused(404, "opening_not_found");
    for wait in ["0", "31", "x", "-1", "1.5", ""] {
        let path = format!("/api/v1/openings/{missing}?wait_s={wait}");
        student.get(&path).refused(422, "invalid");
    }
    for key in ["", "with space", &"x".repeat(129), "한글"] {
        let reply = student.post_keyed("/api/v1/lockers/1/hold", key);
        reply.refused(422, "invalid");
    }
    student.post_keyed("/api/v1/lockers/1/hold", &"x".repeat(128)).expect(201);
    student.post_keyed("/api/v1/lockers/2/hold", &"x".repeat(128)).refused(422, "key_reused");
    let register = "/api/v1/auth/login-or-register";
    for (key, bad) in [("student_id", "1"), ("name", " "), ("phone_number", "12")] {
        let mut triple = gildong();
        triple[key] = json!(bad);
        site.nobody().post_json(register, &triple).refused(422, "invalid");
    }
}

#[test]
fn a_token_that_is_not_whole_and_ours_is_no_token() {
    let site = small_site();
    let student = site.student(0);
    let good = student.token.clone().expect("logged in");
    let parts: Vec<&str> = good.split('.').collect();
    let claims: Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(parts[1].as_bytes()).expect("base64"))
            .expect("JSON");
    let encode = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let key = std::fs::read(site.data_dir().join("token.key")).expect("readable");
    let header = jsonwebtoken::decode_header(&good).expect("a head");
    let sign = |claims: &Value, key: &[u8]| {
        let header = header.clone();
        let key = jsonwebtoken::EncodingKey::from_secret(key);
        jsonwebtoken::encode(&header, claims, &key).expect("signed")
    };
    let with = |name: &str, value: Value| {
        let mut changed = claims.clone();
        changed[name] = value;
        changed
    };
    let with_head = |name: &str, value: &str| {
        let mut changed = serde_json::to_value(&header).expect("JSON");
        changed[name] = json!(value);
        format!("{}.{}.{}", encode(&changed), parts[1], parts[2])
    };
    let purpose = |purpose: Option<&str>| {
        let mut header = header.clone();
        header.typ = purpose.map(str::to_owned);
        let key = jsonwebtoken::EncodingKey::from_secret(&key);
        jsonwebtoken::encode(&header, &claims, &key).expect("signed")
    };
    let hour_ago = claims["iat"].as_i64().expect("a time") - 3_600;
    // The way of making them is right: the same claims are good when signed so.
    student.with_token(sign(&claims, &key)).get("/api/v1/auth/me").expect(200);
    let bad = [
        ("empty", String::new()),
        ("words", "hello".to_owned()),
        ("cut", good[..good.len() - 4].to_owned()),
        ("alg none", with_head("alg", "none").rsplit_once('.').expect("parts").0.to_owned() + "."),
        ("alg none, signed", with_head("alg", "none")),
        ("another alg", with_head("alg", "HS512")),
        ("a key of another name", with_head("kid", "0011223344556677")),
        ("another purpose", purpose(Some("JWT"))),
        ("no purpose", purpose(None)),
        (
            "role raised",
            format!("{}.{}.{}", parts[0], encode(&with("role", json!("admin"))), parts[2]),
        ),
        ("expired", sign(&with("exp", json!(hour_ago)), &key)),
        ("not yet", sign(&with("nbf", json!(hour_ago + 7_200)), &key)),
        ("another key", sign(&claims, &[7; 32])),
        ("another issuer", sign(&with("iss", json!("somebody")), &key)),
        ("another audience", sign(&with("aud", json!("refresh")), &key)),
        ("no subject", sign(&with("sub", Value::Null), &key)),
        ("a subject that is no number", sign(&with("sub", json!("1 OR 1=1")), &key)),
    ];
    for (what, token) in bad {
        let reply = student.with_token(token).get("/api/v1/auth/me");
        assert_eq!(reply.status, 401, "{what}: {}", reply.text());
        reply.refused(401, "unauthenticated");
    }
    for header in ["Authorization: Basic QTpC", "Authorization: Bearer", "Authorization: \u{7f}"] {
        let reply = site.nobody().call("GET", "/api/v1/auth/me", &[header], "");
        assert!(matches!(reply.status, 400 | 401), "{header}: {reply:?}");
    }
}

#[test]
fn strange_requests_are_answered_or_closed_and_the_server_goes_on() {
    let site = small_site();
    let address = site.nobody().address;
    let ask = |request: &str| {
        let mut wire = Wire::connect(address);
        wire.send(request).expect("sent");
        wire.reply()
    };
    let status = |request: &str| ask(request).expect(request).status;
    // Neither has a path, so that neither is found nor refused by its method more rightly.
    for request in ["CONNECT example.org:443", "OPTIONS *"] {
        let reply = ask(&format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n")).expect("an answer");
        assert!(matches!(reply.status, 404 | 405), "{request}: {reply:?}");
        assert!(!reply.code().is_empty(), "{request}: {reply:?}");
    }
    assert_eq!(status("GET //api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
    assert_eq!(status("GET /api/v1/../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
    assert_eq!(status("TRACE /api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n"), 405);
    assert_eq!(status("GET http://x/api/v1/health HTTP/1.1\r\nHost: x\r\n\r\n"), 200);
    assert_eq!(status("GET /api/v1/health HTTP/1.0\r\n\r\n"), 200);
    assert_eq!(status("nonsense\r\n\r\n"), 400);
    assert_eq!(status("GET /%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n"), 404);
    let long =
        format!("GET /api/v1/health HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n", "x".repeat(20_000));
    assert_eq!(status(&long), 431);
    let many = "X-Many: y\r\n".repeat(500);
    assert_eq!(status(&format!("GET /api/v1/health HTTP/1.1\r\nHost: x\r\n{many}\r\n")), 431);
    let longer = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(20_000));
    assert!(matches!(status(&longer), 414 | 431), "a long address");
    let smuggled = "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\
                    Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let status = ask(smuggled).expect("an answer").status;
    assert!(matches!(status, 400 | 411 | 415), "{status}");
    // HTTP/2 without TLS is not spoken here.
    assert!(ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").map_or(true, |reply| reply.status >= 400));
    assert_eq!(site.nobody().health()["status"], "ok");
}

/// How long until the server closes, and what it says before.
fn closed_after(mut wire: Wire) -> (Duration, String) {
    let begun = Instant::now();
    let said = wire.rest();
    (begun.elapsed(), String::from_utf8_lossy(&said).into_owned())
}

/// A client that asks for much and reads nothing is cut off, so that it does not keep the last
/// connection from everybody.
#[test]
fn clients_that_read_nothing_do_not_stop_the_site() {
    const CONNECTIONS: usize = 8;
    let limit = format!("connections_max = {CONNECTIONS}\n");
    let site = Site::start(&Plan::default().lockers(1, [1]).http(&limit));
    let address = site.nobody().address;
    let request = "GET /api/swagger/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(60);
    let greedy: Vec<Wire> = (0..CONNECTIONS)
        .map(|_| {
            let mut wire = Wire::connect(address);
            wire.send(&request).expect("sent");
            wire
        })
        .collect();
    let begun = Instant::now();
    site.nobody().get("/api/v1/health").expect(200);
    assert!(begun.elapsed() < WRITE_TIMEOUT + SLACK, "{:?}", begun.elapsed());
    drop(greedy);
}

#[test]
fn slow_clients_are_dropped_and_keep_nobody_waiting() {
    let site = small_site();
    let address = site.nobody().address;
    let post = format!("POST {LOG_IN} HTTP/1.1\r\nHost: x\r\n{JSON}\r\nContent-Length: 50\r\n\r\n");
    let cases = [
        ("silent", String::new(), HEAD_TIMEOUT, None),
        ("half a head", "GET /api/v1/health HTTP/1.1\r\nHos".to_owned(), HEAD_TIMEOUT, None),
        ("half a body", format!("{post}{{\"id\":"), BODY_TIMEOUT, Some("body_timeout")),
    ];
    let threads = cases.map(|(what, request, timeout, code)| {
        let mut wire = Wire::connect(address);
        wire.send(request).expect("sent");
        std::thread::spawn(move || {
            let (took, said) = closed_after(wire);
            assert!(took + Duration::from_secs(1) > timeout, "{what}: only {took:?}: {said}");
            let idle = if code.is_some() { HEAD_TIMEOUT } else { Duration::ZERO };
            assert!(took < timeout + idle + SLACK, "{what}: {took:?}");
            if let Some(code) = code {
                assert!(said.starts_with("HTTP/1.1 408") && said.contains(code), "{what}: {said}");
            }
        })
    });
    // One byte a second is no way around the limit.
    let mut dripping = Wire::connect(address);
    let dripped = std::thread::spawn(move || {
        let begun = Instant::now();
        for byte in "GET /api/v1/health HTTP/1.1\r\n".bytes() {
            let sent = dripping.send([byte]);
            dripping.0.set_read_timeout(Some(Duration::from_millis(700))).expect("settable");
            let mut end = [0; 1];
            let read = std::io::Read::read(&mut dripping.0, &mut end);
            let waiting = read
                .as_ref()
                .is_err_and(|it| matches!(it.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
            if sent.is_err() || !waiting {
                return begun.elapsed();
            }
        }
        begun.elapsed()
    });
    let crowd: Vec<Wire> = (0..200).map(|_| Wire::connect(address)).collect();
    let begun = Instant::now();
    site.nobody().health();
    assert!(begun.elapsed() < Duration::from_secs(1), "others wait for the silent");
    drop(crowd);
    for thread in threads {
        thread.join().expect("as it should");
    }
    let took = dripped.join().expect("no panic");
    assert!(took < HEAD_TIMEOUT + SLACK, "dripping went on for {took:?}");
}

#[test]
fn another_host_name_is_not_ours() {
    let http = "allowed_hosts = ['lockers.example']\n";
    let site = Site::start(&Plan::default().lockers(1, [1]).http(http));
    let ask = |host: &str| {
        let mut wire = Wire::connect(site.nobody().address);
        wire.call(format!("GET /api/v1/health HTTP/1.1\r\n{host}\r\n")).expect("an answer")
    };
    for good in ["lockers.example", "LOCKERS.example:3000"] {
        ask(&format!("Host: {good}\r\n")).expect(200);
    }
    for bad in
        ["evil.example", "lockers.example.evil.example", "127.0.0.1", "lockers.example:x", ""]
    {
        ask(&format!("Host: {bad}\r\n")).refused(421, "misdirected");
    }
    ask("").refused(421, "misdirected");
}

#[test]
fn after_a_storm_of_nonsense_nothing_has_leaked() {
    const ROUNDS: usize = 60;
    let mut site = small_site();
    let nobody = site.nobody();
    // What is allocated once is there after the first round.
    wrong_bodies(&nobody);
    let (rss_before_kb, files_before) = site.process().usage();
    for _ in 0..ROUNDS {
        wrong_bodies(&nobody);
        nobody.with_token("x.y.z").get("/api/v1/lockers").refused(401, "unauthenticated");
        for cut in [
            "",
            "G",
            "GET /api/v1/health HTTP/1.1\r\n",
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        ] {
            let mut wire = Wire::connect(nobody.address);
            wire.send(cut).expect("sent");
        }
    }
    let files = until("the connections are closed", || {
        let files = site.process().usage().1;
        (files <= files_before + 8).then_some(files)
    });
    let (rss_kb, _) = site.process().usage();
    assert!(rss_kb < rss_before_kb + 20_000, "{rss_before_kb} kB became {rss_kb} kB");
    assert_eq!(nobody.health()["status"], "ok", "{files} files");
    let log = site.process().log();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn an_address_in_use_is_one_line_that_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    let site = Site::prepare(&Plan::default().lockers(1, [1]));
    let mut command = site.serve_command();
    let done = run(command.env("LOCKERD_HTTP__LISTEN", &address), "").failed();
    assert!(done.err.contains(&address) && done.err.contains("http.listen"), "{done:?}");
    assert!(done.out.is_empty() && done.took < Duration::from_secs(3), "{done:?}");
    let place = tempfile::tempdir().expect("a temporary place");
    let mut command = lockerd();
    command.args(["demo", "--json", "--listen", &address]).env("TMPDIR", place.path());
    let done = run(&mut command, "").failed();
    assert!(done.err.contains(&address) && done.out.is_empty(), "{done:?}");
    let left: Vec<_> = std::fs::read_dir(place.path()).expect("there").collect();
    assert!(left.is_empty(), "the demo left something behind: {left:?}");
}

#[test]
fn a_data_directory_has_one_owner() {
    let mut site = small_site();
    let second = site.command(&["serve"], "").failed();
    assert!(second.err.contains("in use"), "{second:?}");
    let file = site.path("site.toml").display().to_string();
    let import = site.command(&["bank", "import", &file], "").failed();
    assert!(import.err.contains("in use"), "{import:?}");
    // Looking is always allowed.
    site.demand_clean();
    assert!(site.process().runs());
    site.nobody().health();
}

#[test]
fn a_newer_database_is_left_alone() {
    let site = Site::prepare(&Plan::default().lockers(1, [1]));
    let insert = "INSERT INTO refinery_schema_history
                  VALUES (99, 'future', '2030-01-01T00:00:00Z', '1')";
    site.sql().execute_batch(insert).expect("written");
    let before = std::fs::read(site.database()).expect("readable");
    let done = site.command(&["serve"], "");
    assert_eq!(done.code, Some(1), "{done:?}");
    let last = done.err.trim_end().lines().last().unwrap_or_default().to_owned();
    assert!(last.contains("99") && last.contains("install"), "{done:?}");
    let after = std::fs::read(site.database()).expect("readable");
    assert!(after == before, "the file of a newer version was written to");
}

#[test]
fn a_configuration_with_a_mistake_is_refused_by_name() {
    let site = Site::prepare(&Plan::default().lockers(1, [1]));
    let good = std::fs::read_to_string(site.config()).expect("readable");
    let bus = "[[bus]]\nname = 'east'\nport = 'x'\nbaud = 9600\n[[bus.board]]\naddress = 1\n\
               family = 'modbus-relay'\nlocks = 8\n";
    for (text, says) in [
        (good.replace("data_dir", "# data_dir"), "data_dir"),
        (good.replace("[http]", "[http]\nlisten_on = 'x'"), "listen_on"),
        (good.replace("listen = '127.0.0.1:0'", "listen = 'everywhere'"), "listen"),
        (good.clone() + &bus.replace("baud = 9600\n", ""), "baud"),
        (good.clone() + &bus.replace("locks = 8\n", ""), "locks"),
        (good.clone() + &bus.replace("modbus-relay", "winnsen"), "winnsen"),
        (good.replace("'full'", "'perhaps'"), "perhaps"),
        ("[".to_owned(), "config.toml"),
    ] {
        std::fs::write(site.config(), text).expect("written");
        for command in ["serve", "check"] {
            let done = site.command(&[command], "");
            assert_eq!(done.code, Some(1), "{command}, {says}: {done:?}");
            assert!(done.err.contains(says), "{command}, {says}: {done:?}");
            assert!(done.err.contains("config.toml"), "{command}, {says}: {done:?}");
        }
    }
    std::fs::remove_file(site.config()).expect("there");
    let done = site.command(&["serve"], "").failed();
    assert!(done.err.contains("config.toml"), "{done:?}");
}

#[test]
fn a_serial_port_that_is_missing_at_the_start_is_said_and_heals() {
    let place = tempfile::tempdir().expect("a temporary place");
    let link = place.path().join("east");
    let bus = bus_toml("east", 19_200, &[&cu16_toml(1)]);
    let plan = Plan::default().wired(1, 101, ("east", 1, 3)).students(1).admin().bus(&bus);
    let mut site = Site::prepare_in(place, &plan);
    site.serve();
    let admin = site.account("ADMIN");
    let health = until("the missing port is said", || {
        let health = admin.health();
        (health["buses"]["east"] == "offline").then_some(health)
    });
    assert_eq!(health["status"], "degraded");
    let reason = health["details"]["buses"][0]["reason"].as_str().expect("a reason").to_owned();
    assert!(!reason.is_empty() && reason.len() < 200, "{reason}");
    assert!(site.process().log().contains("east"), "{}", site.process().log());
    let student = site.student(0);
    student.rent(101);
    assert_eq!(student.mine()["door"], "unknown");

    let boards = Boards::start(vec![SimBus::new("east", &link, 19_200).with(SimBoard::cu16(1))]);
    until("it is found", || (admin.health()["status"] == "ok").then_some(()));
    until("the door is known", || (student.mine()["door"] == "closed").then_some(()));
    let opened = student.locker(101, "open").expect(202).json();
    let opening = student.outcome(opened["operation_id"].as_str().expect("an id"));
    assert_eq!(opening["outcome"], "opened", "{opening}");
    drop(boards);
}

#[test]
fn a_serial_port_that_another_program_holds_is_said_and_heals() {
    let place = tempfile::tempdir().expect("a temporary place");
    let link = place.path().join("east");
    let boards = Boards::start(vec![SimBus::new("east", &link, 19_200).with(SimBoard::cu16(1))]);
    // As picocom, socat and lockerd itself do: an advisory lock on the device.
    let holder = File::options().read(true).write(true).open(&link).expect("a terminal");
    rustix::fs::flock(&holder, FlockOperation::NonBlockingLockExclusive).expect("free");
    let bus = bus_toml("east", 19_200, &[&cu16_toml(1)]);
    let plan = Plan::default().wired(1, 101, ("east", 1, 3)).students(1).admin().bus(&bus);
    let mut site = Site::prepare_in(place, &plan);
    site.serve();
    let admin = site.account("ADMIN");
    let health = until("the port is said to be held", || {
        let health = admin.health();
        (health["buses"]["east"] == "offline").then_some(health)
    });
    let reason = health["details"]["buses"][0]["reason"].as_str().expect("a reason").to_owned();
    assert!(!reason.is_empty(), "{health}");
    assert!(boards.simulator.bytes(0).is_empty(), "it talked over the other program");
    drop(holder);
    until("it heals", || (admin.health()["status"] == "ok").then_some(()));
}
