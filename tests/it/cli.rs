//! The command line as a technician uses it: setting a site up, looking at boards, and an end in
//! order. Errors are one line that names what is wrong.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use lockerd::sim::{SimBoard, SimBus};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::boards::{Boards, bus_toml, cu16_toml, modbus_toml};
use crate::support::demo::Demo;
use crate::support::http::{Client, Wire};
use crate::support::process::{Done, Process, lockerd, run};
use crate::support::site::{PASSWORD, Plan, Site, student_id};
use crate::support::{demo, until};

/// Frames as the protocol notes list them; the project's own copy.
const VECTORS: &str = include_str!("../data/vectors.txt");

/// Longest end in order.
const END_MAX: Duration = Duration::from_secs(10);

#[track_caller]
fn json_line(done: &Done) -> Value {
    assert_eq!(done.out.trim_end().lines().count(), 1, "{done:?}");
    serde_json::from_str(&done.out).expect("a line of JSON")
}

/// An empty place with a configuration and nothing else.
struct Bare(TempDir);

impl Bare {
    fn new() -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let bare = Self(place);
        bare.write("config.toml", "data_dir = 'data'\n[http]\nlisten = '127.0.0.1:0'\n");
        bare
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("written");
    }

    #[track_caller]
    fn run(&self, arguments: &[&str], input: &str) -> Done {
        let mut command = lockerd();
        command.args(arguments).args(["--config", "config.toml"]).current_dir(self.0.path());
        run(&mut command, input)
    }

    fn number(&self, sql: &str) -> i64 {
        let path = self.0.path().join("data/lockerd.db");
        let conn = rusqlite::Connection::open(path).expect("there");
        conn.query_row(sql, [], |row| row.get(0)).expect(sql)
    }
}

#[test]
fn init_makes_a_site_once_and_shows_its_password_once() {
    let bare = Bare::new();
    let done = bare.run(&["init"], "").ok();
    let shown = done.out.lines().find_map(|line| line.strip_prefix("Admin ADMIN, password "));
    let password = shown.expect("the password").to_owned();
    assert_eq!(done.out.matches(&password).count(), 1, "{done:?}");
    let mode = |name: &str| {
        let path = bare.0.path().join(name);
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    };
    assert_eq!(mode("data"), 0o700);
    assert_eq!(mode("data/token.key"), 0o600);
    let hash: String = {
        let conn =
            rusqlite::Connection::open(bare.0.path().join("data/lockerd.db")).expect("there");
        conn.query_row("SELECT password_hash FROM member", [], |row| row.get(0)).expect("a hash")
    };
    assert!(hash.starts_with("$argon2id$") && !hash.contains(&password), "{hash}");
    for entry in std::fs::read_dir(bare.0.path().join("data")).expect("there") {
        let path = entry.expect("an entry").path();
        let bytes = std::fs::read(&path).expect("readable");
        let found = bytes.windows(password.len()).any(|it| it == password.as_bytes());
        assert!(!found, "the password stands in {}", path.display());
    }
    let again = bare.run(&["init"], "").failed();
    assert!(again.err.contains("accounts already"), "{again:?}");
    assert_eq!(bare.number("SELECT count(*) FROM member"), 1);

    let mut command = lockerd();
    command.args(["serve", "--config", "config.toml"]).current_dir(bare.0.path());
    let mut server = Process::start(command, &bare.0.path().join("log"));
    let line = server.line();
    let url = line.strip_prefix("lockerd listens on ").expect("where").to_owned();
    let nobody = Client::nobody(demo::address(&json!(url)));
    let admin = nobody.log_in(&json!({ "id": "admin", "password": password }));
    assert_eq!(admin.get("/api/v1/auth/me").expect(200).json()["role"], "admin");
}

#[test]
fn commands_before_init_and_weak_passwords_are_refused() {
    let bare = Bare::new();
    bare.write("site.toml", "[[location]]\nname_ko = 'a'\n");
    let done = bare.run(&["bank", "import", "site.toml"], "").failed();
    assert!(done.err.contains("lockerd init"), "{done:?}");
    let done = bare.run(&["serve"], "").failed();
    assert!(done.err.contains("lockerd init"), "{done:?}");
    let done = bare.run(&["init", "--password-stdin"], "short\n").failed();
    assert!(done.err.contains("15"), "{done:?}");
    let done = bare.run(&["check"], "").ok();
    assert!(done.out.contains("run lockerd init"), "{done:?}");
    bare.run(&["init", "--password-stdin"], PASSWORD).ok();
    assert!(!bare.run(&["check"], "").ok().out.contains(PASSWORD));
}

