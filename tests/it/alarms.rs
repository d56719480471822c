//! Alarms over the real binary: doors are forced, left open, jammed and unplugged by hand at the
//! simulated boards, and staff and renters see and answer what the product promises.

use std::time::Duration;

use lockerd::sim::{DoorAction, Fault, FaultKind, SimBoard, SimBus};
use serde_json::{Value, json};

use crate::support::boards::{Boards, bus_toml, modbus_toml};
use crate::support::http::Client;
use crate::support::live::Socket;
use crate::support::site::{Plan, Site};
use crate::support::until;

/// Lockers of bank 1, on locks 1 to 5 of board 1, and one of bank 2 on board 2 of the same bus.
const LOCKERS: [i64; 5] = [101, 102, 103, 104, 105];
const MINE: i64 = 101;
const ELSEWHERE: i64 = 201;

/// Longer than a look of the watch and two polls take.
const A_WHILE: Duration = Duration::from_millis(1_500);

struct Watched {
    site: Site,
    boards: Boards,
}

impl Watched {
    /// A served site whose doors were all seen closed; `alarms` are lines of the configuration.
    fn start(alarms: &str) -> Self {
        let place = tempfile::tempdir().expect("a temporary place");
        let bus = SimBus::new("east", place.path().join("east"), 19_200);
        let bus = bus.with(SimBoard::modbus(1, 8)).with(SimBoard::modbus(2, 8));
        let boards = Boards::start(vec![bus]);
        let plan = LOCKERS
            .into_iter()
            .zip(1_u8..)
            .fold(Plan::default(), |plan, (id, lock)| plan.wired(1, id, ("east", 1, lock)));
        // A door that stays shut is not pulsed again: the lock would have its fill in a minute.
        let boards_toml = [1, 2].map(|address| modbus_toml(address) + "retry_pulse = false\n");
        let plan = plan
            .wired(2, ELSEWHERE, ("east", 2, 1))
            .students(2)
            .admin()
            .staff("STAFF01", 1)
            .staff("STAFF02", 2)
            .alarms(alarms)
            .bus(&bus_toml("east", 19_200, &boards_toml.each_ref().map(String::as_str)));
        let site = Site::prepare_in(place, &plan);
        let mut watched = Self { site, boards };
        watched.serve();
        watched
    }

    fn serve(&mut self) {
        self.site.serve();
        let doors = i64::try_from(LOCKERS.len() + 1).expect("small");
        until("every door is known", || {
            let known = self.site.number("SELECT count(*) FROM door");
            (known == doors).then_some(())
        });
    }

    fn staff(&self) -> Client {
        self.site.account("STAFF01")
    }

    /// The first student, renting [`MINE`].
    fn renter(&self) -> Client {
        let renter = self.site.student(0);
        renter.rent(MINE);
        renter
    }

    fn door(&self, lock: u8, action: DoorAction) {
        self.boards.door("east", 1, lock, action);
    }

    /// Waits for the newest alarm of a kind in a state.
    #[track_caller]
    fn alarm(&self, kind: &str, state: &str) -> Value {
        let admin = self.site.account("ADMIN");
        until(&format!("{kind} is {state}"), || newest(&admin, kind, state))
    }

    /// Demands that no alarm was ever raised.
    #[track_caller]
    fn demand_quiet(&self) {
        std::thread::sleep(A_WHILE);
        assert_eq!(list(&self.site.account("ADMIN"), ""), [] as [Value; 0]);
    }

    /// Messages of a kind for an audience, by the student id of who gets them. What they said is
    /// gone: this site sends no mail.
    fn told(&self, kind: &str, audience: &str) -> Vec<String> {
        let conn = self.site.sql();
        let sql = "SELECT student_id FROM outbox JOIN member ON member.id = member_id
                   WHERE kind = ?1 AND iif(role = 'student', 'renter', 'staff') = ?2
                   ORDER BY outbox.id";
        let mut statement = conn.prepare(sql).expect("good SQL");
        let rows = statement.query_map([kind, audience], |row| row.get(0)).expect("readable");
        rows.collect::<Result<_, _>>().expect("readable")
    }
}

#[track_caller]
fn list(who: &Client, query: &str) -> Vec<Value> {
    let page = who.get(&format!("/api/v1/alarms?{query}")).expect(200).json();
    page["alarms"].as_array().expect("a list").clone()
}

fn newest(who: &Client, kind: &str, state: &str) -> Option<Value> {
    list(who, &format!("kind={kind}&state={state}")).into_iter().next()
}

