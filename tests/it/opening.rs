//! A locker opened over REST: the right bytes on the right wire, once, and the truth about what
//! was seen, for both families of boards; then everything that can go wrong on the way.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lockerd::sim::{DoorAction, Fault, FaultKind, SimBoard, SimBus, UnplugMoment};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::boards::{Boards, COIL_MS_MAX, bus_toml, cu16_toml, modbus_toml};
use crate::support::http::{Client, Wire, at_once};
use crate::support::site::{Plan, Site};
use crate::support::until;

/// Unlock board 1, lock 3 of a CU16 (protocol notes, C1).
const CU16_UNLOCK_1_3: &str = "02 12 31 03 48";
/// Pulse relay 3 of board 1 for 400 ms (protocol notes, A).
const MODBUS_FLASH_1_3: &str = "01 05 02 02 00 04 6C 71";
/// All relays of board 1 off.
const MODBUS_ALL_OFF_1: &str = "01 05 00 FF 00 00 FD FA";

/// Lockers of the site: CU16 with its bank 1, relay board with doors, relay board without.
const ON_CU16: i64 = 101;
const ON_CU16_TOO: i64 = 102;
const ON_MODBUS: i64 = 201;
const ON_MODBUS_TOO: i64 = 202;
const WITHOUT_DOORS: i64 = 203;
const WITHOUT_LOCK: i64 = 204;

/// A served site with simulated boards that outlive it.
struct Wired {
    site: Site,
    boards: Boards,
}

impl Wired {
    fn start() -> Self {
        Self::with(false)
    }

    fn with(cu16_answers: bool) -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let boards = Boards::start(buses(&place, cu16_answers));
        let site = Site::prepare_in(place, &plan(cu16_answers));
        let mut wired = Self { site, boards };
        wired.site.serve();
        wired.demand_ready();
        wired
    }

    /// Every board has been heard, so that what follows is not the first contact.
    fn demand_ready(&self) {
        let admin = self.site.account("ADMIN");
        until("all boards are online", || {
            let health = admin.health();
            (health["status"] == "ok" && !health.to_string().contains("unknown")).then_some(())
        });
    }

    /// A student who rents this locker; the n-th.
    fn renter(&self, n: usize, locker: i64) -> Client {
        let student = self.site.student(n);
        student.rent(locker);
        student
    }
}

fn buses(place: &TempDir, cu16_answers: bool) -> Vec<SimBus> {
    let cu16 = |address| SimBoard { answers_unlock: Some(cu16_answers), ..SimBoard::cu16(address) };
    let blind = SimBoard { door_inputs: false, ..SimBoard::modbus(2, 8) };
    vec![
        SimBus::new("east", place.path().join("east"), 19_200).with(cu16(0)).with(cu16(1)),
        SimBus::new("west", place.path().join("west"), 9_600)
            .with(SimBoard::modbus(1, 8))
            .with(blind),
    ]
}

/// The configuration and the lockers; the links are relative to the site's own place.
fn plan(cu16_answers: bool) -> Plan {
    let east = |address| cu16_toml(address) + &format!("answers_unlock = {cu16_answers}\n");
    let blind = modbus_toml(2) + "doors = false\n";
    Plan::default()
        .wired(1, ON_CU16, ("east", 1, 3))
        .wired(1, ON_CU16_TOO, ("east", 0, 16))
        .wired(2, ON_MODBUS, ("west", 1, 3))
        .wired(2, ON_MODBUS_TOO, ("west", 1, 5))
        .wired(2, WITHOUT_DOORS, ("west", 2, 1))
        .lockers(2, [WITHOUT_LOCK])
        .students(4)
        .admin()
        .staff("STAFF01", 1)
        .staff("STAFF02", 2)
        .bus(&bus_toml("east", 19_200, &[&east(0), &east(1)]))
        .bus(&bus_toml("west", 9_600, &[&modbus_toml(1), &blind]))
}

