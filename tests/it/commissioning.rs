//! A technician before a new wall: find the boards, give them addresses, prove each lock, and go to work
//! with the files that come of it. All over the real binary, on the command line and by API.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};

use lockerd::sim::{DoorAction, Physics, SimBoard, SimBus, StatusOrder};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::boards::{Boards, bus_toml, modbus_toml};
use crate::support::http::Client;
use crate::support::process::{Done, lockerd, run};
use crate::support::site::{PASSWORD, Plan, Site};
use crate::support::until;

/// Doors that somebody closes again soon after they opened.
const HELPFUL: Physics =
    Physics { release_ms: 30, opens_after_ms: 120, bounce_ms: 5, auto_close_ms: Some(1_500) };

fn place() -> TempDir {
    tempfile::tempdir().expect("a temporary place")
}

/// A bus whose port is the link of its name in `place`.
fn line(place: &Path, boards: impl IntoIterator<Item = SimBoard>) -> SimBus {
    boards.into_iter().fold(SimBus::new("east", place.join("east"), 9_600), SimBus::with)
}

fn tool(place: &Path, arguments: &[&str], input: &str) -> Done {
    run(lockerd().args(arguments).current_dir(place), input)
}

#[track_caller]
fn told(done: &Done) -> Value {
    let line = done.out.lines().last().expect("a line");
    serde_json::from_str(line).unwrap_or_else(|_| panic!("a line of JSON: {done:?}"))
}

#[test]
fn a_scan_tells_families_addresses_and_speeds_and_asks_nothing_harmful() {
    let place = place();
    let fast = SimBoard { baud: Some(19_200), ..SimBoard::cu16(3) };
    let wall = [SimBoard::modbus(2, 8), fast, SimBoard::xor(4, 24)];
    let boards = Boards::start(vec![line(place.path(), wall)]);
    let scan = ["bus", "scan", "east", "--baud", "9600", "--baud", "19200", "--to", "5", "--json"];
    let found = told(&tool(place.path(), &scan, "").ok());
    let mut list: Vec<String> = found["boards"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| format!("{} {} {}", it["family"], it["address"], it["baud"]).replace('"', ""))
        .collect();
    list.sort();
    assert_eq!(list, ["kerong-cu16 3 19200", "modbus-relay 2 9600", "xor-board 4 9600"]);
    assert_eq!(found["finished"], json!(true));
    let shared = |it: &Value| it["sharing"]["verdict"] != json!("alone");
    assert!(!found["boards"].as_array().expect("a list").iter().any(shared), "{found}");
    assert!(boards.simulator.pulses().is_empty(), "a scan moves nothing");
    boards.demand_no_violations();
}

#[test]
fn two_boards_with_one_address_are_suspected_and_one_alone_is_not() {
    let place = place();
    let twin = |name: &str, turnaround_ms| SimBoard {
        name: Some(name.to_owned()),
        turnaround_ms,
        ..SimBoard::modbus(5, 8)
    };
    let wall = [twin("left", 2), twin("right", 6), SimBoard::modbus(7, 8)];
    let _boards = Boards::start(vec![line(place.path(), wall)]);
    let scan = [
        "bus",
        "scan",
        "east",
        "--baud",
        "9600",
        "--family",
        "modbus-relay",
        "--to",
        "8",
        "--json",
    ];
    let done = tool(place.path(), &scan, "").failed();
    assert!(done.err.contains("share an address"), "{done:?}");
    let found = told(&done);
    let suspected = |list: &Value| -> Vec<i64> {
        let list = list.as_array().expect("a list").iter();
        let list = list.filter(|it| it["sharing"]["verdict"] == json!("suspected"));
        list.filter_map(|it| it["address"].as_i64()).collect()
    };
    let all = [suspected(&found["boards"]), suspected(&found["noisy"])].concat();
    assert_eq!(all, [5], "{found}");
}