fn steps(detail: &Value) -> Vec<&str> {
    let steps = detail["steps"].as_array().expect("steps").iter();
    steps.map(|step| step["step"].as_str().expect("a name")).collect()
}

#[track_caller]
fn opened(who: &Client, locker: i64) -> String {
    let opening = who.locker(locker, "open").expect(202).json();
    let id = opening["operation_id"].as_str().expect("an id").to_owned();
    who.outcome(&id)["outcome"].as_str().expect("an outcome").to_owned()
}

fn put(who: &Client, path: &str, body: &Value) -> crate::support::http::Reply {
    who.call("PUT", path, &["Content-Type: application/json"], &body.to_string())
}

fn path(alarm: &Value, what: &str) -> String {
    format!("/api/v1/alarms/{}{what}", alarm["alarm_id"])
}

#[test]
fn a_forced_door_is_an_alarm_that_staff_see_and_the_renter_can_answer() {
    let watched = Watched::start("");
    let (renter, other) = (watched.renter(), watched.site.student(1));
    let (staff, stranger) = (watched.staff(), watched.site.account("STAFF02"));
    watched.door(1, DoorAction::Open);
    let alarm = watched.alarm("forced_open", "live");
    assert_eq!((&alarm["locker_id"], &alarm["bank_id"]), (&json!(MINE), &json!(1)));
    assert_eq!((&alarm["severity"], &alarm["count"]), (&json!("critical"), &json!(1)));
    let evidence = &alarm["evidence"];
    assert_eq!(evidence["seen"], "door_opened");
    assert!(evidence["last_seen_closed"].as_str() < evidence["seen_open"].as_str(), "{evidence}");
    let student_id = crate::support::site::student_id(0);
    assert_eq!(watched.told("alarm.forced_open", "renter"), [student_id]);
    assert_eq!(watched.told("alarm.forced_open", "staff"), ["STAFF01"]);

    // Whose it is not, does not see it.
    renter.get("/api/v1/alarms").refused(403, "forbidden");
    renter.get(&path(&alarm, "")).refused(403, "forbidden");
    stranger.get(&path(&alarm, "")).refused(404, "alarm_not_found");
    assert!(list(&stranger, "").is_empty());
    let body = json!({ "note": "확인함" });
    stranger.post_json(&path(&alarm, "/acknowledge"), &body).refused(404, "alarm_not_found");
    renter.post_json(&path(&alarm, "/acknowledge"), &body).refused(403, "forbidden");
    other.post(&path(&alarm, "/it-was-me")).refused(404, "alarm_not_found");
    assert_eq!(other.get("/api/v1/me/alarms").expect(200).json()["alarms"], json!([]));

    // The renter answers; that is not the staff's word.
    let mine = renter.get("/api/v1/me/alarms").expect(200).json()["alarms"][0].clone();
    assert_eq!((&mine["alarm_id"], &mine["can_answer"]), (&alarm["alarm_id"], &json!(true)));
    renter.post(&path(&alarm, "/it-was-me")).expect(200);
    renter.post(&path(&alarm, "/it-was-me")).expect(200);
    let seen = staff.get(&path(&alarm, "")).expect(200).json();
    assert!(seen["it_was_me"]["at"].is_string(), "{seen}");
    assert_eq!((&seen["state"], &seen["acknowledged"]), (&json!("live"), &Value::Null));

    // It ends with its cause, and stays until somebody took note.
    watched.door(1, DoorAction::Close);
    let cleared = watched.alarm("forced_open", "cleared");
    assert_eq!(cleared["clear_reason"], "door_closed");
    let key = ["Content-Type: application/json", "Idempotency-Key: ack-1"];
    let call = || staff.call("POST", &path(&alarm, "/acknowledge"), &key, &body.to_string());
    let first = call().expect(200);
    let again = call().expect(200);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(first.json(), again.json());
    let refused = staff.post_json(&path(&alarm, "/acknowledge"), &body);
    refused.refused(409, "alarm_acknowledged");
    let seen = staff.get(&path(&alarm, "")).expect(200).json();
    assert_eq!(
        (&seen["state"], &seen["acknowledged"]["note"]),
        (&json!("acknowledged"), &body["note"])
    );
    let wanted = ["raised", "renter_told", "staff_told", "claimed", "cleared", "acknowledged"];
    assert_eq!(steps(&seen), wanted);

    // A fault of the hardware costs nobody the locker.
    assert_eq!(renter.mine()["state"], "active");
    assert_eq!(opened(&renter, MINE), "opened");
    watched.site.demand_clean();
}