#[test]
fn a_directory_that_others_may_read_is_not_left_so() {
    let bare = Bare::new();
    bare.run(&["init", "--password-stdin"], PASSWORD).ok();
    let data = bare.0.path().join("data");
    for entry in std::fs::read_dir(&data).expect("there") {
        let path = entry.expect("an entry").path();
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(
            mode & 0o007,
            mode & 0o007 & 0o004,
            "{} is for others: {mode:o}",
            path.display()
        );
    }
    assert_eq!(std::fs::metadata(&data).expect("there").permissions().mode() & 0o077, 0);
    std::fs::set_permissions(&data, Permissions::from_mode(0o700)).expect("ours");
}

const SITE: &str = "
[[location]]
name_ko = '정보관'
[[location.bank]]
name_ko = '사물함'
[[location.bank.locker]]
id = 101
bus = 'east'
board = 1
lock = 1
[[location.bank.locker]]
id = 102
";

#[test]
fn a_site_file_is_taken_whole_or_not_at_all() {
    let bare = Bare::new();
    bare.run(&["init", "--password-stdin"], PASSWORD).ok();
    let term = "[[term]]\nname_ko = '학기'\nopens_at = '2026-02-01T10:00:00'\n\
                closes_at = '2026-02-02T10:00:00'\nstarts_on = '2026-03-01'\nends_on = '2026-06-30'\n";
    let mut wrong = Vec::new();
    for (text, says) in [
        (SITE.replace("id = 102", "id = 101"), "101"),
        (SITE.replace("id = 102", "id = 102\nbus = 'east'"), "102"),
        (SITE.replace("id = 102", "id = 102\nbus = 'east'\nboard = 1\nlock = 1"), "102"),
        (SITE.replace("id = 102", "id = 0"), "0"),
        (SITE.replace("id = 102", "id = 102\ncolour = 'red'"), "colour"),
        (SITE.replace("lock = 1", "lock = 99"), "101"),
        (SITE.replace("'사물함'", "'사물함'\nhold_seconds = 5"), "hold_seconds"),
        (SITE.to_owned() + &term.replace("2026-02-02", "2026-01-02"), "학기"),
        (SITE.to_owned() + &term.replace("2026-06-30", "2026-02-30"), "2026-02-30"),
        (SITE.to_owned() + &term.replace("2026-02-01T10:00:00", "soon"), "soon"),
        (SITE.to_owned() + term + term, "학기"),
        (SITE.to_owned() + SITE, "사물함"),
        (String::new(), "neither"),
        ("[[location".to_owned(), "site.toml"),
    ] {
        bare.write("site.toml", &text);
        let done = bare.run(&["bank", "import", "site.toml"], "");
        assert_eq!(done.code, Some(1), "{says}: {done:?}");
        if !done.err.contains(says) || !done.err.contains("site.toml") {
            wrong.push(format!("{says} is not named: {}", done.err));
        }
        let left = "SELECT (SELECT count(*) FROM location) + (SELECT count(*) FROM locker)
                    + (SELECT count(*) FROM bank) + (SELECT count(*) FROM term)";
        assert_eq!(bare.number(left), 0, "{says}: something stayed");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    bare.write("site.toml", &(SITE.to_owned() + term));
    let done = bare.run(&["bank", "import", "site.toml", "--json"], "").ok();
    assert_eq!(json_line(&done), json!({ "banks": 1, "lockers": 2, "terms": 1 }));
    // Twice is a mistake, and changes nothing either.
    bare.run(&["bank", "import", "site.toml"], "").failed();
    assert_eq!(bare.number("SELECT count(*) FROM locker"), 2);
    assert_eq!(bare.number("SELECT opens_ms FROM term"), 1_769_907_600_000, "10:00 in Seoul");
    let done = bare.run(&["bank", "import", "nothing.toml"], "").failed();
    assert!(done.err.contains("nothing.toml"), "{done:?}");
    bare.run(&["check"], "").ok();
}

#[test]
fn members_come_one_by_one_or_as_a_roster() {
    let bare = Bare::new();
    bare.run(&["init", "--password-stdin"], PASSWORD).ok();
    bare.write("site.toml", SITE);
    bare.run(&["bank", "import", "site.toml"], "").ok();
    let add = |more: &[&str], input: &str| {
        let start = ["member", "add", "--name", "김직원", "--id"];
        bare.run(&[&start[..], more].concat(), input)
    };
    let made = add(&["S1234", "--role", "staff", "--bank", "1", "--password-generate"], "").ok();
    assert!(made.out.contains("added S1234, password "), "{made:?}");
    add(&["S1235", "--role", "staff", "--bank", "9", "--password-stdin"], PASSWORD).failed();
    add(&["S1236", "--bank", "1"], "").failed();
    add(&["S1237", "--role", "staff", "--password-stdin"], "too short\n").failed();
    add(&["S 1238"], "").failed();
    let taken = add(&["S1234"], "").failed();
    assert!(taken.err.contains("student id"), "{taken:?}");
    assert_eq!(bare.number("SELECT count(*) FROM member"), 2);

    bare.write(
        "roster.csv",
        "\u{feff}student_id,department,name,phone,email\n\
         2024000001,컴퓨터,가나다,010-1111-1111,a@korea.ac.kr\n\
         2024000002,컴퓨터,라마바,전화,\n\
         2024000003,컴퓨터,사아자,010-1111-1111,\n\
         2024000004,컴퓨터,차카타,,\n",
    );
    let done = bare.run(&["member", "import", "roster.csv", "--json"], "");
    let report = json_line(&done);
    assert_eq!((&report["new"], &report["refused"]), (&json!(2), &json!(2)), "{report}");
    let lines: Vec<_> =
        report["errors"].as_array().expect("errors").iter().map(|it| &it["line"]).collect();
    assert_eq!(lines, [&json!(3), &json!(4)], "{report}");
    assert_eq!(done.code, Some(1));
    let done = bare.run(&["member", "import", "roster.csv", "--json"], "");
    let report = json_line(&done);
    assert_eq!((&report["new"], &report["unchanged"]), (&json!(0), &json!(2)), "{report}");
    assert_eq!(bare.number("SELECT count(*) FROM member WHERE role = 'student'"), 2);
    bare.write("roster.csv", "id,name\n1,x\n");
    let done = bare.run(&["member", "import", "roster.csv"], "").failed();
    assert!(done.err.contains("student_id"), "{done:?}");
}

#[test]
fn accounts_are_looked_at_while_the_server_runs_and_changed_while_it_is_stopped() {
    let mut site = Site::prepare(&Plan::default().lockers(1, [101]).students(2).admin());
    let id = student_id(0);
    let preview = site.command(&["member", "search", &id, "--json"], "").ok();
    assert_eq!(json_line(&preview)["state"], "not_signed_up");
    let changed =
        ["member", "change", &id, "--name", "김개명", "--email", "k@korea.ac.kr", "--json"];
    let changed = json_line(&site.command(&changed, "").ok());
    assert_eq!(changed["changed"], json!(["name", "email"]));
    let code = json_line(&site.command(&["member", "reset", &id, "--json"], "").ok());
    assert_eq!(code["code"].as_str().map(str::len), Some(8), "no mail: handed over, {code}");
    site.command(&["member", "disable", &id, "--reason", "x"], "").ok();
    site.command(&["member", "enable", &id], "").ok();
    site.command(&["member", "logout", &id], "").ok();
    site.command(&["member", "role", &id, "staff", "--bank", "1"], "").ok();
    site.command(&["member", "role", "ADMIN", "student"], "").failed();
    site.command(&["member", "role", &id, "student", "--bank", "1"], "").failed();
    let nobody = site.command(&["member", "enable", "NOBODY1"], "").failed();
    assert!(nobody.err.contains("there is no member NOBODY1"), "{nobody:?}");
    site.serve();
    let shown = json_line(&site.command(&["member", "show", &id, "--json"], "").ok());
    assert_eq!((&shown["role"], &shown["banks"]), (&json!("staff"), &json!([1])), "{shown}");
    assert!(!shown.to_string().contains("argon2"), "{shown}");
    let list = site.command(&["member", "list", "--role", "staff"], "").ok();
    assert!(list.out.contains("김개명") && list.out.ends_with("1 of 1\n"), "{list:?}");
    let file = site.command(&["member", "export"], "").ok();
    assert!(file.out.starts_with('\u{feff}') && file.out.contains("k@korea.ac.kr"), "{file:?}");
    let running = site.command(&["member", "delete", &id, "--reason", "x"], "").failed();
    assert!(running.err.contains("stop"), "{running:?}");
    site.stop();
    site.command(&["member", "delete", &id, "--reason", "x"], "").ok();
    let left = site.command(&["member", "list", "--state", "left", "--json"], "").ok();
    assert_eq!(json_line(&left)["name"], "");
    site.demand_clean();
}

#[test]
fn check_finds_what_was_done_by_hand() {
    let site = Site::prepare(&Plan::default().lockers(1, [1]).students(2));
    site.demand_clean();
    let text = site.command(&["check"], "").ok();
    assert_eq!(text.out, "clean\n");
    let lost = Site::prepare(&Plan::default().wired(1, 7, ("nowhere", 1, 3)));
    let text = lost.command(&["check"], "").ok();
    assert!(text.out.contains("locker 7 is wired to nowhere/1/3"), "{}", text.out);
    let conn = site.sql();
    conn.execute_batch(
        "DROP TRIGGER audit_no_update;
         UPDATE audit SET detail = '{\"changed\":1}' WHERE id = (SELECT max(id) - 1 FROM audit);",
    )
    .expect("changed");
    let findings = site.findings().join("\n");
    assert!(findings.contains("audit chain is broken"), "{findings}");
    let done = site.command(&["check"], "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.err.starts_with("lockerd: 1 finding"), "{done:?}");
    let elsewhere = run(lockerd().args(["check", "--database", "/nowhere/x.db"]), "").failed();
    assert!(elsewhere.err.contains("/nowhere/x.db"), "{elsewhere:?}");
}

fn decode(family: &str, hex: &str) -> Done {
    run(lockerd().args(["bus", "decode", family]).args(hex.split(' ')), "")
}

const BUILT_FAMILIES: [&str; 6] =
    ["modbus-relay", "xor-board", "kerong-cu16", "kerong-cu48", "kerong-cu48-ir", "wkly"];

#[test]
fn decode_says_of_every_known_frame_whether_it_is_whole() {
    let mut family = "";
    let mut judged = 0;
    for line in VECTORS.lines() {
        if let Some(head) = line.strip_prefix("# family=") {
            family = head.split(' ').next().unwrap_or_default();
        }
        let known = BUILT_FAMILIES.contains(&family);
        let Some((mark, rest)) = line.split_once(' ') else { continue };
        if !known || !matches!(mark, ">" | "<" | "~" | "!b" | "!s") {
            continue;
        }
        let hex = rest.split(';').next().unwrap_or_default().trim();
        let done = decode(family, hex);
        assert_eq!(done.code == Some(0), mark != "!b", "{line}: {done:?}");
        let said = if mark == "!b" { &done.err } else { &done.out };
        assert!(!said.trim().is_empty(), "{line}: {done:?}");
        assert!(matches!(done.code, Some(0 | 1)), "{line}: {done:?}");
        judged += 1;
    }
    assert_eq!(judged, 97, "frames of the file");
}

#[test]
fn decode_skips_leading_noise_and_says_so_and_knows_its_limits() {
    let done = decode("kerong-cu16", "FF 00 02 00 30 03 35").ok();
    assert!(done.out.contains("FF 00"), "{done:?}");
    let told = json_line(&decode("kerong-cu16", "FF 00 02 00 30 03 35 --json").ok());
    assert_eq!(told["leading"], "FF 00", "{told}");
    assert_eq!(told["error"], Value::Null);
    assert_eq!(told["frames"].as_array().map(Vec::len), Some(1), "{told}");
    // Written together or with a prefix it is the same frame.
    decode("kerong-cu16", "0200300335").ok();
    decode("kerong-cu16", "0x02 0x00 0x30 0x03 0x35").ok();
    let odd = decode("kerong-cu16", "02 0").failed();
    assert!(odd.err.contains("hexadecimal"), "{odd:?}");
    let told = json_line(&decode("modbus-relay", "01 02 01 00 A1 89 --json"));
    assert!(told["error"].as_str().is_some_and(|it| !it.is_empty()), "{told}");
    // Several frames are named in order, and one broken among them is not forgiven.
    let told = json_line(&decode("xor-board", "80 01 00 33 B2 80 01 00 00 02 33 B0 --json").ok());
    let offsets: Vec<_> = told["frames"].as_array().expect("frames").iter().collect();
    assert_eq!([&offsets[0]["offset"], &offsets[1]["offset"]], [0, 5], "{told}");
    let broken = decode("xor-board", "80 01 00 33 B2 80 01 00 00 02 33 B1").failed();
    assert!(broken.err.contains("bad XOR"), "{broken:?}");
    let long = decode("wkly", "57 4B 4C 59 FF 00 83").failed();
    assert!(long.err.contains("LEN FF"), "{long:?}");
    for other in ["kerong-cu12", "r4d8a08", "nonsense"] {
        let done = decode(other, "02 00 00 50 03 55");
        assert_ne!(done.code, Some(0), "{done:?}");
        assert!(done.err.contains(other) && done.err.contains("kerong-cu16"), "{done:?}");
    }
}

/// Boards on a bench: one bus of each family, with a configuration that names them.
fn bench() -> (Bare, Boards) {
    let bare = Bare::new();
    let link = |name: &str| bare.0.path().join(name);
    // Two programs in a row know nothing of each other's pulses: they need supplies of their own.
    let relays = SimBoard { power_supply: "west".to_owned(), ..SimBoard::modbus(3, 8) };
    let boards = Boards::start(vec![
        SimBus::new("east", link("east"), 19_200).with(SimBoard::cu16(1)),
        SimBus::new("west", link("west"), 9_600).with(relays),
    ]);
    let buses =
        bus_toml("east", 19_200, &[&cu16_toml(1)]) + &bus_toml("west", 9_600, &[&modbus_toml(3)]);
    bare.write("config.toml", &format!("data_dir = 'data'\n{buses}"));
    (bare, boards)
}

fn bus(place: &Path, arguments: &[&str]) -> Done {
    run(lockerd().arg("bus").args(arguments).current_dir(place), "")
}

#[test]
fn scan_finds_boards_and_moves_nothing() {
    let (bare, boards) = bench();
    let scan = |port: &str, family: &str| {
        let quick = ["--from", "0", "--to", "4", "--timeout-ms", "60", "--json"];
        let what = ["scan", port, "--family", family, "--baud", "9600", "--baud", "19200"];
        bus(bare.0.path(), &[&what[..], &quick[..]].concat())
    };
    let found = json_line(&scan("east", "kerong-cu16").ok());
    let alone = json!({ "verdict": "alone" });
    let board = |family: &str, address: u8, baud: u32| json!([{ "family": family, "address": address, "baud": baud, "sharing": alone }]);
    assert_eq!(found["boards"], board("kerong-cu16", 1, 19_200));
    let noise = found["noise"].as_array().expect("a list");
    assert!(noise.iter().all(|it| it["baud"] == json!(9_600)), "at the wrong speed only: {found}");
    assert_eq!(found["noisy"], json!([]), "a wrong speed is not two boards");
    let found = json_line(&scan("west", "modbus-relay").ok());
    assert_eq!(found["boards"], board("modbus-relay", 3, 9_600));
    let nothing = scan("west", "kerong-cu16");
    assert_eq!((nothing.code, &json_line(&nothing)["boards"]), (Some(1), &json!([])));
    let missing = scan("north", "kerong-cu16").failed();
    assert!(missing.err.contains("north"), "{missing:?}");
    assert!(boards.simulator.pulses().is_empty());
    boards.demand_no_violations();
}

#[test]
fn status_tells_what_a_board_tells() {
    let (bare, boards) = bench();
    boards.door("west", 3, 2, lockerd::sim::DoorAction::Open);
    let status = |port: &str, baud: &str, family: &str, address: &str| {
        let what = ["status", port, "--baud", baud, "--family", family, "--address", address];
        bus(bare.0.path(), &[&what[..], &["--json"]].concat())
    };
    let told = json_line(&status("west", "9600", "modbus-relay", "3").ok());
    assert_eq!(told["inputs"], json!([1, 0, 1, 1, 1, 1, 1, 1]), "{told}");
    assert_eq!(told["relays"], json!([0, 0, 0, 0, 0, 0, 0, 0]), "{told}");
    assert!(told["version"].is_number(), "{told}");
    let told = json_line(&status("east", "19200", "kerong-cu16", "1").ok());
    assert!(told["inputs"].is_array() && told["relays"].is_null(), "{told}");
    let silent = status("west", "9600", "modbus-relay", "4");
    assert_eq!(silent.code, Some(1), "{silent:?}");
    assert!(silent.err.contains("does not answer"), "{silent:?}");
    assert!(boards.simulator.pulses().is_empty());
}

#[test]
fn open_opens_one_lock_and_says_what_was_seen() {
    let (bare, boards) = bench();
    let open =
        |channel: &str| bus(bare.0.path(), &["open", channel, "--config", "config.toml", "--json"]);
    for (channel, place) in [("east/1/3", ("east", 1, 3)), ("west/3/8", ("west", 3, 8))] {
        let told = json_line(&open(channel).ok());
        assert_eq!(told["opened"], true, "{told}");
        assert!(told["steps"].to_string().contains("sent"), "{told}");
        assert_eq!(boards.pulses(place.0, place.1, place.2).len(), 1, "{channel}");
    }
    assert_eq!(boards.simulator.pulses().len(), 2);
    boards.door("west", 3, 1, lockerd::sim::DoorAction::Jam);
    let jammed = open("west/3/1");
    assert_eq!((jammed.code, &json_line(&jammed)["opened"]), (Some(1), &json!(false)));
    for unknown in ["north/1/1", "east/9/1", "east/1/17"] {
        let done = open(unknown);
        assert_ne!(done.code, Some(0), "{unknown}: {done:?}");
        assert!(!done.err.is_empty(), "{unknown}: {done:?}");
    }
}

#[test]
fn simulate_runs_boards_alone() {
    let place = tempfile::tempdir().expect("a temporary place");
    let link = place.path().join("lockers-east");
    let config = place.path().join("boards.toml");
    let text = format!(
        "[[buses]]\nname = 'east'\nlink = '{}'\nbaud = 19200\n\
         boards = [{{ address = 1, family = 'kerong-cu16' }}]\n",
        link.display()
    );
    std::fs::write(&config, text).expect("written");
    let mut command = lockerd();
    command.args(["simulate", "--json", "--listen", "127.0.0.1:0", "--config"]).arg(&config);
    let mut process = Process::start(command, &place.path().join("log"));
    let told: Value = serde_json::from_str(&process.line()).expect("JSON");
    assert_eq!(told["buses"]["east"], json!(link));
    assert!(link.exists());
    let control = Client::nobody(demo::address(&told["sim_url"]));
    assert_eq!(control.get("/state").expect(200).json()["buses"][0]["name"], "east");
    process.signal(Signal::TERM);
    assert!(process.ended().success());
    assert!(!link.exists(), "the link was left behind");

    let mut outside = lockerd();
    outside.args(["simulate", "--listen", "0.0.0.0:0", "--config"]).arg(&config);
    let done = run(&mut outside, "");
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(done.err.contains("loopback"), "{done:?}");
}

#[test]
fn demo_tells_where_it_is_and_who_may_enter() {
    let demo = Demo::start();
    let told = &demo.told;
    let keys: Vec<&str> = told.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["accounts", "demo_url", "mailbox_url", "sim_url", "url"], "{told}");
    for role in ["admin", "staff", "student"] {
        let account = told["accounts"][role].as_object().expect("an account");
        let keys: Vec<&str> = account.keys().map(String::as_str).collect();
        assert_eq!(keys, ["id", "password"], "{told}");
    }
    let state = demo.simulator.get("/state").expect(200).json();
    assert_eq!(state["buses"].as_array().map(Vec::len), Some(2));
    // The door of a locker moves when it is opened over the API: the wiring is real.
    let student = demo.gildong();
    student.rent(101);
    let opened = student.locker(101, "open").expect(202).json();
    assert_eq!(
        student.outcome(opened["operation_id"].as_str().expect("an id"))["outcome"],
        "opened"
    );
    assert_eq!(demo.simulator.get("/pulses").expect(200).json().as_array().map(Vec::len), Some(1));
    // A directory that is in use already is not taken.
    let data = demo.place.path().join("data").display().to_string();
    let done =
        run(lockerd().args(["demo", "--listen", "127.0.0.1:0", "--data", &data]), "").failed();
    assert!(done.err.contains("not empty"), "{done:?}");
}

#[test]
fn demo_makes_a_load_site_with_tokens_that_are_good() {
    let place = tempfile::tempdir().expect("a temporary place");
    let tokens = place.path().join("tokens");
    let file = tokens.display().to_string();
    let demo =
        Demo::with(&["--lockers", "50", "--students", "30", "--seed", "7", "--tokens", &file]);
    let text = std::fs::read_to_string(&tokens).expect("written");
    let rows: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(rows.len(), 30);
    let row = |n: usize| demo.nobody.with_token(rows[n]["token"].as_str().expect("a token"));
    for n in [0, 29] {
        let me = row(n).get("/api/v1/auth/me").expect(200).json();
        assert_eq!((&me["student_id"], &me["role"]), (&rows[n]["student_id"], &json!("student")));
    }
    let list = row(0).get("/api/v1/lockers").expect(200).json();
    assert_eq!(
        (&list["available_count"], list["lockers"].as_array().map(Vec::len)),
        (&json!(50), Some(50))
    );
    row(0).rent(50);
    assert_eq!(demo.told["accounts"]["student"]["id"], rows[0]["student_id"]);
    for bad in [["--lockers", "0"], ["--lockers", "9999"], ["--students", "0"]] {
        let done = run(lockerd().args(["demo", "--listen", "127.0.0.1:0"]).args(bad), "");
        assert_eq!(done.code, Some(2), "{done:?}");
    }
}

#[test]
fn a_signal_ends_the_server_in_order_with_all_locks_off() {
    for signal in [Signal::TERM, Signal::INT] {
        let place = tempfile::tempdir().expect("a temporary place");
        let bus = SimBus::new("west", place.path().join("west"), 9_600);
        let boards = Boards::start(vec![bus.with(SimBoard::modbus(1, 8))]);
        let plan = Plan::default().wired(1, 101, ("west", 1, 3)).students(2).bus(&bus_toml(
            "west",
            9_600,
            &[&modbus_toml(1)],
        ));
        let mut site = Site::prepare_in(place, &plan);
        site.serve();
        let student = site.student(0);
        student.rent(101);
        until("the door is known", || (student.mine()["door"] == "closed").then_some(()));
        let opened = student.locker(101, "open").expect(202).json();
        let id = opened["operation_id"].as_str().expect("an id").to_owned();
        // One request waits for an outcome when the end comes; it is answered.
        let mut waiting = Wire::connect(student.address);
        let path = format!("/api/v1/openings/{id}?wait_s=15");
        waiting.send(student.request("GET", &path, &[], "")).expect("sent");
        until("the coil is on", || boards.lock("west", 1, 3).coil_on.then_some(()));
        let all_off = "01 05 00 FF 00 00 FD FA";
        student.get("/api/v1/auth/me").expect(200);
        let offs_before = boards.heard(all_off).len();
        let begun = Instant::now();
        site.process().signal(signal);
        let status = site.process().ended();
        assert_eq!(status.code(), Some(0), "{signal:?}: {}", site.process().log());
        assert!(begun.elapsed() < END_MAX, "{signal:?} took {:?}", begun.elapsed());
        assert_eq!(boards.heard(all_off).len(), offs_before + 1, "{signal:?}");
        assert!(!boards.lock("west", 1, 3).coil_on);
        let last = boards.simulator.bytes(0);
        let last = last.iter().rfind(|it| it.direction == lockerd::sim::Direction::Rx);
        assert_eq!(last.map(|it| it.hex.as_str()), Some(all_off), "{signal:?}");
        let opening = waiting.reply().expect("answered").expect(200).json();
        assert!(opening["outcome"].is_string(), "{signal:?}: {opening}");
        let unsettled = "SELECT count(*) FROM opening WHERE outcome IS NULL";
        assert_eq!(site.number(unsettled), 0, "{signal:?}");
        assert!(!site.data_dir().join("lockerd.db-wal").exists(), "the log was not folded in");
        site.demand_clean();
    }
}