#[test]
fn an_address_is_given_to_one_board_alone() {
    let place = place();
    // Every address of the family is asked: a short wait keeps that short.
    let give = ["bus", "address", "east", "--family", "modbus-relay", "--timeout-ms", "25"];
    let give = [&give[..], &["--new", "3"]].concat();
    let give = |more: &[&str], input: &str| tool(place.path(), &[&give[..], more].concat(), input);
    {
        let two = [SimBoard::modbus(1, 8), SimBoard::modbus(4, 8)];
        let boards = Boards::start(vec![line(place.path(), two)]);
        let refused = give(&["--yes"], "").failed();
        assert!(refused.err.contains("connect only the one"), "{refused:?}");
        assert!(boards.heard("00 06 40 00").is_empty(), "nothing was written");
    }
    let boards = Boards::start(vec![line(place.path(), [SimBoard::modbus(1, 8)])]);
    let refused = give(&[], "n\n").failed();
    assert!(refused.err.contains("nothing was written"), "{refused:?}");
    assert!(boards.heard("00 06 40 00").is_empty());
    let done = told(&give(&["--yes", "--json"], "").ok());
    assert_eq!(done, json!({ "old": 1, "new": 3, "outcome": "done" }));
    let switches = ["bus", "address", "east", "--family", "kerong-cu16", "--new", "3"];
    let refused = tool(place.path(), &switches, "").failed();
    assert!(refused.err.contains("switches"), "{refused:?}");
    boards.demand_no_violations();
}

/// The lines of a configuration for a bus of four locks whose sensors are not understood yet.
fn four_locks() -> String {
    bus_toml("east", 9_600, &["address = 1\nfamily = 'modbus-relay'\nlocks = 4\npulse_ms = 300"])
}

/// A wall of four locks whose switches read 0 when closed.
fn wall(place: &Path) -> Boards {
    let board = SimBoard { closed_bit: false, ..SimBoard::modbus(1, 4) };
    Boards::with(vec![line(place, [board])], HELPFUL)
}

/// What a technician types: each lock opens the door of this number.
fn typed(numbers: &[i64]) -> String {
    numbers.iter().fold(String::new(), |text, number| text + &format!("\n{number}\n\n"))
}

#[test]
fn the_files_of_a_proof_put_a_swapped_and_inverted_wall_to_work() {
    let place = place();
    let boards = wall(place.path());
    let plan = Plan::default().students(1).bus(&four_locks());
    let mut site = Site::prepare_in(place, &plan);
    let prove =
        ["bus", "prove", "east", "--layout", "found.csv", "--labels", "labels.html", "--json"];
    let done = site.command(&prove, &typed(&[104, 103, 102, 101])).ok();
    let report = told(&done);
    let found = &report["boards"][0]["conclusion"];
    assert_eq!((&found["closed_bit"], &found["sound"]), (&json!(false), &json!(true)), "{report}");
    assert_eq!(found["wiring"], json!({ "1": 104, "2": 103, "3": 102, "4": 101 }));
    let labels = std::fs::read_to_string(site.path("labels.html")).expect("labels");
    assert!(labels.contains("<b>104</b><small>east/1/1</small>"), "{labels}");
    for lock in 1..=4 {
        assert_eq!(boards.pulses("east", 1, lock).len(), 1, "lock {lock}: one pulse a proof");
    }
    // The lines that were found take the place of the board's, and the layout is imported.
    let config = std::fs::read_to_string(site.config()).expect("there");
    let (head, _) = config.split_once("[[bus.board]]").expect("a board");
    let lines = report["config"].as_str().expect("lines");
    std::fs::write(site.config(), format!("{head}{lines}")).expect("written");
    site.command(&["bank", "import", "found.csv"], "").ok();
    site.serve();
    let student = site.student(0);
    until("the door is seen closed", || {
        let board = site.nobody().health().to_string().contains("online");
        (board && !boards.is_open("east", 1, 1)).then_some(())
    });
    student.rent(104);
    let opened = student.locker(104, "open").expect(202).json();
    let id = opened["operation_id"].as_str().expect("an id");
    assert_eq!(student.outcome(id)["outcome"], json!("opened"));
    assert_eq!(boards.pulses("east", 1, 1).len(), 2, "104 hangs on lock 1");
    boards.demand_no_violations();
}

