//! `lockerd bank`, `location`, `locker` and `term`: places looked at beside a server and changed without
//! one.

use serde_json::{Value, json};

use crate::support::process::{lockerd, run};
use crate::support::site::{Plan, Site};

/// Runs a command and reads its line of JSON.
#[track_caller]
fn told(site: &Site, words: &str) -> Value {
    let words: Vec<&str> = words.split(' ').chain(["--json"]).collect();
    let done = site.command(&words, "").ok();
    serde_json::from_str(&done.out).expect("a line of JSON")
}

/// Runs a command that must fail; what it says.
#[track_caller]
fn refused(site: &Site, words: &str) -> String {
    site.command(&words.split(' ').collect::<Vec<_>>(), "").failed().err
}

fn rows(list: &Value) -> usize {
    list.as_array().expect("a list").len()
}

#[test]
fn places_are_looked_at_beside_a_server_and_not_changed() {
    let mut site = Site::prepare(&Plan::default().lockers(1, [101, 102]));
    site.serve();
    let banks = told(&site, "bank list");
    assert_eq!((&banks[0]["lockers"], &banks[0]["in_service"]), (&json!(2), &json!(2)));
    assert_eq!(told(&site, "bank show 1")["policy"]["hold_seconds"], 60);
    assert_eq!(told(&site, "locker list --bank 1")[1]["locker_id"], 102);
    assert_eq!(told(&site, "term list")[0]["state"], "open");
    assert_eq!(told(&site, "location list")[0]["banks"], 1);
    let shown = site.command(&["bank", "show", "1"], "").ok().out;
    assert!(shown.contains("2 lockers, 2 in service"), "{shown}");
    assert!(shown.contains("hold_seconds: 60"), "{shown}");
    assert!(refused(&site, "bank show 9").contains("there is no bank 9"));
    for change in
        ["locker service 101 --out --reason x", "location add --name-ko x", "term retire 1"]
    {
        let said = refused(&site, change);
        assert!(said.contains("in use by another lockerd"), "{change}: {said}");
    }
}

#[test]
fn what_is_rented_is_not_retired_and_a_reason_is_kept() {
    let mut site = Site::prepare(&Plan::default().lockers(1, [101, 102]).students(1));
    site.serve();
    site.student(0).rent(102);
    site.stop();
    assert_eq!(told(&site, "locker service 101 --out --reason 경첩")["in_service"], false);
    let lockers = told(&site, "locker list");
    assert_eq!((&lockers[0]["in_service"], &lockers[0]["reason"]), (&json!(false), &json!("경첩")));
    let unclear = site.command(&["locker", "service", "101", "--reason", "x"], "");
    assert_eq!(unclear.code, Some(2), "out or back: {unclear:?}");
    for command in ["bank retire 1", "locker retire 102"] {
        assert!(refused(&site, command).contains("locker 102 is rented"), "{command}");
    }
    told(&site, "locker retire 101");
    assert_eq!(rows(&told(&site, "locker list")), 1);
    let said = refused(&site, "term change 1 --opens 2021-01-01T00:00:00");
    assert!(said.contains("people were granted lockers"), "{said}");
    site.demand_clean();
}

#[test]
fn locations_and_terms_are_made_changed_and_retired() {
    let site = Site::prepare(&Plan::default().lockers(1, [101]));
    let made = told(&site, "location add --name-ko 새곳 --name-en New");
    assert_eq!(made, json!({ "location_id": 2 }));
    told(&site, "location change 2 --name-ko 다른곳");
    assert_eq!(told(&site, "location list")[1]["name"], json!({ "ko": "다른곳", "en": "다른곳" }));
    let window = "--opens 2088-01-01T10:00:00 --closes 2088-01-02T10:00:00";
    let days = "--first 2088-02-01 --last 2088-06-30";
    let made = told(&site, &format!("term add --name-ko 다음 {window} {days} --location 2"));
    assert_eq!(made, json!({ "term_id": 2 }));
    told(&site, "term change 2 --last 2088-07-31");
    let changed = told(&site, "term list")[1].clone();
    assert_eq!(changed["opens_at"], "2088-01-01T01:00:00Z", "the site's time");
    assert_eq!(changed["ends_on"], "2088-07-31");
    assert_eq!(changed["for"], "location 2");
    assert!(refused(&site, "term change 2").contains("--closes"));
    assert!(refused(&site, "location retire 1").contains("bank 1 stands there"));
    told(&site, "location retire 2");
    assert_eq!(rows(&told(&site, "term list")), 1, "the term for it alone went along");
    told(&site, "bank retire 1");
    assert_eq!(rows(&told(&site, "bank list")), 0);
    site.demand_clean();
}

#[test]
fn each_command_shows_an_example() {
    for command in [
        "bank list",
        "bank show",
        "bank retire",
        "locker list",
        "locker service",
        "locker retire",
        "term list",
        "term add",
        "term change",
        "term retire",
        "location list",
        "location add",
        "location change",
        "location retire",
    ] {
        let words: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = run(lockerd().args(&words), "").ok().out;
        assert!(help.contains(&format!("Example: lockerd {command}")), "{command}: {help}");
    }
}
