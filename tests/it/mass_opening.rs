//! Many lockers by one order: every door's truth, one coil per supply, nobody else kept waiting,
//! and an order to stop, a restart or a failing database in the middle.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lockerd::sim::{DoorAction, SimBoard, SimBus};
use serde_json::{Value, json};

use crate::support::boards::{Boards, bus_toml, modbus_toml};
use crate::support::http::Client;
use crate::support::live::Socket;
use crate::support::site::{Plan, Site};
use crate::support::until;

/// Bank 1: six lockers on one supply, three on another, one without a lock.
const ON_EAST: [i64; 6] = [101, 102, 103, 104, 105, 106];
const ON_WEST: [i64; 3] = [111, 112, 113];
const WITHOUT_LOCK: i64 = 120;
/// Bank 2: a student's, on the supply of [`ON_EAST`].
const OF_STUDENT: i64 = 201;

const PATH: &str = "/api/v1/mass-openings";

struct Wired {
    site: Site,
    boards: Boards,
    staff: Client,
}

impl Wired {
    fn start() -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let bus = |name| SimBus::new(name, place.path().join(name), 9_600);
        let boards = Boards::start(vec![
            bus("east").with(SimBoard::modbus(1, 8)),
            bus("west")
                .with(SimBoard { power_supply: "west".to_owned(), ..SimBoard::modbus(1, 8) }),
        ]);
        let mut plan = Plan::default();
        for (lock, id) in (1..).zip(ON_EAST) {
            plan = plan.wired(1, id, ("east", 1, lock));
        }
        for (lock, id) in (1..).zip(ON_WEST) {
            plan = plan.wired(1, id, ("west", 1, lock));
        }
        let west = modbus_toml(1) + "power_supply = 'west'\n";
        let plan = plan
            .lockers(1, [WITHOUT_LOCK])
            .wired(2, OF_STUDENT, ("east", 1, 8))
            .students(1)
            .admin()
            .staff("STAFF01", 1)
            .staff("STAFF02", 2)
            .bus(&bus_toml("east", 9_600, &[&modbus_toml(1)]))
            .bus(&bus_toml("west", 9_600, &[&west]));
        let mut site = Site::prepare_in(place, &plan);
        site.serve();
        let staff = site.account("STAFF01");
        let wired = Self { site, boards, staff };
        wired.demand_ready();
        wired
    }

    fn demand_ready(&self) {
        let admin = self.site.account("ADMIN");
        until("the boards are online", || {
            let health = admin.health();
            (health["status"] == "ok" && !health.to_string().contains("unknown")).then_some(())
        });
    }

    /// Orders the whole of bank 1; its name.
    #[track_caller]
    fn order(&self) -> String {
        name(
            &self
                .staff
                .post_json(PATH, &json!({ "bank_id": 1, "reason": "소방 훈련" }))
                .expect(202),
        )
    }

    #[track_caller]
    fn look(&self, id: &str) -> Value {
        self.site.again(&self.staff).get(&format!("{PATH}/{id}")).expect(200).json()
    }

    #[track_caller]
    fn until_ended(&self, id: &str) -> Value {
        until("the order has ended", || {
            let order = self.look(id);
            (order["state"] != "running").then_some(order)
        })
    }

    fn pulses(&self) -> usize {
        self.boards.simulator.pulses().len()
    }

    /// Demands that nothing more moves, and that nothing has moved twice but a jammed lock, which gets
    /// its second pulse.
    #[track_caller]
    fn demand_still(&self, jammed: &[(&str, u8)]) {
        let before = self.pulses();
        std::thread::sleep(Duration::from_millis(1_500));
        assert_eq!(self.pulses(), before, "something still moves");
        let mut each: BTreeMap<(String, u8), usize> = BTreeMap::new();
        for pulse in self.boards.simulator.pulses() {
            *each.entry((pulse.bus, pulse.lock)).or_default() += 1;
        }
        let due = |(bus, lock): &(String, u8)| 1 + usize::from(jammed.contains(&(bus, *lock)));
        assert!(each.iter().all(|(lock, count)| *count == due(lock)), "{each:?}");
        self.boards.demand_no_violations();
    }
}