#[test]
fn a_rightful_opening_is_no_alarm() {
    let watched = Watched::start("");
    let (renter, staff) = (watched.renter(), watched.staff());
    assert_eq!(opened(&renter, MINE), "opened");
    assert_eq!(opened(&staff, 102), "opened");
    std::thread::sleep(A_WHILE);
    for lock in [1, 2] {
        watched.boards.close("east", 1, lock);
    }
    watched.demand_quiet();
    // The same door without an opening is one.
    watched.door(1, DoorAction::Open);
    let alarm = watched.alarm("forced_open", "live");
    assert!(alarm["evidence"]["last_opening"].is_string(), "{alarm}");
}

#[test]
fn a_door_left_open_is_told_to_the_renter_and_then_to_staff() {
    let watched = Watched::start("left_open_s = 1\nescalate_s = 2\n");
    let renter = watched.renter();
    assert_eq!(opened(&renter, MINE), "opened");
    let alarm = watched.alarm("left_open", "live");
    assert_eq!(alarm["evidence"]["limit_ms"], 1_000);
    assert_eq!(watched.told("alarm.left_open", "renter").len(), 1);
    assert!(watched.told("alarm.left_open", "staff").is_empty(), "staff come later");
    let told = until("staff are told", || {
        let told = watched.told("alarm.left_open", "staff");
        (!told.is_empty()).then_some(told)
    });
    assert_eq!(told, ["STAFF01"]);
    assert!(watched.alarm("left_open", "live")["escalated_at"].is_string());
    watched.boards.close("east", 1, 1);
    watched.alarm("left_open", "cleared");
    assert_eq!(watched.told("alarm.left_open", "renter").len(), 1, "warned once");
    assert!(newest(&watched.staff(), "forced_open", "all").is_none());
}

#[test]
fn an_alarm_is_told_live_to_those_who_look_after_the_bank() {
    let watched = Watched::start("");
    let (mine, other) = (watched.staff(), watched.site.account("STAFF02"));
    let topics = json!(["alarms"]);
    let (mut hears, hello) = Socket::listen(&mine, &topics);
    assert_eq!(hello["topics"], topics, "{hello}");
    let (mut deaf, _) = Socket::listen(&other, &topics);
    watched.door(1, DoorAction::Open);
    let alarm = watched.alarm("forced_open", "live");
    // Reading gives up, and fails, when nothing more comes.
    let told = |socket: &mut Socket, state: &str| {
        loop {
            let message = socket.message();
            let items = message["changes"][0]["items"].as_array().cloned().unwrap_or_default();
            if let Some(item) = items.into_iter().find(|it| it["state"] == state) {
                return item;
            }
        }
    };
    let live = told(&mut hears, "live");
    assert_eq!(live["alarm_id"], alarm["alarm_id"], "{live}");
    assert_eq!((&live["kind"], &live["locker_id"]), (&json!("forced_open"), &json!(MINE)));
    watched.boards.close("east", 1, 1);
    mine.post_json(&path(&alarm, "/acknowledge"), &json!({ "note": "seen" })).expect(200);
    assert_eq!(told(&mut hears, "over")["alarm_id"], alarm["alarm_id"], "it leaves the board");
    let snapshot = deaf.message();
    assert_eq!((&snapshot["type"], &snapshot["groups"]), (&json!("snapshot"), &json!([])));
    assert!(deaf.is_silent_for(A_WHILE), "another bank's staff hear nothing of it");
}

#[test]
fn two_openings_of_a_jammed_door_are_a_jam() {
    let watched = Watched::start("");
    let (renter, staff) = (watched.renter(), watched.staff());
    watched.door(1, DoorAction::Jam);
    assert_eq!(opened(&renter, MINE), "door_did_not_open");
    assert!(list(&staff, "").is_empty(), "once may be a hand in front of it");
    assert_eq!(opened(&renter, MINE), "door_did_not_open");
    let alarm = watched.alarm("jammed", "live");
    assert_eq!(alarm["evidence"]["openings"].as_array().map(Vec::len), Some(2), "{alarm}");
    assert_eq!(watched.told("alarm.jammed", "staff"), ["STAFF01"]);
    assert_eq!(renter.mine()["state"], "active", "the locker stays theirs");
    // It may still be opened; and staff may declare it mended.
    let body = json!({ "note": "걸쇠 교체", "mended": true });
    staff.post_json(&path(&alarm, "/acknowledge"), &body).expect(200);
    let seen = staff.get(&path(&alarm, "")).expect(200).json();
    assert_eq!((&seen["clear_reason"], &seen["state"]), (&json!("staff"), &json!("acknowledged")));
    // Or somebody gets the door open by hand.
    watched.door(2, DoorAction::Jam);
    for _ in 0..2 {
        assert_eq!(opened(&staff, 102), "door_did_not_open");
    }
    assert_eq!(watched.alarm("jammed", "live")["locker_id"], 102);
    watched.door(2, DoorAction::Open);
    let cleared = watched.alarm("jammed", "cleared");
    let wanted = (&json!(102), &json!("door_opened"));
    assert_eq!((&cleared["locker_id"], &cleared["clear_reason"]), wanted);
}