/// A child that proves, with its keyboard in our hands.
fn prove_by_hand(site: &Site, resume: &str) -> Child {
    lockerd()
        .args(["bus", "prove", "east", "--resume", resume, "--config"])
        .arg(site.config())
        .current_dir(site.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

#[test]
fn a_proof_that_was_killed_goes_on_without_opening_a_proven_lock_again() {
    let place = place();
    let boards = wall(place.path());
    let site = Site::prepare_in(place, &Plan::default().bus(&four_locks()));
    let mut child = prove_by_hand(&site, "proof.json");
    let mut keys = child.stdin.take().expect("piped");
    keys.write_all(typed(&[101, 102]).as_bytes()).expect("it reads");
    let proven = || -> Option<usize> {
        let kept = std::fs::read(site.path("proof.json")).ok()?;
        let kept: Value = serde_json::from_slice(&kept).expect("never half a file");
        let results = kept["boards"][0]["results"].as_object()?;
        Some(results.values().filter(|it| it["state"] == json!("proven")).count())
    };
    until("two locks are proven", || (proven()? == 2).then_some(()));
    child.kill().expect("it runs");
    child.wait().expect("it ended");
    let prove = ["bus", "prove", "east", "--resume", "proof.json", "--json"];
    let stopped = site.command(&prove, "s\n").failed_with_questions();
    assert!(stopped.contains("--resume proof.json"), "{stopped}");
    let done = site.command(&prove, &typed(&[103, 104])).ok();
    let wiring = json!({ "1": 101, "2": 102, "3": 103, "4": 104 });
    assert_eq!(told(&done)["boards"][0]["conclusion"]["wiring"], wiring, "{done:?}");
    for lock in 1..=4 {
        assert_eq!(boards.pulses("east", 1, lock).len(), 1, "lock {lock}");
    }
    boards.demand_no_violations();
}

trait StoppedProof {
    /// Demands exit code 1; the questions stand on standard error before the reason.
    fn failed_with_questions(self) -> String;
}

impl StoppedProof for Done {
    #[track_caller]
    fn failed_with_questions(self) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        self.err.lines().last().expect("a reason").to_owned()
    }
}

#[test]
fn the_byte_order_of_an_8a80_board_is_found() {
    let place = place();
    let board = SimBoard { status_order: StatusOrder::LowestFirst, ..SimBoard::xor(1, 8) };
    let _boards = Boards::with(vec![line(place.path(), [board])], HELPFUL);
    let lines = "address = 1\nfamily = 'xor-board'\nlocks = 2\npulse_ms = 300";
    let config = format!("data_dir = 'data'\n{}", bus_toml("east", 9_600, &[lines]));
    std::fs::write(place.path().join("config.toml"), config).expect("written");
    let prove = ["bus", "prove", "east", "--config", "config.toml", "--json"];
    let done = tool(place.path(), &prove, &typed(&[11, 12])).ok();
    let report = told(&done);
    assert_eq!(report["boards"][0]["conclusion"]["lowest_first"], json!(true), "{report}");
    let lines = report["config"].as_str().expect("lines");
    assert!(lines.contains("status_order = \"lowest-first\""), "{lines}");
}

#[test]
fn a_layout_goes_out_and_in_and_changes_nothing() {
    let plan = Plan::default()
        .wired(1, 101, ("east", 1, 1))
        .wired(1, 102, ("east", 1, 2))
        .lockers(2, 201..=203);
    let site = Site::prepare(&plan);
    let export = |format: &str| site.command(&["bank", "export", "--format", format], "").ok().out;
    let (toml, csv) = (export("toml"), export("csv"));
    assert!(csv.contains(",101,east,1,1,true"), "{csv}");
    for (name, text) in [("out.toml", &toml), ("out.csv", &format!("\u{FEFF}{csv}"))] {
        std::fs::write(site.path(name), text).expect("written");
        site.command(&["bank", "import", name], "").failed();
        site.command(&["bank", "import", name, "--update"], "").ok();
        assert_eq!((export("toml"), export("csv")), (toml.clone(), csv.clone()), "{name}");
        let other = Site::prepare(&Plan::default());
        std::fs::copy(site.path(name), other.path(name)).expect("copied");
        // The other site has a term of that name already, as every planned one.
        other.command(&["bank", "import", name, "--update"], "").ok();
        let there = other.command(&["bank", "export", "--format", "csv"], "").ok().out;
        assert_eq!(there, csv, "{name} on another site");
    }
    // Two locks change places, and a mistake further down changes nothing at all.
    let swapped =
        csv.replace("101,east,1,1", "101,east,1,9").replace("102,east,1,2", "102,east,1,1");
    let swapped = swapped.replace("101,east,1,9", "101,east,1,2");
    std::fs::write(site.path("swap.csv"), &swapped).expect("written");
    let broken = swapped.replace(",203,", ",x,");
    std::fs::write(site.path("broken.csv"), broken).expect("written");
    let refused = site.command(&["bank", "import", "broken.csv", "--update"], "").failed();
    assert!(refused.err.contains("line 6: locker \"x\""), "{refused:?}");
    assert_eq!(export("csv"), csv);
    site.command(&["bank", "import", "swap.csv", "--update"], "").ok();
    assert_eq!(export("csv"), swapped);
    site.demand_clean();
}

fn step(admin: &Client, action: &Value) -> Value {
    admin.post_json("/api/v1/commissioning/proofs/east-1/steps", action).expect(200).json()
}

#[test]
fn an_admin_proves_a_board_by_api_and_wires_its_lockers() {
    let place = place();
    let boards = wall(place.path());
    let plan = Plan::default()
        .wired(1, 101, ("east", 1, 1))
        .wired(1, 102, ("east", 1, 2))
        .students(1)
        .admin()
        .bus(&four_locks());
    let mut site = Site::prepare_in(place, &plan);
    site.serve();
    let admin = site.account("ADMIN");
    let order = json!({ "bus": "east", "board": 1 });
    let student = site.student(0);
    student.post_json("/api/v1/commissioning/proofs", &order).refused(403, "forbidden");
    student.rent(101);
    let rented = admin.post_json("/api/v1/commissioning/proofs", &order);
    rented.refused(409, "board_rented");
    let forced = json!({ "bus": "east", "board": 1, "force": true, "reason": "the cable was cut" });
    let begun = admin.post_json("/api/v1/commissioning/proofs", &forced).expect(201).json();
    assert_eq!(
        begun["step"],
        json!({ "name": "pulse", "lock": 1, "proposed": null, "number": null })
    );
    admin.post_json("/api/v1/commissioning/proofs", &forced).refused(409, "commissioning_busy");
    let steps = "/api/v1/commissioning/proofs/east-1/steps";
    admin.post_json(steps, &json!({ "action": "closed" })).refused(409, "proof_step");
    for (lock, number) in [(1, 102), (2, 101)] {
        let seen = step(&admin, &json!({ "action": "pulse" }));
        assert_eq!(seen["step"]["name"], json!("number"), "lock {lock}: {seen}");
        step(&admin, &json!({ "action": "number", "number": number }));
        let seen = step(&admin, &json!({ "action": "closed" }));
        assert_eq!(seen["results"][lock.to_string()]["state"], json!("proven"), "{seen}");
    }
    // It survives a restart and is where it was.
    site.stop();
    site.serve();
    let admin = site.again(&admin);
    let back = admin.get("/api/v1/commissioning/proofs/east-1").expect(200).json();
    assert_eq!(back["step"]["lock"], json!(3));
    step(&admin, &json!({ "action": "skip" }));
    let done = step(&admin, &json!({ "action": "skip" }));
    assert_eq!(done["step"]["name"], json!("done"));
    let report = admin.get("/api/v1/commissioning/proofs/east-1/report").expect(200).json();
    assert!(report["config"].as_str().is_some_and(|it| it.contains("closed_bit = false")));
    let labels = admin.get("/api/v1/commissioning/proofs/east-1/labels").expect(200);
    assert!(labels.header("content-type").is_some_and(|it| it.starts_with("text/html")));
    let applied = admin.post_json("/api/v1/commissioning/proofs/east-1/apply", &json!({}));
    assert_eq!(applied.expect(200).json()["lockers"], json!(2));
    let layout = admin.get("/api/v1/banks/1/layout?format=csv").expect(200).text();
    assert!(
        layout.contains(",101,east,1,2,true") && layout.contains(",102,east,1,1,true"),
        "{layout}"
    );
    let swapped = layout.replace(",101,east,1,2,true", ",101,east,1,2,false");
    let put = |client: &Client, text: &str| {
        client.call("PUT", "/api/v1/banks/1/layout?format=csv", &["Content-Type: text/csv"], text)
    };
    put(&site.again(&student), &swapped).refused(403, "forbidden");
    put(&admin, &swapped.replace(",102,", ",101,")).refused(422, "invalid");
    put(&admin, &swapped).expect(200);
    assert_eq!(admin.get("/api/v1/banks/1/layout?format=csv").expect(200).text(), swapped);
    assert_eq!(
        site.number("SELECT count(*) FROM audit WHERE action LIKE 'commissioning.%'"),
        4,
        "begun, pulsed twice and applied"
    );
    boards.demand_no_violations();
    site.demand_clean();
}

/// A served site with one board whose doors tell closed and open as the configuration has it.
fn known_wall(place: TempDir) -> (Site, Boards) {
    let stays = Physics { auto_close_ms: None, ..HELPFUL };
    let boards = Boards::with(vec![line(place.path(), [SimBoard::modbus(1, 4)])], stays);
    let plan = (1_u8..=3)
        .zip(101..)
        .fold(Plan::default(), |plan, (lock, number)| plan.wired(1, number, ("east", 1, lock)));
    let mut site = Site::prepare_in(place, &plan.students(1).admin().bus(&four_locks()));
    site.serve();
    until("every door is known", || (site.number("SELECT count(*) FROM door") == 3).then_some(()));
    (site, boards)
}

const PROOFS: &str = "/api/v1/commissioning/proofs";
const STEPS: &str = "/api/v1/commissioning/proofs/east-1/steps";

#[test]
fn a_locker_rented_during_a_proof_is_not_opened_by_it() {
    let (mut site, boards) = known_wall(place());
    let admin = site.account("ADMIN");
    let pulse = json!({ "action": "pulse" });
    admin.post_json(PROOFS, &json!({ "bus": "east", "board": 1 })).expect(201);
    step(&admin, &pulse);
    site.student(0).rent(102);
    step(&admin, &json!({ "action": "repeat" }));
    let refused = admin.post_json(STEPS, &pulse);
    assert_eq!(refused.json()["locker_id"], json!(102));
    refused.refused(409, "board_rented");
    site.stop();
    site.serve();
    let admin = site.again(&admin);
    admin.post_json(STEPS, &pulse).refused(409, "board_rented");
    assert_eq!(boards.pulses("east", 1, 1).len(), 1);

    // With a reason, which holds over a restart; each pulse tells it.
    admin.call("DELETE", &format!("{PROOFS}/east-1"), &[], "").expect(204);
    let forced = json!({ "bus": "east", "board": 1, "force": true, "reason": "the cable was cut" });
    admin.post_json(PROOFS, &forced).expect(201);
    site.stop();
    site.serve();
    step(&site.again(&admin), &pulse);
    assert_eq!(boards.pulses("east", 1, 1).len(), 2);
    let told = "SELECT count(*) FROM audit WHERE action = 'commissioning.pulse'
        AND subject = 'channel:east/1/1' AND actor_id IS NOT NULL
        AND json_extract(detail, '$.proof') = 'east-1'
        AND json_extract(detail, '$.locker_id') = 101
        AND json_extract(detail, '$.force_reason') IS ";
    assert_eq!(site.number(&format!("{told} NULL")), 1);
    assert_eq!(site.number(&format!("{told} 'the cable was cut'")), 1);
    site.demand_clean();
}

#[test]
fn a_pulse_wants_a_person_who_has_just_shown_who_they_are() {
    let (site, boards) = known_wall(place());
    let admin = site.account("ADMIN");
    admin.post_json(PROOFS, &json!({ "bus": "east", "board": 1 })).expect(201);
    let older = "UPDATE session SET proven_ms = proven_ms - 600001";
    site.sql().execute(older, []).expect("changed");
    let pulse = json!({ "action": "pulse" });
    admin.post_json(STEPS, &pulse).refused(403, "proof_needed");
    assert!(boards.simulator.pulses().is_empty(), "nothing moves");
    // What moves nothing is free.
    step(&admin, &json!({ "action": "skip" }));
    admin.post_json("/api/v1/auth/prove", &json!({ "password": PASSWORD })).expect(200);
    let seen = step(&admin, &pulse);
    assert_eq!(seen["step"]["name"], json!("number"), "{seen}");
    assert_eq!(boards.pulses("east", 1, 2).len(), 1);
    site.demand_clean();
}

#[test]
fn a_bank_tells_its_boards_and_a_wire_leads_to_a_bus_that_there_is() {
    let (site, boards) = known_wall(place());
    let admin = site.account("ADMIN");
    let boards_of = |path: &str| admin.get(path).expect(200).json();
    let answering = json!([{ "bus": "east", "board": 1, "answers": true }]);
    assert_eq!(boards_of("/api/v1/banks")["banks"][0]["boards"], answering);
    let json_line = ["Content-Type: application/json"];
    let rewire = |bus: &str, board: u8| {
        let wire = json!({ "wire": { "bus": bus, "board": board, "lock": 4 } }).to_string();
        admin.call("PATCH", "/api/v1/lockers/103", &json_line, &wire)
    };
    rewire("esat", 1).refused(422, "invalid");
    let more = json!({ "from": 201, "wire": { "bus": "esat", "board": 1, "lock": 1 } });
    admin.post_json("/api/v1/banks/1/lockers", &more).refused(422, "invalid");
    // A board may come later: nobody knows whether it answers.
    rewire("east", 2).expect(200);
    let told = boards_of("/api/v1/banks/1");
    assert_eq!(told["boards"][1], json!({ "bus": "east", "board": 2, "answers": null }));
    boards.unplug("east");
    until("the board is told to be silent", || {
        (boards_of("/api/v1/banks/1")["boards"][0]["answers"] == false).then_some(())
    });
}

#[test]
fn a_proof_clears_no_alarm_and_hides_no_other_door() {
    let (site, boards) = known_wall(place());
    let admin = site.account("ADMIN");
    let live = || {
        let page = admin.get("/api/v1/alarms?state=live&kind=forced_open").expect(200).json();
        let alarms = page["alarms"].as_array().expect("a list").iter();
        alarms.filter_map(|it| it["locker_id"].as_i64()).collect::<Vec<_>>()
    };
    boards.door("east", 1, 3, DoorAction::Open);
    until("the forced door is told", || (live() == [103]).then_some(()));
    admin.post_json(PROOFS, &json!({ "bus": "east", "board": 1 })).expect(201);
    let seen = step(&admin, &json!({ "action": "pulse" }));
    assert_eq!(seen["step"]["name"], json!("number"), "{seen}");
    // Out of turn: nothing is pulsed, nothing is excused.
    admin.post_json(STEPS, &json!({ "action": "pulse" })).refused(409, "proof_step");
    assert_eq!(boards.pulses("east", 1, 1).len(), 1);
    // Longer than the door watch may be late.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(live(), [103], "the theft stays told, and the proven door is none");
    boards.door("east", 1, 2, DoorAction::Open);
    until("the next theft is told", || {
        let mut live = live();
        live.sort_unstable();
        (live == [102, 103]).then_some(())
    });
    site.demand_clean();
}

#[test]
fn no_address_is_given_when_cancelled_or_when_others_are_configured() {
    let serve = |configured: &[u8]| {
        let place = place();
        let boards = Boards::start(vec![line(place.path(), [SimBoard::modbus(1, 8)])]);
        let lines: Vec<_> = configured.iter().map(|address| modbus_toml(*address)).collect();
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let plan = Plan::default().admin().bus(&bus_toml("east", 9_600, &lines));
        let mut site = Site::prepare_in(place, &plan);
        site.serve();
        (site, boards)
    };
    let path = "/api/v1/commissioning/address";
    let give = json!({
        "bus": "east", "family": "modbus-relay", "new": 9, "one_board_connected": true
    });
    let begun = |admin: &Client| {
        let begun = admin.post_json(path, &give).expect(202).json();
        format!("/api/v1/commissioning/scans/{}", begun["id"].as_str().expect("an id"))
    };
    let failed = |admin: &Client, scan: &str| {
        let view = until("it is refused", || {
            let view = admin.get(scan).expect(200).json();
            (view["status"] != json!("running")).then_some(view)
        });
        view["error"].as_str().unwrap_or_else(|| panic!("refused: {view}")).to_owned()
    };
    {
        let (site, boards) = serve(&[1]);
        let admin = site.account("ADMIN");
        let part = json!({
            "bus": "east", "family": "modbus-relay", "new": 9, "one_board_connected": true,
            "last": 0
        });
        assert_eq!(admin.post_json(path, &part).status, 400, "no part of the addresses");
        let scan = begun(&admin);
        until("the walk is past the addresses of most walls", || {
            let asked = admin.get(&scan).expect(200).json()["asked"].as_u64();
            (asked > Some(8)).then_some(())
        });
        admin.call("DELETE", &scan, &[], "").expect(200);
        assert!(failed(&admin, &scan).contains("nothing was written"));
        assert!(boards.heard("00 06 40 00").is_empty());
    }
    // The second board is silent, and might be so for this moment only.
    let (site, boards) = serve(&[1, 2]);
    let admin = site.account("ADMIN");
    let why = failed(&admin, &begun(&admin));
    assert!(why.contains("other modbus-relay boards") && why.contains("address 2"), "{why}");
    assert!(boards.heard("00 06 40 00").is_empty());
}

#[test]
fn a_scan_by_api_finds_an_unknown_board_while_the_bus_works() {
    let place = place();
    let wall = [SimBoard::modbus(1, 8), SimBoard::modbus(6, 8)];
    let _boards = Boards::start(vec![line(place.path(), wall)]);
    let plan = Plan::default().admin().bus(&bus_toml("east", 9_600, &[&modbus_toml(1)]));
    let mut site = Site::prepare_in(place, &plan);
    site.serve();
    let admin = site.account("ADMIN");
    let order = json!({ "bus": "east", "families": ["modbus-relay"], "to": 8 });
    let begun = admin.post_json("/api/v1/commissioning/scans", &order).expect(202).json();
    admin.post_json("/api/v1/commissioning/scans", &order).refused(409, "commissioning_busy");
    let scan = format!("/api/v1/commissioning/scans/{}", begun["id"].as_str().expect("an id"));
    let done = until("the scan ends", || {
        let view = admin.get(&scan).expect(200).json();
        (view["status"] != json!("running")).then_some(view)
    });
    let found: Vec<_> = done["boards"].as_array().expect("a list").iter().collect();
    let addresses: Vec<_> = found.iter().map(|it| it["address"].clone()).collect();
    assert_eq!((&done["status"], addresses), (&json!("done"), vec![json!(1), json!(6)]), "{done}");
    let wide = json!({ "bus": "east", "to": 255 });
    let begun = admin.post_json("/api/v1/commissioning/scans", &wide).expect(202).json();
    let scan = format!("/api/v1/commissioning/scans/{}", begun["id"].as_str().expect("an id"));
    admin.call("DELETE", &scan, &[], "").expect(200);
    until("it is cancelled", || {
        let view = admin.get(&scan).expect(200).json();
        (view["status"] == json!("cancelled")).then_some(())
    });
    let give = json!({
        "bus": "east", "family": "modbus-relay", "new": 9, "one_board_connected": true
    });
    let begun = admin.post_json("/api/v1/commissioning/address", &give).expect(202).json();
    let given = format!("/api/v1/commissioning/scans/{}", begun["id"].as_str().expect("an id"));
    let refused = until("the guard has looked", || {
        let view = admin.get(&given).expect(200).json();
        (view["status"] == json!("failed")).then_some(view)
    });
    let why = refused["error"].as_str().expect("why");
    assert!(why.contains("connect only the one"), "{why}");
}

#[test]
fn a_proof_says_at_once_when_the_port_is_away() {
    let place = place();
    let config = format!("data_dir = 'data'\n{}", four_locks());
    std::fs::write(place.path().join("config.toml"), config).expect("written");
    let prove = ["bus", "prove", "east", "--config", "config.toml"];
    let done = tool(place.path(), &prove, &typed(&[101])).failed();
    assert!(done.err.contains("is the adapter plugged in"), "{done:?}");
    assert!(!place.path().join("prove-east.json").exists(), "nothing was begun");
}