#[track_caller]
fn name(reply: &crate::support::http::Reply) -> String {
    reply.json()["mass_opening_id"].as_str().expect("a name").to_owned()
}

fn results(order: &Value) -> BTreeMap<i64, String> {
    let lockers = order["lockers"].as_array().expect("lockers").iter();
    let result = |it: &Value| it["result"].as_str().expect("a result").to_owned();
    lockers.map(|it| (it["locker_id"].as_i64().expect("a number"), result(it))).collect()
}

#[test]
fn a_trial_says_how_many_and_how_long_and_opens_nothing() {
    let wired = Wired::start();
    let ask = |body: Value| wired.staff.post_json(PATH, &body);
    let told = ask(json!({ "bank_id": 1, "reason": "소방 훈련", "dry_run": true })).expect(200);
    // The longest of two supplies that open beside each other; who has no lock is passed.
    let wanted = json!({ "dry_run": true, "lockers": 10, "unwired": 1, "takes_ms": 6_000 });
    assert_eq!(told.json(), wanted);
    let few = json!({ "locker_ids": [111, 101, 112], "reason": "x", "dry_run": true });
    assert_eq!(ask(few).expect(200).json()["takes_ms"], 2_000);
    ask(json!({ "bank_id": 2, "reason": "x", "dry_run": true })).refused(403, "forbidden");
    let listed = wired.staff.get(PATH).expect(200).json();
    assert_eq!(listed["mass_openings"], json!([]));
    assert!(wired.boards.simulator.pulses().is_empty());
}

#[test]
fn the_report_names_every_door_that_was_not_seen_open() {
    let wired = Wired::start();
    wired.boards.door("east", 1, 3, DoorAction::Jam);
    wired.boards.door("west", 1, 2, DoorAction::Open);
    let admin = wired.site.account("ADMIN");
    until("the open door is seen", || {
        (admin.get("/api/v1/lockers/112").json()["door"] == "open").then_some(())
    });
    let id = wired.order();
    let order = wired.until_ended(&id);
    assert_eq!(
        (&order["state"], &order["reason"]),
        (&json!("done"), &json!("소방 훈련")),
        "{order}"
    );
    assert_eq!(order["started_by"]["name"], "김직원", "{order}");
    assert!(order["ended_at"].is_string() && order["started_at"].is_string(), "{order}");
    let wanted = |id: i64| match id {
        103 => "did_not_open",
        112 => "already_open",
        WITHOUT_LOCK => "skipped",
        _ => "opened",
    };
    for (id, result) in results(&order) {
        assert_eq!(result, wanted(id), "{id}: {order}");
    }
    assert_eq!(order["not_seen_open"], json!([103, WITHOUT_LOCK]), "{order}");
    let counts = json!({ "already_open": 1, "did_not_open": 1, "opened": 7, "skipped": 1 });
    assert_eq!(order["counts"], counts, "{order}");
    for line in order["lockers"].as_array().expect("lockers") {
        let Some(operation) = line["operation_id"].as_str() else {
            assert_eq!(line["skipped_because"], "not_wired", "{line}");
            continue;
        };
        // Each is an opening like any other, recorded and linked.
        let opening = wired.staff.outcome(operation);
        assert_eq!(opening["locker_id"], line["locker_id"]);
        assert!(opening["outcome"].is_string(), "{opening}");
    }
    let linked = format!("SELECT count(*) FROM opening WHERE mass_opening_id = '{id}'");
    assert_eq!(wired.site.number(&linked), 9);
    wired.demand_still(&[("east", 3)]);
    // Supplies did not wait for each other.
    let pulses = wired.boards.simulator.pulses();
    let last_east = pulses.iter().rposition(|it| it.bus == "east").expect("some");
    assert!(pulses[..last_east].iter().any(|it| it.bus == "west"), "{pulses:?}");

    let table = wired.staff.get(&format!("{PATH}/{id}?format=csv")).expect(200);
    assert_eq!(table.header("content-type"), Some("text/csv; charset=utf-8"));
    let text = table.text();
    let mut lines = text.lines();
    let columns = "\u{feff}locker_id,result,skipped_because,operation_id";
    assert_eq!(lines.next(), Some(columns));
    assert_eq!(lines.clone().count(), 10, "{text}");
    assert!(lines.any(|line| line == format!("{WITHOUT_LOCK},skipped,not_wired,")), "{text}");
    wired.staff.get(&format!("{PATH}/{id}?format=pdf")).refused(422, "invalid");
    let list = wired.staff.get(PATH).expect(200).json();
    assert_eq!(list["mass_openings"][0]["mass_opening_id"], id.as_str(), "{list}");
    assert_eq!(
        (&list["mass_openings"][0]["locker_count"], &list["next"]),
        (&json!(10), &json!(null))
    );
    wired.site.demand_clean();
}