#[test]
fn an_unplugged_port_is_an_alarm_and_what_happened_meanwhile_accuses_nobody() {
    let watched = Watched::start("offline_s = 1\n");
    let staff = watched.staff();
    watched.boards.unplug("east");
    let alarm = watched.alarm("bus_offline", "live");
    assert_eq!((&alarm["bus"], &alarm["evidence"]["seen"]), (&json!("east"), &json!("no_answer")));
    assert_eq!(watched.told("alarm.bus_offline", "staff"), ["STAFF01", "STAFF02"]);
    assert_eq!(
        list(&staff, "").len(),
        1,
        "staff with a bank on it see it, and no board of its own"
    );
    assert_eq!(list(&staff, "bank_id=1&state=live").len(), 1);
    watched.door(2, DoorAction::Open);
    watched.boards.replug("east");
    assert_eq!(watched.alarm("bus_offline", "cleared")["clear_reason"], "back");
    let found = watched.alarm("opened_unwatched", "live");
    assert_eq!((&found["locker_id"], &found["severity"]), (&json!(102), &json!("info")));
    let evidence = &found["evidence"];
    assert!(evidence["last_seen_closed"].as_str() < evidence["found_open"].as_str(), "{evidence}");
    assert!(newest(&staff, "forced_open", "all").is_none());
}

#[test]
fn a_restart_in_an_outage_does_not_shorten_the_gap() {
    let mut watched = Watched::start("offline_s = 1\n");
    watched.boards.unplug("east");
    let outage = watched.alarm("bus_offline", "live");
    watched.site.stop();
    watched.site.serve();
    // Started, stopped and started again without having seen a door.
    std::thread::sleep(A_WHILE);
    watched.site.kill();
    watched.door(3, DoorAction::Open);
    watched.boards.replug("east");
    watched.site.serve();
    let found = watched.alarm("opened_unwatched", "live");
    assert_eq!(found["locker_id"], 103);
    let last_seen_closed = found["evidence"]["last_seen_closed"].as_str();
    assert!(last_seen_closed < outage["raised_at"].as_str(), "{found} {outage}");
}

#[test]
fn a_silent_board_is_an_alarm_of_its_own() {
    let watched = Watched::start("offline_s = 1\n");
    watched.boards.fault(Fault::new("east", FaultKind::Silent).board(2));
    let alarm = watched.alarm("board_offline", "live");
    assert_eq!((&alarm["bus"], &alarm["board"]), (&json!("east"), &json!(2)));
    assert_eq!(watched.told("alarm.board_offline", "staff"), ["STAFF02"]);
    assert!(list(&watched.staff(), "").is_empty(), "bank 1 is not wired to it");
    watched.boards.simulator.clear_faults();
    watched.alarm("board_offline", "cleared");
}

#[test]
fn two_missed_polls_are_nothing_and_the_third_makes_a_silent_board() {
    let watched = Watched::start("offline_s = 1\n");
    watched.boards.fault(Fault::new("east", FaultKind::Silent).board(2).times(2));
    watched.demand_quiet();
    watched.boards.fault(Fault::new("east", FaultKind::Silent).board(2).times(3));
    watched.alarm("board_offline", "cleared");
}