#[track_caller]
fn open(who: &Client, locker: i64) -> String {
    let opened = who.locker(locker, "open").expect(202).json();
    opened["operation_id"].as_str().expect("an id").to_owned()
}

fn phases(opening: &Value) -> Vec<String> {
    let phases = opening["phases"].as_array().expect("phases").iter();
    phases.map(|it| it["phase"].as_str().expect("a name").to_owned()).collect()
}

/// Demands an outcome of an opening, and gives the whole answer.
#[track_caller]
fn demand_outcome(who: &Client, locker: i64, wanted: &str) -> Value {
    let opening = who.outcome(&open(who, locker));
    assert_eq!(opening["outcome"], wanted, "{opening}");
    opening
}

/// Opens, closes by hand, and demands these phases in this order.
#[track_caller]
fn opens_and_closes(
    wired: &Wired,
    (locker, channel): (i64, (&str, u8, u8)),
    frame: &str,
    wanted: &[&str],
) {
    let (bus, board, lock) = channel;
    let renter = wired.renter(0, locker);
    until("the door is known", || (renter.mine()["door"] == "closed").then_some(()));
    let id = open(&renter, locker);
    let opening = renter.outcome(&id);
    assert_eq!(opening["outcome"], "opened", "{opening}");
    assert_eq!(phases(&opening), wanted, "{opening}");
    assert_eq!(wired.boards.heard(frame), [bus], "{frame}");
    let pulses = wired.boards.pulses(bus, board, lock);
    assert_eq!(pulses.len(), 1, "{pulses:?}");
    assert_eq!(wired.boards.simulator.pulses().len(), 1, "another lock moved as well");
    assert!(wired.boards.is_open(bus, board, lock));
    assert_eq!(renter.mine()["door"], "open");
    // An open door can be given back: it is waited for, and its renter may still open it.
    let given = renter.locker(locker, "release").expect(200).json();
    assert_eq!((&given["state"], &given["waits_for"]), (&json!("returned"), &json!("door")));

    wired.boards.close(bus, board, lock);
    let closed = until("the closing is noted", || {
        let opening = renter.get(&format!("/api/v1/openings/{id}")).expect(200).json();
        (phases(&opening).last().map(String::as_str) == Some("closed")).then_some(opening)
    });
    let times: Vec<Timestamp> = closed["phases"]
        .as_array()
        .expect("phases")
        .iter()
        .map(|it| it["at"].as_str().expect("a time").parse().expect("RFC 3339"))
        .collect();
    assert!(times.is_sorted(), "{closed}");
    assert_eq!(closed["outcome"], "opened");
    until("the door is known closed", || (renter.mine()["door"] == "closed").then_some(()));
    assert!(wired.boards.lock(bus, board, lock).longest_coil_ms <= COIL_MS_MAX);
    wired.boards.demand_no_violations();
}

#[test]
fn a_locker_on_a_cu16_opens_and_closes() {
    let wired = Wired::start();
    let target = (ON_CU16, ("east", 1, 3));
    opens_and_closes(&wired, target, CU16_UNLOCK_1_3, &["requested", "sent", "opened"]);
}

#[test]
fn a_cu16_that_answers_is_heard() {
    let wired = Wired::with(true);
    let wanted = ["requested", "sent", "acknowledged", "opened"];
    opens_and_closes(&wired, (ON_CU16, ("east", 1, 3)), CU16_UNLOCK_1_3, &wanted);
}

#[test]
fn a_locker_on_a_relay_board_opens_and_closes() {
    let wired = Wired::start();
    let wanted = ["requested", "sent", "acknowledged", "opened"];
    opens_and_closes(&wired, (ON_MODBUS, ("west", 1, 3)), MODBUS_FLASH_1_3, &wanted);
    // Fail-safe: outputs were switched off before anything else was asked of the board.
    assert_eq!(wired.boards.heard(MODBUS_ALL_OFF_1), ["west"]);
}