#[test]
fn a_lock_that_cools_down_is_waited_for_and_keeps_no_other_waiting() {
    let wired = Wired::start();
    let single = wired.staff.locker(101, "open").expect(202).json();
    wired.staff.outcome(single["operation_id"].as_str().expect("an id"));
    wired.staff.locker(101, "open").refused(429, "lock_cooling");
    let some = json!({ "locker_ids": [102, 101], "reason": "again" });
    let id = name(&wired.staff.post_json(PATH, &some).expect(202));
    let order = wired.until_ended(&id);
    assert_eq!(
        results(&order),
        BTreeMap::from([(101, "already_open".to_owned()), (102, "opened".to_owned()),])
    );
    let pulses = wired.boards.pulses("east", 1, 1);
    assert_eq!(pulses.len(), 2, "{pulses:?}");
    assert!(pulses[1].at_us - pulses[0].at_us >= 2_000_000, "{pulses:?}");
    let other = wired.boards.pulses("east", 1, 2);
    assert!(other[0].at_us < pulses[1].at_us, "the other one waited: {pulses:?}, {other:?}");
    wired.boards.demand_no_violations();
}

#[test]
fn its_progress_is_told_live_to_staff_of_the_bank() {
    let wired = Wired::start();
    let topics = json!(["mass_openings"]);
    let (_, hello) = Socket::listen(&wired.site.student(0), &topics);
    assert_eq!(hello["refused"], topics, "{hello}");
    let (mut of_others, _) = Socket::listen(&wired.site.account("STAFF02"), &topics);
    let (mut socket, _) = Socket::listen(&wired.staff, &topics);
    assert_eq!(socket.message()["groups"], json!([]));
    assert_eq!(of_others.message()["groups"], json!([]));
    let id = wired.order();
    let (mut seen, mut states) = (BTreeMap::<i64, Vec<String>>::new(), Vec::new());
    while states.last().map(String::as_str) != Some("done") {
        let message = socket.message();
        for change in message["changes"].as_array().expect("a delta") {
            for item in change["items"].as_array().expect("items") {
                assert_eq!(item["mass_opening_id"], id.as_str());
                let text = |key: &str| item[key].as_str().map(ToOwned::to_owned);
                match item["locker_id"].as_i64() {
                    Some(locker) => seen.entry(locker).or_default().extend(text("result")),
                    None => states.extend(text("state")),
                }
            }
        }
    }
    assert_eq!(states, ["running", "done"]);
    assert_eq!(seen.len(), 10, "{seen:?}");
    for (locker, results) in seen {
        let last = if locker == WITHOUT_LOCK { "skipped" } else { "opened" };
        assert_eq!(results.last().map(String::as_str), Some(last), "{locker}: {results:?}");
    }
    assert!(of_others.is_silent_for(Duration::from_millis(200)));
}