#[test]
fn a_chattering_sensor_is_a_sensor_fault_and_its_door_opens_as_ever() {
    let watched = Watched::start("chatter_window_s = 4\n");
    let renter = watched.renter();
    for _ in 0..5 {
        watched.boards.fault(Fault::new("east", FaultKind::SensorOpen).board(1).lock(1));
        std::thread::sleep(Duration::from_millis(300));
        watched.boards.simulator.clear_faults();
        std::thread::sleep(Duration::from_millis(300));
    }
    let alarm = watched.alarm("sensor_fault", "live");
    assert_eq!(
        (&alarm["locker_id"], &alarm["evidence"]["seen"]),
        (&json!(MINE), &json!("chatter"))
    );
    let silences = alarm["evidence"]["silences"].to_string();
    assert!(silences.contains("forced_open") && silences.contains("left_open"), "{silences}");
    // What the broken sensor said before it was known as broken is taken back.
    assert!(newest(&watched.staff(), "forced_open", "live").is_none());
    assert_eq!(opened(&renter, MINE), "opened");
    let cleared = watched.alarm("sensor_fault", "cleared");
    assert_eq!(cleared["clear_reason"], "calm");
}

#[test]
fn a_whole_board_that_reads_open_is_one_fault_and_no_theft() {
    let watched = Watched::start("");
    watched.boards.fault(Fault::new("east", FaultKind::SensorOpen).board(1));
    let alarm = watched.alarm("sensor_fault", "live");
    assert_eq!((&alarm["bus"], &alarm["board"]), (&json!("east"), &json!(1)));
    assert_eq!(alarm["evidence"]["lockers"], json!(LOCKERS));
    assert_eq!(list(&watched.staff(), "").len(), 1, "one alarm for all of them");
    watched.boards.simulator.clear_faults();
    watched.alarm("sensor_fault", "cleared");
}

#[test]
fn a_bank_in_maintenance_is_quiet_and_says_so() {
    let watched = Watched::start("");
    let (staff, stranger) = (watched.staff(), watched.site.account("STAFF02"));
    let bank = "/api/v1/banks/1/maintenance";
    let on = json!({ "on": true, "reason": "경첩 교체" });
    stranger
        .call("PUT", bank, &["Content-Type: application/json"], &on.to_string())
        .refused(403, "forbidden");
    put(&staff, bank, &json!({ "on": true })).refused(422, "invalid");
    put(&staff, "/api/v1/banks/9/maintenance", &on).refused(404, "bank_not_found");
    watched.door(1, DoorAction::Open);
    watched.alarm("forced_open", "live");
    let answer = put(&staff, bank, &on).expect(200).json();
    assert_eq!((&answer["maintenance"], &answer["reason"]), (&json!(true), &on["reason"]));
    assert_eq!(watched.alarm("forced_open", "cleared")["clear_reason"], "maintenance");
    let summary = staff.get("/api/v1/lockers/summary").expect(200).json();
    let banks = |at: usize| summary["locations"][at]["banks"][0]["maintenance"].clone();
    assert_eq!((banks(0), banks(1)), (json!(true), json!(false)), "{summary}");
    watched.door(2, DoorAction::Open);
    std::thread::sleep(A_WHILE);
    assert_eq!(list(&staff, "").len(), 1, "nothing new");
    for lock in [1, 2] {
        watched.boards.close("east", 1, lock);
    }
    put(&staff, bank, &json!({ "on": false })).expect(200);
    std::thread::sleep(A_WHILE);
    watched.door(2, DoorAction::Open);
    assert_eq!(watched.alarm("forced_open", "live")["locker_id"], 102);
}

#[test]
fn the_mechanical_key_is_marked_and_excuses_the_door() {
    let watched = Watched::start("");
    let (staff, renter) = (watched.staff(), watched.renter());
    let key = |locker: i64| format!("/api/v1/lockers/{locker}/mechanical-key");
    let body = json!({ "note": "배터리 방전" });
    renter.post_json(&key(MINE), &body).refused(403, "forbidden");
    staff.post_json(&key(ELSEWHERE), &body).refused(403, "forbidden");
    staff.post_json(&key(999), &body).refused(404, "locker_not_found");
    staff.post_json(&key(102), &body).expect(200);
    watched.door(2, DoorAction::Open);
    watched.demand_quiet();
    watched.door(1, DoorAction::Open);
    watched.alarm("forced_open", "live");
    staff.post_json(&key(MINE), &body).expect(200);
    assert_eq!(watched.alarm("forced_open", "cleared")["clear_reason"], "mechanical_key");
    let noted = "SELECT count(*) FROM audit WHERE action = 'locker.mechanical_key'";
    assert_eq!(watched.site.number(noted), 2);
}