#[test]
fn a_jammed_door_did_not_open_and_may_be_tried_again() {
    let wired = Wired::start();
    let (east, west) = (wired.renter(0, ON_CU16), wired.renter(1, ON_MODBUS));
    wired.boards.door("east", 1, 3, DoorAction::Jam);
    wired.boards.door("west", 1, 3, DoorAction::Jam);
    let ids = [(open(&east, ON_CU16), east), (open(&west, ON_MODBUS), west)];
    // While the door may still spring open, the locker is not given to the next.
    let given = ids[0].1.locker(ON_CU16, "release").expect(200).json();
    assert_eq!(given["waits_for"], "door", "{given}");
    for (id, renter) in ids {
        let opening = renter.outcome(&id);
        assert_eq!(opening["outcome"], "door_did_not_open", "{opening}");
        assert!(opening["retry_after_ms"].is_u64(), "{opening}");
        assert!(!phases(&opening).contains(&"opened".to_owned()), "{opening}");
    }
    // The sensors showed the doors closed: each lock was pulsed once more, and no third time.
    for bus in ["east", "west"] {
        let pulses = wired.boards.pulses(bus, 1, 3);
        assert_eq!(pulses.len(), 2, "{pulses:?}");
        assert!(pulses[1].at_us - pulses[0].at_us >= 2_400_000, "{pulses:?}");
    }
    wired.boards.demand_no_violations();
}

#[test]
fn an_open_door_stays_a_door_that_was_open() {
    let wired = Wired::start();
    let renter = wired.renter(0, ON_CU16);
    wired.boards.door("east", 1, 3, DoorAction::Open);
    until("the open door is seen", || (renter.mine()["door"] == "open").then_some(()));
    demand_outcome(&renter, ON_CU16, "already_open");
}

#[test]
fn a_silent_board_gives_no_answer() {
    let wired = Wired::start();
    let (east, west) = (wired.renter(0, ON_CU16), wired.renter(1, ON_MODBUS));
    wired.boards.fault(Fault::new("east", FaultKind::Silent));
    wired.boards.fault(Fault::new("west", FaultKind::Silent));
    let ids = [(open(&east, ON_CU16), east), (open(&west, ON_MODBUS), west)];
    for (id, renter) in ids {
        let opening = renter.outcome(&id);
        assert_eq!(opening["outcome"], "no_answer", "{opening}");
        assert_eq!(renter.mine()["door"], "unknown");
    }
    assert!(wired.boards.simulator.pulses().is_empty());
    let admin = wired.site.account("ADMIN");
    until("health names the silent boards", || {
        let health = admin.health();
        (health["status"] == "degraded" && health.to_string().contains("silent")).then_some(())
    });
    wired.boards.simulator.clear_faults();
    until("the boards answer again", || (admin.health()["status"] == "ok").then_some(()));
}

#[test]
fn a_board_that_refuses_is_quoted() {
    let wired = Wired::start();
    let renter = wired.renter(0, ON_MODBUS);
    wired.boards.fault(Fault::new("west", FaultKind::Exception { code: 4 }).command(5).times(1));
    let opening = demand_outcome(&renter, ON_MODBUS, "refused");
    assert_eq!(phases(&opening), ["requested", "sent"]);
    assert!(wired.boards.simulator.pulses().is_empty());
}

#[test]
fn a_lost_reply_is_no_failure_when_the_door_is_seen() {
    let wired = Wired::start();
    let renter = wired.renter(0, ON_MODBUS);
    wired.boards.fault(Fault::new("west", FaultKind::SilentObeys).command(5).times(1));
    let opening = demand_outcome(&renter, ON_MODBUS, "opened");
    assert_eq!(phases(&opening), ["requested", "sent", "opened"]);
    assert_eq!(wired.boards.pulses("west", 1, 3).len(), 1);
}

#[test]
fn a_board_without_doors_is_never_said_to_have_opened() {
    let wired = Wired::start();
    let renter = wired.renter(0, WITHOUT_DOORS);
    assert_eq!(renter.mine()["door"], "unknown");
    let opening = demand_outcome(&renter, WITHOUT_DOORS, "unseen");
    assert_eq!(phases(&opening), ["requested", "sent", "acknowledged"]);
    assert_eq!(wired.boards.pulses("west", 2, 1).len(), 1);
}