#[test]
fn a_stop_ends_it_before_the_next_turn() {
    let wired = Wired::start();
    let id = wired.order();
    until("two are open", || (wired.pulses() >= 2).then_some(()));
    let cancel = format!("{PATH}/{id}/cancel");
    wired.staff.post(&cancel).expect(200);
    let order = wired.until_ended(&id);
    assert_eq!(order["state"], "cancelled", "{order}");
    let results = results(&order);
    let cancelled = results.values().filter(|it| *it == "cancelled").count();
    let opened = results.values().filter(|it| *it == "opened").count();
    assert!(cancelled >= 3 && opened >= 2, "{results:?}");
    wired.demand_still(&[]);
    assert_eq!(wired.pulses(), opened, "{results:?}");
    // Stopping what has ended changes nothing.
    assert_eq!(wired.staff.post(&cancel).expect(200).json(), order);
    for action in ["start", "cancel", "end"] {
        let sql = format!("SELECT count(*) FROM audit WHERE action = 'mass_opening.{action}'");
        assert_eq!(wired.site.number(&sql), 1, "{action}");
    }
    wired.site.demand_clean();
}

#[test]
fn a_students_own_opening_waits_for_one_of_ours_at_most() {
    let wired = Wired::start();
    let student = wired.site.student(0);
    student.rent(OF_STUDENT);
    let id = wired.order();
    until("it has begun", || (wired.pulses() >= 1).then_some(()));
    let east = || wired.boards.simulator.pulses().into_iter().filter(|it| it.bus == "east");
    let before = east().count();
    let opened = student.locker(OF_STUDENT, "open").expect(202).json();
    let opening = student.outcome(opened["operation_id"].as_str().expect("an id"));
    assert_eq!(opening["outcome"], "opened", "{opening}");
    assert_eq!(wired.look(&id)["state"], "running", "the student was kept until the end");
    let place = east().position(|it| it.lock == 8).expect("the student's");
    assert!(place <= before + 1, "{place} pulses came before it, {before} when it was asked for");
    assert_eq!(wired.until_ended(&id)["state"], "done");
    wired.demand_still(&[]);
}

#[test]
fn a_restart_in_the_middle_says_what_was_done_and_opens_nothing_more() {
    for orderly in [false, true] {
        let mut wired = Wired::start();
        let id = wired.order();
        until("three are open", || (wired.pulses() >= 3).then_some(()));
        if orderly {
            wired.site.stop();
        } else {
            wired.site.kill();
        }
        // What was sent before the end may still be on the wire.
        std::thread::sleep(Duration::from_millis(300));
        let pulses = wired.pulses();
        wired.site.serve();
        let order = wired.until_ended(&id);
        assert_eq!(order["state"], "interrupted", "{order}");
        wired.demand_ready();
        wired.demand_still(&[]);
        assert_eq!(wired.pulses(), pulses, "the order went on by itself");
        // What was cut off is settled by its door.
        let order = until("all is settled", || {
            let order = wired.look(&id);
            (!results(&order).values().any(|it| it == "opening")).then_some(order)
        });
        let results = results(&order);
        let begun = results.values().filter(|it| *it == "opened" || *it == "interrupted").count();
        assert!(begun >= pulses, "{results:?}");
        assert!(results.values().filter(|it| *it == "not_reached").count() >= 3, "{results:?}");
        assert!(!results.values().any(|it| it == "waiting" || it == "cancelled"), "{results:?}");
        // The bank is free for the next one; only what is left.
        let left: Vec<i64> =
            results.iter().filter(|(_, it)| *it == "not_reached").map(|(id, _)| *id).collect();
        let staff = wired.site.again(&wired.staff);
        let again = json!({ "locker_ids": left, "reason": "the rest" });
        let id = name(&staff.post_json(PATH, &again).expect(202));
        assert_eq!(wired.until_ended(&id)["state"], "done");
        wired.demand_still(&[]);
        wired.site.demand_clean();
    }
}

