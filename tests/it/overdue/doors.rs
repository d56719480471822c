//! Collecting and sealing over real boards: an opening by staff, a closed door, nothing under way.

use lockerd::domain::member::Role;
use lockerd::sim::{SimBoard, SimBus};
use serde_json::json;

use super::{TERMS, TO_THE_END_MS, bag, cases, detect, mails, set_policy, step, strict};
use crate::support::boards::{Boards, bus_toml, modbus_toml};
use crate::support::http::Client;
use crate::support::inside::Inside;
use crate::support::until;

/// Wired, with a door sensor.
const LOCKER: i64 = 1;

fn start() -> (Inside, Boards, tempfile::TempDir) {
    let place = tempfile::tempdir().expect("a temporary place");
    let link = place.path().join("west");
    let bus = SimBus::new("west", &link, 9_600).with(SimBoard::modbus(1, 8));
    let boards = Boards::start(vec![bus]);
    let lines = bus_toml("west", 9_600, &[&modbus_toml(1)]);
    let lines = lines.replace("port = 'west'", &format!("port = '{}'", link.display()));
    let settings = format!("[auth]\nroster_login = 'full'\n{lines}");
    let site = Inside::configured(&settings, [], 2, |_| {
        format!(
            "[[location.bank.locker]]\nid = {LOCKER}\nbus = 'west'\nboard = 1\nlock = 1\n{TERMS}"
        )
    });
    site.add("ADMIN1", Role::Admin, &[]);
    site.add("STAFF1", Role::Staff, &[1]);
    set_policy(&site, &strict());
    (site, boards, place)
}

fn open(who: &Client) -> String {
    let opened = until("the lock is cool", || {
        let reply = who.locker(LOCKER, "open");
        (reply.status != 429).then_some(reply)
    });
    let id = opened.expect(202).json()["operation_id"].as_str().expect("an id").to_owned();
    who.outcome(&id)["outcome"].as_str().expect("an outcome").to_owned()
}

fn closed(site: &Inside, boards: &Boards) {
    boards.close("west", 1, 1);
    until("the closing is known", || {
        let sql = "SELECT count(*) FROM opening WHERE opened_ms IS NOT NULL AND closed_ms IS NULL";
        (site.number(sql) == 0).then_some(())
    });
}

#[test]
fn what_is_collected_was_opened_by_staff_and_its_door_is_closed() {
    let (site, boards, _place) = start();
    let mine = site.student(0);
    mine.rent(LOCKER);
    until("the door is known", || (mine.mine()["door"] == "closed").then_some(()));
    assert_eq!(open(&mine), "opened");
    closed(&site, &boards);
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 1);
    let (late, staff) = (site.student(0), site.account("STAFF1"));
    let case = cases(&staff, "")["cases"][0].clone();
    // Late, and until it is sealed they may empty it.
    assert_eq!(open(&late), "opened");
    closed(&site, &boards);
    step(&staff, &case, "seal", &json!({})).expect(200);
    late.locker(LOCKER, "open").refused(403, "overdue");
    step(&staff, &case, "collect", &bag(None)).refused(409, "not_opened");
    assert_eq!(open(&staff), "opened");
    until("the door is seen open", || {
        (step(&staff, &case, "collect", &bag(None)).code() == "door_open").then_some(())
    });
    assert_eq!(site.history(), [format!("{LOCKER} 2024000000 active -")]);
    closed(&site, &boards);
    until("the opening is over", || {
        (step(&staff, &case, "collect", &bag(None)).status == 200).then_some(())
    });
    assert_eq!(site.history(), [format!("{LOCKER} 2024000000 ended collected")]);
    assert_eq!(site.student(1).state_of(LOCKER), "free");
    site.student(1).locker(LOCKER, "hold").expect(201);
    site.demand_clean();
    boards.demand_no_violations();
}

#[test]
fn a_late_return_is_over_when_the_locker_is_free_and_counts_from_the_return() {
    let (site, boards, _place) = start();
    let mine = site.student(0);
    mine.rent(LOCKER);
    until("the door is known", || (mine.mine()["door"] == "closed").then_some(()));
    site.pass(TO_THE_END_MS);
    assert_eq!(detect(&site), 1);
    let late = site.student(0);
    assert_eq!(open(&late), "opened");
    let given = late.locker(LOCKER, "release").expect(200).json();
    assert_eq!(given["waits_for"], "door", "{given}");
    let staff = site.account("STAFF1");
    assert_eq!(cases(&staff, "?state=open")["cases"][0]["returning"], true);
    // The door stays open for days: the return was on the first of them.
    site.pass(2 * 24 * 60 * 60_000);
    assert_eq!(detect(&site), 0, "nothing is sealed that was given back");
    closed(&site, &boards);
    until("the locker is free", || {
        site.pass(60_000);
        site.run(site.services.settle_returns()).expect("it works");
        (mails(&site, "overdue_closed") == 1).then_some(())
    });
    let case = cases(&site.account("STAFF1"), "")["cases"][0].clone();
    assert_eq!((&case["state"], &case["late_days"]), (&json!("returned"), &json!(1)), "{case}");
    site.demand_clean();
}