#[test]
fn a_pulled_adapter_is_unreachable_and_heals_when_it_is_back() {
    let wired = Wired::start();
    let (east, west) = (wired.renter(0, ON_CU16), wired.renter(1, ON_MODBUS));
    let admin = wired.site.account("ADMIN");
    wired.boards.unplug("east");
    let health = until("health says so", || {
        let health = admin.health();
        (health["buses"]["east"] == "offline").then_some(health)
    });
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["buses"]["west"], "online");
    let bus = &health["details"]["buses"][0];
    assert!(bus["reason"].as_str().is_some_and(|it| !it.is_empty()), "{bus}");
    let opening = demand_outcome(&east, ON_CU16, "unreachable");
    assert_eq!(phases(&opening), ["requested"]);
    // The other port does not suffer.
    demand_outcome(&west, ON_MODBUS, "opened");

    wired.boards.replug("east");
    until("the port is back", || (admin.health()["status"] == "ok").then_some(()));
    until("its doors are known", || (east.mine()["door"] == "closed").then_some(()));
    demand_outcome(&east, ON_CU16, "opened");
    assert_eq!(wired.boards.heard(CU16_UNLOCK_1_3), ["east"], "an old request was sent late");
    let bus = &admin.health()["details"]["buses"][0];
    assert!(bus["reconnects"].as_u64().is_some_and(|it| it >= 1), "{bus}");
}

#[test]
fn an_adapter_that_vanishes_with_the_command_leaves_a_doubt_and_one_pulse() {
    let wired = Wired::start();
    let renter = wired.renter(0, ON_MODBUS);
    let gone = FaultKind::Unplug { moment: UnplugMoment::CoilOn, back_after_ms: Some(200) };
    wired.boards.fault(Fault::new("west", gone).command(5).times(1));
    let opening = demand_outcome(&renter, ON_MODBUS, "no_answer");
    assert_eq!(phases(&opening), ["requested", "sent"]);
    until("the open door is seen when the port is back", || {
        (renter.mine()["door"] == "open").then_some(())
    });
    assert_eq!(wired.boards.pulses("west", 1, 3).len(), 1);
    // Outputs were switched off at the start and at the return, before anything else.
    until("it was switched off again", || {
        (wired.boards.heard(MODBUS_ALL_OFF_1).len() == 2).then_some(())
    });
}

#[test]
fn a_repeat_with_the_same_key_is_the_same_opening() {
    let wired = Wired::start();
    let renter = wired.renter(0, ON_MODBUS);
    let path = format!("/api/v1/lockers/{ON_MODBUS}/open");
    let first = renter.post_keyed(&path, "tap-1").expect(202);
    assert_eq!(first.header("idempotency-replayed"), None);
    let again = renter.post_keyed(&path, "tap-1").expect(202);
    assert_eq!(again.json(), first.json());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    renter.outcome(first.json()["operation_id"].as_str().expect("an id"));
    // Also while the lock cools down, when a new request would be refused.
    assert_eq!(renter.post_keyed(&path, "tap-1").expect(202).json(), first.json());
    renter.post_keyed(&path, "tap-2").refused(429, "lock_cooling");
    let operation = renter.get("/api/v1/operations/tap-1").expect(200).json();
    assert_eq!((&operation["operation"], &operation["key"]), (&"open".into(), &"tap-1".into()));
    let other = format!("/api/v1/lockers/{ON_MODBUS}/hold");
    renter.post_keyed(&other, "tap-1").refused(422, "key_reused");
    assert_eq!(wired.boards.pulses("west", 1, 3).len(), 1);
}