#[test]
fn a_failing_database_stops_no_order_and_hears_of_it_later() {
    let wired = Wired::start();
    let id = wired.order();
    until("it has begun", || (wired.pulses() >= 1).then_some(()));
    let tool = wired.site.sql();
    tool.execute_batch("BEGIN EXCLUSIVE").expect("free");
    let order = wired.until_ended(&id);
    assert_eq!(order["state"], "done", "{order}");
    assert_eq!(order["counts"], json!({ "opened": 9, "skipped": 1 }), "{order}");
    let more = json!({ "bank_id": 1, "reason": "more" });
    wired.staff.post_json(PATH, &more).refused(503, "degraded");
    tool.execute_batch("ROLLBACK").expect("done");
    until("the end is stored", || {
        let sql = "SELECT count(*) FROM mass_opening WHERE state = 'done'";
        (wired.site.number(sql) == 1).then_some(())
    });
    let linked = format!(
        "SELECT count(*) FROM opening WHERE mass_opening_id = '{id}' AND outcome = 'opened'"
    );
    assert_eq!(wired.site.number(&linked), 9);
    assert_eq!(results(&wired.look(&id)), results(&order));
    wired.demand_still(&[]);
    wired.site.demand_clean();
}

#[test]
fn only_staff_of_all_banks_may_and_one_runs_per_bank() {
    let wired = Wired::start();
    let (admin, other) = (wired.site.account("ADMIN"), wired.site.account("STAFF02"));
    let bank = |id: i64| json!({ "bank_id": id, "reason": "drill" });
    let lockers = |ids: &[i64]| json!({ "locker_ids": ids, "reason": "drill" });
    wired.site.student(0).post_json(PATH, &bank(2)).refused(403, "forbidden");
    wired.site.student(0).get(PATH).refused(403, "forbidden");
    wired.staff.post_json(PATH, &bank(2)).refused(403, "forbidden");
    wired.staff.post_json(PATH, &lockers(&[101, OF_STUDENT])).refused(403, "forbidden");
    admin.post_json(PATH, &bank(9)).refused(404, "bank_not_found");
    admin.post_json(PATH, &lockers(&[101, 999])).refused(404, "locker_not_found");
    for (body, code) in [
        (json!({ "bank_id": 1, "locker_ids": [101], "reason": "x" }), "invalid"),
        (json!({ "reason": "x" }), "invalid"),
        (json!({ "bank_id": 1, "reason": "  " }), "invalid"),
        (lockers(&[]), "invalid"),
        (lockers(&[101, 101]), "invalid"),
        (json!({ "bank_id": 1 }), "bad_json"),
    ] {
        assert_eq!(admin.post_json(PATH, &body).code(), code, "{body}");
    }
    assert_eq!(wired.site.number("SELECT count(*) FROM mass_opening"), 0);

    let begun = Instant::now();
    let headers = ["Content-Type: application/json", "Idempotency-Key: drill-1"];
    let order = |who: &Client| who.call("POST", PATH, &headers, &bank(1).to_string());
    let first = order(&wired.staff).expect(202);
    let again = order(&wired.staff).expect(202);
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let id = name(&first);
    admin.post_json(PATH, &lockers(&[102])).refused(409, "mass_opening_under_way");
    admin.post_json(PATH, &lockers(&[102, OF_STUDENT])).refused(409, "mass_opening_under_way");
    // Another bank is free, and its staff see their own only.
    let second = name(&other.post_json(PATH, &bank(2)).expect(202));
    assert!(begun.elapsed() < Duration::from_secs(3), "the first may have ended by itself");
    other.get(&format!("{PATH}/{id}")).refused(404, "mass_opening_not_found");
    other.post(&format!("{PATH}/{id}/cancel")).refused(404, "mass_opening_not_found");
    let list = other.get(PATH).expect(200).json();
    assert_eq!(list["mass_openings"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["mass_openings"][0]["mass_opening_id"], second.as_str());
    let page = admin.get(&format!("{PATH}?before={second}")).expect(200).json();
    assert_eq!(page["mass_openings"][0]["mass_opening_id"], id.as_str(), "{page}");
    admin.get(&format!("{PATH}?before=x")).refused(422, "invalid");
    wired.until_ended(&id);
    wired.demand_still(&[]);
}