#[test]
fn alarms_outlive_a_restart_and_what_happened_meanwhile_is_found() {
    let mut watched = Watched::start("");
    watched.door(1, DoorAction::Open);
    watched.door(2, DoorAction::Open);
    until("both doors are an alarm", || {
        (list(&watched.staff(), "kind=forced_open&state=live").len() == 2).then_some(())
    });
    let before = watched.site.number("SELECT count(*) FROM alarm");
    watched.site.stop();
    watched.door(2, DoorAction::Close);
    watched.door(3, DoorAction::Open);
    watched.serve();
    assert_eq!(watched.alarm("opened_unwatched", "live")["locker_id"], 103);
    assert_eq!(watched.alarm("forced_open", "cleared")["locker_id"], 102);
    assert_eq!(watched.alarm("forced_open", "live")["locker_id"], 101);
    assert_eq!(watched.site.number("SELECT count(*) FROM alarm"), before + 1, "raised once");
    // The same after a power cut, which leaves no last word.
    watched.site.kill();
    watched.door(4, DoorAction::Open);
    watched.serve();
    until("the other door is found too", || {
        (list(&watched.staff(), "kind=opened_unwatched&state=live").len() == 2).then_some(())
    });
    watched.site.demand_clean();
}

#[test]
fn an_alarm_while_the_database_fails_is_stored_when_it_works_again() {
    let watched = Watched::start("");
    let tool = watched.site.sql();
    tool.execute_batch("BEGIN EXCLUSIVE").expect("free");
    watched.door(1, DoorAction::Open);
    let nobody = watched.site.nobody();
    until("the database is found failing", || {
        (nobody.health()["database"] == "degraded").then_some(())
    });
    watched.door(1, DoorAction::Close);
    std::thread::sleep(A_WHILE);
    tool.execute_batch("ROLLBACK").expect("done");
    until("the database works again", || (nobody.health()["database"] == "ok").then_some(()));
    let alarm = watched.alarm("forced_open", "cleared");
    assert_eq!(alarm["clear_reason"], "door_closed");
    assert_eq!(watched.site.number("SELECT count(*) FROM alarm"), 1);
    watched.site.demand_clean();
}

#[test]
fn a_door_that_moves_while_the_card_is_slow_is_seen() {
    let watched = Watched::start("");
    let tool = watched.site.sql();
    tool.execute_batch("BEGIN IMMEDIATE").expect("free");
    // Storing this one has to wait; the other door is open for a part of that time only.
    watched.door(2, DoorAction::Open);
    std::thread::sleep(Duration::from_millis(300));
    watched.door(3, DoorAction::Open);
    std::thread::sleep(Duration::from_millis(250));
    watched.door(3, DoorAction::Close);
    std::thread::sleep(Duration::from_millis(200));
    tool.execute_batch("ROLLBACK").expect("done");
    let first = watched.alarm("forced_open", "live");
    assert_eq!(first["locker_id"], 102, "{first}");
    let other = watched.alarm("forced_open", "cleared");
    assert_eq!((&other["locker_id"], &other["clear_reason"]), (&json!(103), &json!("door_closed")));
    // Committed in the order in which it happened.
    assert!(first["alarm_id"].as_i64() < other["alarm_id"].as_i64(), "{first}, {other}");
    watched.site.demand_clean();
}

#[test]
fn the_list_is_paged_and_wrong_questions_are_named() {
    let watched = Watched::start("");
    let admin = watched.site.account("ADMIN");
    for lock in 1..=3 {
        watched.door(lock, DoorAction::Open);
        until("it is an alarm", || (list(&admin, "").len() == usize::from(lock)).then_some(()));
    }
    let mut seen = Vec::new();
    let mut query = "limit=2".to_owned();
    loop {
        let page = admin.get(&format!("/api/v1/alarms?{query}")).expect(200).json();
        seen.extend(page["alarms"].as_array().expect("a list").clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=2&cursor={cursor}");
    }
    let lockers: Vec<_> = seen.iter().map(|alarm| alarm["locker_id"].clone()).collect();
    assert_eq!(lockers, [103, 102, 101]);
    assert_eq!(list(&admin, "locker_id=102").len(), 1);
    assert_eq!(list(&admin, "since=2090-01-01T00:00:00Z").len(), 0);
    assert_eq!(list(&admin, "until=2090-01-01T00:00:00Z").len(), 3);
    for wrong in ["state=new", "kind=theft", "limit=0", "cursor=x", "since=today", "bank_id=x"] {
        admin.get(&format!("/api/v1/alarms?{wrong}")).refused(422, "invalid");
    }
    admin.get("/api/v1/alarms?colour=red").refused(400, "bad_request");
    admin.get("/api/v1/alarms/999").refused(404, "alarm_not_found");
}