#[test]
fn twenty_repeats_at_once_are_one_opening() {
    let wired = Wired::start();
    let renter = wired.renter(0, ON_CU16);
    let path = format!("/api/v1/lockers/{ON_CU16}/open");
    let request = renter.request("POST", &path, &["Idempotency-Key: one-tap"], "");
    let replies = at_once(renter.address, vec![request; 20]);
    let ids: BTreeSet<String> = replies
        .iter()
        .map(|reply| reply.clone().expect(202).json()["operation_id"].to_string())
        .collect();
    assert_eq!(ids.len(), 1, "{ids:?}");
    let fresh = replies.iter().filter(|it| it.header("idempotency-replayed").is_none());
    assert_eq!(fresh.count(), 1);
    renter.outcome(ids.first().expect("one").trim_matches('"'));
    assert_eq!(wired.boards.pulses("east", 1, 3).len(), 1);
    assert_eq!(wired.boards.heard(CU16_UNLOCK_1_3), ["east"]);
}

#[test]
fn twenty_taps_at_once_are_one_opening_too() {
    let wired = Wired::start();
    let renter = wired.renter(0, ON_CU16);
    let request = renter.request("POST", &format!("/api/v1/lockers/{ON_CU16}/open"), &[], "");
    let replies = at_once(renter.address, vec![request; 20]);
    let accepted: Vec<Value> = replies
        .iter()
        .filter(|it| it.status == 202)
        .map(|it| it.json()["operation_id"].clone())
        .collect();
    assert_eq!(accepted.len(), 1, "{replies:?}");
    for reply in replies.iter().filter(|it| it.status != 202) {
        match reply.code().as_str() {
            "opening_under_way" => {
                let refusal = reply.refused(409, "opening_under_way");
                assert_eq!(refusal["operation_id"], accepted[0]);
            }
            _ => drop(reply.refused(429, "lock_cooling")),
        }
    }
    renter.outcome(accepted[0].as_str().expect("an id"));
    assert_eq!(wired.boards.pulses("east", 1, 3).len(), 1);
}

#[test]
fn a_lock_cools_down_between_two_openings() {
    let wired = Wired::start();
    let renter = wired.renter(0, ON_MODBUS);
    let id = open(&renter, ON_MODBUS);
    let busy = renter.locker(ON_MODBUS, "open");
    if busy.status == 409 {
        assert_eq!(busy.refused(409, "opening_under_way")["operation_id"], id.as_str());
    }
    renter.outcome(&id);
    let refused = renter.locker(ON_MODBUS, "open");
    let document = refused.refused(429, "lock_cooling");
    let wait_s = refused.header("retry-after").expect("Retry-After").parse::<u64>().expect("s");
    // Two seconds from the end of a pulse of 400 ms.
    assert!((1..=3).contains(&wait_s), "{document}");
    assert!(document["retry_after_ms"].as_u64().is_some_and(|ms| ms <= 2_400), "{document}");
    // Another lock of the same board need not wait.
    demand_outcome(&wired.renter(1, ON_MODBUS_TOO), ON_MODBUS_TOO, "opened");
    wired.boards.close("west", 1, 3);
    let id = until("it has cooled down", || {
        let reply = renter.locker(ON_MODBUS, "open");
        (reply.status == 202).then(|| reply.json()["operation_id"].clone())
    });
    assert_eq!(renter.outcome(id.as_str().expect("an id"))["outcome"], "opened");
    let pulses = wired.boards.pulses("west", 1, 3);
    assert_eq!(pulses.len(), 2);
    assert!(pulses[1].at_us - pulses[0].at_us >= 2_400_000, "{pulses:?}");
    wired.boards.demand_no_violations();
}

#[test]
fn only_who_may_open_opens() {
    let wired = Wired::start();
    let site = &wired.site;
    let renter = wired.renter(0, ON_CU16);
    let other = site.student(1);
    other.locker(ON_CU16, "open").refused(404, "not_your_locker");
    other.locker(999, "open").refused(404, "locker_not_found");
    site.nobody().locker(ON_CU16, "open").refused(401, "unauthenticated");
    other.locker(ON_CU16_TOO, "hold").expect(201);
    other.locker(ON_CU16_TOO, "open").refused(409, "only_held");
    other.locker(ON_CU16_TOO, "release-hold").expect(200);
    other.rent(WITHOUT_LOCK);
    other.locker(WITHOUT_LOCK, "open").refused(409, "not_wired");
    site.account("STAFF02").locker(ON_CU16, "open").refused(404, "not_your_locker");
    assert!(wired.boards.simulator.pulses().is_empty());

    let staff = site.account("STAFF01");
    let id = open(&staff, ON_CU16);
    assert_eq!(staff.outcome(&id)["outcome"], "opened");
    // Somebody else's opening is nobody's business but the bank's staff's.
    renter.get(&format!("/api/v1/openings/{id}")).refused(404, "opening_not_found");
    site.account("STAFF02")
        .get(&format!("/api/v1/openings/{id}"))
        .refused(404, "opening_not_found");
    site.account("ADMIN").get(&format!("/api/v1/openings/{id}")).expect(200);
    assert_eq!(wired.boards.pulses("east", 1, 3).len(), 1);
    until("refused attempts are in the audit", || {
        let sql = "SELECT count(*) FROM audit WHERE action = 'opening.refused'";
        (site.number(sql) >= 4).then_some(())
    });
    assert_eq!(site.number("SELECT count(*) FROM opening WHERE opened_as = 'staff'"), 1);
}

/// The phone of somebody whose connection breaks right after they tapped: what was written down
/// is carried out, and the locker does not count as being opened for ever.
#[test]
fn a_client_that_hangs_up_leaves_no_opening_hanging() {
    let mut wired = Wired::start();
    let renter = wired.renter(0, ON_MODBUS);
    let path = format!("/api/v1/lockers/{ON_MODBUS}/open");
    // Another tool holds the database for a moment: the intent waits to be written down.
    let tool = wired.site.sql();
    tool.execute_batch("BEGIN IMMEDIATE").expect("free");
    let mut taps = vec![Wire::connect(renter.address), Wire::connect(renter.address)];
    for tap in &mut taps {
        tap.send(renter.request("POST", &path, &[], "")).expect("sent");
    }
    // Of two taps one is refused at once, and says by that that the other is under way.
    let refused = until("one tap is refused", || taps.iter().position(Wire::has_answer));
    let refusal = taps.remove(refused).reply().expect("an answer");
    let refusal = refusal.refused(409, "opening_under_way");
    let id = refusal["operation_id"].as_str().expect("an id");
    let files = wired.site.process().usage().1;
    drop(taps);
    until("the server sees the connection end", || {
        (wired.site.process().usage().1 < files).then_some(())
    });
    tool.execute_batch("COMMIT").expect("done");
    assert_eq!(renter.outcome(id)["outcome"], "opened");
    assert_eq!(wired.boards.pulses("west", 1, 3).len(), 1);
    wired.boards.close("west", 1, 3);
    until("it opens again", || (renter.post(&path).status == 202).then_some(()));
}

#[test]
fn a_board_that_is_silent_from_the_start_keeps_nobody_from_the_rest() {
    let place = tempfile::tempdir().expect("a temporary place");
    let boards = Boards::start(buses(&place, false));
    boards.fault(Fault::new("west", FaultKind::Silent).board(1));
    let mut site = Site::prepare_in(place, &plan(false));
    site.serve();
    let admin = site.account("ADMIN");
    let health = until("the silent board is named", || {
        let health = admin.health();
        health["details"]["buses"].to_string().contains("silent").then_some(health)
    });
    assert_eq!(health["status"], "degraded");
    assert_eq!(health["buses"]["west"], "online");
    let wired = Wired { site, boards };
    let neighbour = wired.renter(0, WITHOUT_DOORS);
    demand_outcome(&neighbour, WITHOUT_DOORS, "unseen");
    let renter = wired.renter(1, ON_MODBUS);
    demand_outcome(&renter, ON_MODBUS, "no_answer");
    wired.boards.simulator.clear_faults();
    until("health is well again", || (admin.health()["status"] == "ok").then_some(()));
}
